"""The one rule of visibility, which every list, card, count, search, export, report, feed and job goes through."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from crm.people.access import kind_label


class VisibleQuerySet(models.QuerySet):
    """A queryset of records that belong to somebody."""

    def visible_to(self, user, action: str = "view") -> Self:
        """Only the records on which `user` may perform `action`; deleted ones never."""
        return self.filter(user.access.condition(self.model, action), deleted_at=None)

    def in_bin(self, user, action: str = "delete") -> Self:
        """The deleted records on which `user` might perform `action`, were they not deleted."""
        return self.filter(user.access.condition(self.model, action), deleted_at__isnull=False)


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
        """The department follows the owner."""
        fields = kwargs.get("update_fields")
        if self.owner_id and (fields is None or "owner" in fields):
            self.department_id = self.owner.department_id
            if fields is not None:
                kwargs["update_fields"] = {*fields, "department"}
        super().save(*args, **kwargs)


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


def share(*, record: OwnedRecord, user, action: str = "view", by) -> None:
    """Lets `user` view (or view and edit) one record beyond his roles. PermissionDenied unless `by` may edit it."""
    from guardian.shortcuts import assign_perm

    demand(by, "edit", record)
    for verb in ("view", "change") if action == "edit" else ("view",):
        assign_perm(f"{verb}_{record._meta.model_name}", user, record)
