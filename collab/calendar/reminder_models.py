"""Who is to be reminded of an activity, and when."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from collab.calendar.leads_of_time import LEADS, STANDARD, lead_label


class Reminder(models.Model):
    """A reminder of one person, so long before the start or at a set moment.

    `due_at` follows the activity when it moves, and a snooze. `fired_at`: when it was told; `dismissed_at`: when the
    person put it away.
    """

    activity = models.ForeignKey("collab_calendar.Activity", models.CASCADE, related_name="reminders")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    minutes_before = models.PositiveIntegerField(_("minutes before"), null=True, blank=True)
    at = models.DateTimeField(_("at"), null=True, blank=True)
    due_at = models.DateTimeField(_("due at"))
    fired_at = models.DateTimeField(null=True, blank=True, editable=False)
    dismissed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "user", "minutes_before"], name="one_reminder_so_long_before"
            ),
            models.UniqueConstraint(fields=["activity", "user", "at"], name="one_reminder_at_a_moment"),
            models.CheckConstraint(
                condition=Q(minutes_before=None, at__isnull=False) | Q(minutes_before__isnull=False, at=None),
                name="reminder_before_or_at",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(fired_at=None), name="reminder_to_fire"),
            models.Index(
                fields=["user", "-fired_at"],
                condition=Q(fired_at__isnull=False, dismissed_at=None),
                name="reminder_on_screen",
            ),
        ]

    def __str__(self) -> str:
        if self.at is None:
            return str(lead_label(self.minutes_before))
        return date_format(localtime(self.at), "SHORT_DATETIME_FORMAT")


def standard_leads() -> dict[str, list[int]]:
    return {kind: list(minutes) for kind, minutes in STANDARD.items()}


def check_leads(value) -> None:
    """{kind of activity: [minutes that are offered]}."""
    if not isinstance(value, dict) or any(
        kind not in STANDARD or not isinstance(minutes, list) or not set(minutes) <= set(LEADS)
        for kind, minutes in value.items()
    ):
        raise ValidationError(_("Choose from what is offered."))


class ReminderChoice(models.Model):
    """What a person wants to be reminded of without saying so each time: minutes before, by kind of activity."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="reminder_choice", editable=False
    )
    minutes = models.JSONField(default=standard_leads, validators=[check_leads])
    morning_letter = models.BooleanField(_("A letter with my day each morning"), default=False)
    letter_sent_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("choice of reminders")
        verbose_name_plural = _("choices of reminders")

    def __str__(self) -> str:
        return str(self.user)
