"""Whom somebody lets into his calendar, and how far."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class GrantLevel(models.TextChoices):
    """Each contains the one before."""

    BUSY = "busy", _("sees when I am busy")
    VIEW = "view", _("sees everything but what is private")
    EDIT = "edit", _("plans and moves in it")
    FULL = "full", _("everything, private things too, as I do")


_LEVELS = list(GrantLevel.values)
# The least level that lets somebody perform an action; other actions are not granted by calendars.
LEAST = {"busy": GrantLevel.BUSY, "view": GrantLevel.VIEW, "edit": GrantLevel.EDIT, "assign": GrantLevel.EDIT,
         "delete": GrantLevel.FULL, "private": GrantLevel.FULL}  # fmt: skip


class CalendarGrant(models.Model):
    """`owner` lets a person, everybody of a role or everybody of a department into his calendar."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_grants")
    level = models.CharField(_("may"), max_length=5, choices=GrantLevel.choices, default=GrantLevel.VIEW)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    role = models.ForeignKey("people.Role", models.CASCADE, null=True, blank=True, related_name="+")
    department = models.ForeignKey(
        "people.Department", models.CASCADE, null=True, blank=True, related_name="+"
    )
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("share of a calendar")
        verbose_name_plural = _("shares of calendars")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, role=None, department=None)
                | Q(user=None, role__isnull=False, department=None)
                | Q(user=None, role=None, department__isnull=False),
                name="grant_to_one_person_role_or_department",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | ~Q(user=models.F("owner")), name="grant_not_to_oneself"
            ),
            *(
                models.UniqueConstraint(fields=["owner", to], name=f"one_calendar_grant_to_{to}")
                for to in ("user", "role", "department")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.get_level_display()}"

    @property
    def holder(self):
        return self.user or self.role or self.department


def granting(user, action: str) -> QuerySet:
    """The ids of those who let `user` perform `action` in their calendars, as a subquery."""
    if action not in LEAST:
        return CalendarGrant.objects.none().values("owner_id")
    levels = _LEVELS[_LEVELS.index(LEAST[action]) :]
    to = Q(user_id=user.pk) | Q(role_id__in=user.roles.order_by().values("pk"))
    if user.department_id:
        to |= Q(department_id=user.department_id)
    return CalendarGrant.objects.filter(to, level__in=levels).order_by().values("owner_id")


@transaction.atomic
def grant_calendar(*, owner, to, level: str, by) -> CalendarGrant:
    """Lets a user, a role or a department into the calendar of `owner`, or changes how far.

    Raises ValidationError for oneself or somebody dismissed, or when another than the owner does it.
    """
    if by.pk != owner.pk:
        raise ValidationError(gettext("Only the owner of a calendar lets others into it."))
    name = {"user": "user", "role": "role", "department": "department"}[to._meta.model_name]
    if name == "user" and (to.pk == owner.pk or not to.is_active):
        raise ValidationError(gettext("Choose a colleague who works here."))
    grant, _is_new = CalendarGrant.objects.update_or_create(
        owner=owner, **{name: to}, defaults={"level": level, "granted_at": timezone.now()}
    )
    return grant


@transaction.atomic
def withdraw_grant(*, grant: CalendarGrant, by) -> None:
    """Takes it back; what their roles give others stays."""
    if by.pk != grant.owner_id:
        raise ValidationError(gettext("Only the owner of a calendar lets others into it."))
    grant.delete()
