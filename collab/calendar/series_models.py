"""A series is the pattern of a repeating activity; its occurrences are ordinary activities."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.calendar.local_time import LocalTimeField, moment_of, zone_named
from collab.calendar.recurrence import Rule, read_rule
from collab.calendar.rule_words import in_words


def new_uid() -> str:
    """By which calendars of other makers know an entry, for life."""
    return f"{uuid4()}@contentum"


def _card(model: str):
    return models.ForeignKey(model, models.PROTECT, null=True, blank=True, related_name="series")


class Series(models.Model):
    """When something repeats (`rule`, in the wall clock of `time_zone`) and what every occurrence takes over.

    `filled_until`: up to which local time the occurrences stand as activities. `skipped`: local times (ISO) at which
    the rule is not followed and no activity stands. A series that was cut off ends by its rule; `follows` is the one it
    was cut off from.
    """

    uid = models.CharField(max_length=255, unique=True, default=new_uid, editable=False)
    rule = models.CharField(_("rule"), max_length=500)
    time_zone = models.CharField(_("time zone"), max_length=64)
    start_local = LocalTimeField(_("start"))
    duration = models.DurationField(_("length"), null=True, blank=True)
    all_day = models.BooleanField(_("all day"), default=False)
    skipped = models.JSONField(default=list, blank=True)
    sequence = models.PositiveIntegerField(default=0)
    filled_until = LocalTimeField(null=True, blank=True)
    follows = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    remind_before = models.JSONField(null=True, blank=True)
    before_deletion = models.JSONField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=10)
    subject = models.CharField(_("subject"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    is_private = models.BooleanField(_("private"), default=False)
    lead = _card("leads.Lead")
    deal = _card("deals.Deal")
    counterparty = _card("counterparties.Counterparty")
    contact = _card("counterparties.Contact")
    resources = models.ManyToManyField("collab_calendar.Resource", blank=True, related_name="+")

    class Meta:
        verbose_name = _("series")
        verbose_name_plural = _("series")
        indexes = [
            models.Index(fields=["filled_until"], condition=Q(cancelled_at=None), name="series_to_fill"),
            models.Index(fields=["owner"], name="series_of_owner"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.time_zone)

    @property
    def is_zone_lost(self) -> bool:
        """The time-zone database no longer knows the zone: the company's own stands in."""
        return self.zone.key != self.time_zone

    @property
    def pattern(self) -> Rule:
        return read_rule(self.rule)

    @property
    def sentence(self) -> str:
        """The rule in the reader's language."""
        return in_words(self.pattern, self.start_local)

    def span_of(self, local: datetime) -> tuple[datetime, datetime | None]:
        """When the occurrence at a local time begins and ends; whole days end with the wall clock."""
        starts_at = moment_of(local, self.zone)
        if self.duration is None:
            return starts_at, None
        if self.all_day:
            return starts_at, moment_of(local + self.duration, self.zone)
        return starts_at, starts_at + self.duration

    def skips(self) -> set[datetime]:
        return {datetime.fromisoformat(text) for text in self.skipped}


class SeriesParticipant(models.Model):
    """A colleague or a contact who takes part in every occurrence."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="participants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    contact = models.ForeignKey("counterparties.Contact", models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("participant of a series")
        verbose_name_plural = _("participants of a series")
        constraints = [
            models.UniqueConstraint(fields=["series", "user"], name="one_series_participation_of_user"),
            models.UniqueConstraint(fields=["series", "contact"], name="one_series_participation_of_contact"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, contact=None) | Q(user=None, contact__isnull=False),
                name="series_participant_is_user_or_contact",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.contact)
