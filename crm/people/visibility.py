"""The one rule of visibility, which every list, card, count, search, export, report, feed and job goes through."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from crm.people.access import kind_label
from crm.people.fields import unmask


class VisibleQuerySet(models.QuerySet):
    """A queryset of records that belong to somebody."""

    def visible_to(self, user, action: str = "view") -> Self:
        """Only the records on which `user` may perform `action`; deleted ones never."""
        return self.filter(user.access.condition(self.model, action), deleted_at=None)

    def with_rights(self, user, *actions: str) -> Self:
        """Rows that know, as `may_<action>`, whether `user` may perform each of `actions`: no query for each row."""
        return self.annotate(**{f"may_{action}": _allowed(user, action, self.model) for action in actions})

    def in_bin(self, user, action: str = "delete") -> Self:
        """The deleted records on which `user` might perform `action`, were they not deleted."""
        return self.filter(user.access.condition(self.model, action), deleted_at__isnull=False)


class RowByRow(models.Exists):
    """An EXISTS that is asked for one row after another.

    PostgreSQL would rather read all that the inner query holds beforehand, however few rows the page wants; an OFFSET,
    of nothing, keeps it from that.
    """

    template = "EXISTS(%(subquery)s OFFSET 0)"


def sees(user, model: type[OwnedRecord], column: str, action: str = "view") -> RowByRow:
    """The condition that `user` may perform `action` on the record that `column` points at.

    Correlated: a page's few rows ask about their own records. `column__in=visible` would have SQLite read them all.
    """
    return RowByRow(model.objects.visible_to(user, action).filter(pk=models.OuterRef(column)))


def _allowed(user, action: str, model) -> models.Case | models.Value:
    condition = user.access.condition(model, action)
    if not condition:
        return models.Value(True, output_field=models.BooleanField())
    return models.Case(
        models.When(condition, then=models.Value(True)),
        default=models.Value(False),
        output_field=models.BooleanField(),
    )


class OwnedRecord(models.Model):
    """A root kind: an owner and his department decide who sees it, beside explicit shares.

    `version` counts edits (see `crm.history.editing`); `deleted_at` puts the record into the recycle bin.
    """

    share_model: ClassVar[type[UserObjectPermissionBase] | None] = None

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    department = models.ForeignKey(
        "people.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("department"),
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        """The department follows the owner; what was hidden from the reader of this copy stays as it was."""
        unmask(self)
        fields = kwargs.get("update_fields")
        if self.owner_id and (fields is None or "owner" in fields):
            self.department_id = self.owner.department_id
            if fields is not None:
                kwargs["update_fields"] = {*fields, "department"}
        super().save(*args, **kwargs)

    def refresh_from_db(self, using=None, fields=None, **kwargs) -> None:
        """A copy read anew is whole again."""
        if fields is None:
            self.__dict__.pop("_masked", None)
        super().refresh_from_db(using=using, fields=fields, **kwargs)


def may(user, action: str, record: OwnedRecord) -> bool:
    """Whether `user` may perform `action` on this very record. One query."""
    return type(record).objects.visible_to(user, action).filter(pk=record.pk).exists()


def demand(user, action: str, record: OwnedRecord) -> None:
    """Raises PermissionDenied unless `user` may perform `action` on the record."""
    if not may(user, action, record):
        raise PermissionDenied


def demand_kind(user, action: str, model: type[OwnedRecord]) -> None:
    """Raises PermissionDenied unless `user` may perform `action` on the kind at all (creating, importing)."""
    if not user.access.may(kind_label(model), action):
        raise PermissionDenied


def share(*, record: OwnedRecord, user, action: str = "view", by) -> bool:
    """Lets `user` view (or view and edit) one record beyond his roles; whether that changed anything.

    PermissionDenied unless `by` may edit it; ValidationError for oneself, the owner, or somebody dismissed.
    """
    from guardian.shortcuts import assign_perm, get_user_perms

    demand(by, "edit", record)
    demand_shareable(record, user, by)
    wanted = _codenames(record)[: 2 if action == "edit" else 1]
    present = set(get_user_perms(user, record))
    if present == set(wanted):
        return False
    _drop(record, user)
    for codename in wanted:
        assign_perm(codename, user, record)
    user.__dict__.pop("access", None)
    return True


def demand_shareable(record: OwnedRecord, user, by) -> None:
    """Raises ValidationError for a person with whom sharing makes no sense."""
    if record.share_model is None:
        raise ValidationError(_("Records of this kind follow their card and cannot be shared alone."))
    if not user.is_active:
        raise ValidationError(_("%(user)s does not work here any more."), params={"user": user})
    if user.pk == by.pk:
        raise ValidationError(_("You have this record already: choose a colleague."))
    if user.pk == record.owner_id:
        raise ValidationError(_("%(user)s owns this record already."), params={"user": user})


def withdraw_share(*, record: OwnedRecord, user, by) -> bool:
    """Takes the explicit share back; what his roles give stays. False when there was none."""
    demand(by, "edit", record)
    user.__dict__.pop("access", None)
    return _drop(record, user)


def _drop(record: OwnedRecord, user) -> bool:
    if record.share_model is None:
        return False
    return record.share_model.objects.filter(content_object=record, user=user).delete()[0] > 0


def _codenames(record: OwnedRecord) -> list[str]:
    name = record._meta.model_name
    return [f"view_{name}", f"change_{name}"]
