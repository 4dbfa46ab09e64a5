"""What starts processes beside the gates of stages."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from bpm.models.definitions import ProcessDefinition


class TriggerKind(models.TextChoices):
    HAND = "hand", _("by hand, from a card")
    CREATED = "created", _("when a record is created")
    WON = "won", _("when a deal is won")
    LOST = "lost", _("when a deal is lost")
    CALL = "call", _("when a call has ended")
    MISSED = "missed", _("when a call was missed")
    SCHEDULE = "schedule", _("at set times")
    MESSAGE = "message", _("by a message of another process")


class Period(models.TextChoices):
    DAILY = "daily", _("every day")
    WEEKLY = "weekly", _("every week")
    MONTHLY = "monthly", _("every month")


class Trigger(models.Model):
    """One way in which a process starts by itself or by hand; never deleted, only switched off.

    `query`: the filters that its records fit, read with the rights of `author`; `said`: the same in words, as they
    were when he wrote them. `role`: who may start it by hand.
    `at`: the time of day in the company's zone; a `month_day` that a month lacks is its last day.
    """

    definition = models.ForeignKey(ProcessDefinition, models.PROTECT, related_name="triggers")
    kind = models.CharField(_("starts"), max_length=10, choices=TriggerKind.choices)
    role = models.ForeignKey(
        "people.Role", models.PROTECT, null=True, related_name="+", verbose_name=_("role")
    )
    query = models.TextField(_("only records of this filter"), blank=True)
    said = models.TextField(blank=True)
    said_pl = models.TextField(blank=True)
    message = models.CharField(_("message"), max_length=200, blank=True)
    period = models.CharField(_("how often"), max_length=10, choices=Period.choices, blank=True)
    at = models.TimeField(_("at"), null=True)
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=list(WEEKDAYS.items()), null=True)
    month_day = models.PositiveSmallIntegerField(
        _("day of the month"), null=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    next_at = models.DateTimeField(null=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("trigger of a process")
        verbose_name_plural = _("triggers of processes")
        ordering = ["-is_active", "id"]
        indexes = [
            models.Index(fields=["kind", "is_active"], name="triggers_by_kind"),
            models.Index(fields=["next_at"], name="triggers_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="schedule") | Q(at__isnull=False, period__gt=""), name="schedule_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(kind="message") | Q(message__gt=""), name="message_has_a_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition}: {self.get_kind_display()}"


class TriggerEventKind(models.TextChoices):
    ADDED = "added", _("was added")
    OFF = "off", _("was switched off")
    ON = "on", _("was switched on")
    FIRED = "fired", _("was due")
    FAILED = "failed", _("could not start anything")


class TriggerEvent(models.Model):
    """What became of a trigger, append-only. `data`: how many runs a firing started, or why it could not."""

    trigger = models.ForeignKey(Trigger, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=TriggerEventKind.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
