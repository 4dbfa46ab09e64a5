"""An activity is a call, a meeting or a letter; it follows the visibility of its primary card."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.calendar.activity_templates import ActivityTemplate
from collab.calendar.grants import CalendarGrant, granting
from collab.calendar.local_time import LocalTimeField
from collab.calendar.resources import Booking, Resource
from collab.calendar.series_models import Series, new_uid
from counterparties.models import Contact, Counterparty
from crm.people.access import kind_label
from crm.people.search import Searchable
from crm.people.visibility import OwnedRecord, VisibleQuerySet, sees
from deals.models import Deal
from leads.models import Lead

# The first that is set is the primary card: an activity is seen by whoever sees that one.
CARDS: dict[str, type[OwnedRecord]] = {
    "deal": Deal,
    "lead": Lead,
    "counterparty": Counterparty,
    "contact": Contact,
}

GRANTED = ("view", "edit", "delete")
__all__ = [
    "CARDS",
    "Activity",
    "ActivityKind",
    "ActivityParticipant",
    "ActivityTemplate",
    "Booking",
    "CalendarGrant",
    "Direction",
    "Resource",
    "Series",
]


class ActivityKind(models.TextChoices):
    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    LETTER = "letter", _("Letter")


class Direction(models.TextChoices):
    OUTGOING = "out", _("outgoing")
    INCOMING = "in", _("incoming")


class ActivityQuerySet(VisibleQuerySet):
    def visible_to(self, user, action: str = "view") -> Self:
        """Activities on which `user` may perform `action`.

        His own; those of the calendars that his roles reach or into which their owners let him; those whose primary
        card he may view (edit …); and for viewing, those he takes part in. A private one is for its owner, its
        participants and whom its owner lets do everything.
        """
        if not user.is_active:
            return self.none()
        rows = self.filter(deleted_at=None)
        named = Q(owner_id=user.pk)
        if action == "view":
            named |= Q(
                Exists(ActivityParticipant.objects.filter(activity_id=OuterRef("pk"), user_id=user.pk))
            )
        if action in GRANTED:
            named |= Q(owner_id__in=granting(user, "private"))
        rows = rows.filter(Q(is_private=False) | named)
        if user.access.scope(kind_label(self.model), action) == "all":
            return rows
        return rows.filter(named | _in_calendar(user, action) | _by_card(user, action))

    def in_bin(self, user, action: str = "delete") -> Self:
        """Deleted ones: his own, those of the calendars his roles reach, and those on cards he reaches."""
        if not user.is_active:
            return self.none()
        named = Q(owner_id=user.pk) | Q(owner_id__in=granting(user, "private"))
        rows = self.filter(Q(is_private=False) | named, deleted_at__isnull=False)
        if user.access.scope(kind_label(self.model), action) == "all":
            return rows
        return rows.filter(named | _in_calendar(user, action) | _by_card(user, action))

    def open(self) -> Self:
        """Neither done nor cancelled."""
        return self.filter(done_at=None, cancelled_at=None, deleted_at=None)

    def nearest(self, after: datetime | None = None) -> Self:
        """Of the open occurrences of a series only the first (from `after` on); all else, and all that is over."""
        earlier = Activity.objects.open().filter(
            series_id=OuterRef("series_id"), starts_at__lt=OuterRef("starts_at")
        )
        if after is not None:
            earlier = earlier.filter(starts_at__gte=after)
        is_over = Q(done_at__isnull=False) | Q(cancelled_at__isnull=False)
        return self.filter(is_over | Q(series=None) | ~Exists(earlier))


def _in_calendar(user, action: str) -> Q:
    """By the calendar it stands in: a role reaches that, or its owner has granted it."""
    condition = user.access.condition(Activity, action)
    return condition | Q(owner_id__in=granting(user, action)) if action in GRANTED else condition


def _by_card(user, action: str) -> Q:
    """Correlated, so that a page of activities asks about its own cards only."""
    condition, above = Q(), {}
    for name, model in CARDS.items():
        condition |= Q(sees(user, model, f"{name}_id", action), **above, **{f"{name}__isnull": False})
        above[f"{name}__isnull"] = True
    return condition


def _card(model: str):
    return models.ForeignKey(model, models.PROTECT, null=True, blank=True, related_name="activities")


class Activity(Searchable, OwnedRecord):
    """Planned until `done_at` or `cancelled_at` is set. `result` is what came of it, `description` what it is for.

    An occurrence has a `series`; `recurrence_at` is the local time its rule gave it, whatever became of it since, and
    a detached one no longer follows changes of the series. Other calendars know it by its `uid`, or by the series'.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=ActivityKind.choices)
    subject = models.CharField(_("subject"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices, blank=True)
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    all_day = models.BooleanField(_("all day"), default=False)
    is_private = models.BooleanField(_("private"), default=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    result = models.TextField(_("result"), blank=True)
    lead = _card("leads.Lead")
    deal = _card("deals.Deal")
    counterparty = _card("counterparties.Counterparty")
    contact = _card("counterparties.Contact")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    uid = models.CharField(max_length=255, unique=True, null=True, default=new_uid, editable=False)
    series = models.ForeignKey(
        Series, models.PROTECT, null=True, blank=True, related_name="occurrences", editable=False
    )
    recurrence_at = LocalTimeField(null=True, blank=True, editable=False)
    is_detached = models.BooleanField(default=False, editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=models.F("starts_at")),
                name="activity_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(cancelled_at=None), name="activity_done_or_cancelled"
            ),
            models.CheckConstraint(condition=Q(owner__isnull=False), name="activity_has_owner"),
            models.UniqueConstraint(fields=["series", "recurrence_at"], name="one_occurrence_at_a_time"),
        ]
        indexes = [
            models.Index(
                fields=["owner", "starts_at"],
                condition=Q(done_at=None, cancelled_at=None, deleted_at=None),
                name="activity_open_of_owner",
            ),
            models.Index(
                fields=["owner", "starts_at"], condition=Q(deleted_at=None), name="activity_of_owner"
            ),
            models.Index(
                fields=["owner", "-done_at"],
                condition=Q(done_at__isnull=False),
                name="activity_done_of_owner",
            ),
            models.Index(
                fields=["series", "starts_at"],
                condition=Q(done_at=None, cancelled_at=None, deleted_at=None, series__isnull=False),
                name="activity_open_of_series",
            ),
            *(
                models.Index(
                    fields=[card, "starts_at"],
                    condition=Q(done_at=None, cancelled_at=None, deleted_at=None),
                    name=f"activity_open_of_{card[:8]}",
                )
                for card in ("deal", "lead", "counterparty", "contact")
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def searchable_parts(self) -> list[str]:
        return [self.subject, self.place, self.description, self.result]

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.cancelled_at is None

    @property
    def is_overdue(self) -> bool:
        """Planned for a time that has passed altogether."""
        return self.is_open and (self.ends_at or self.starts_at) <= timezone.now()

    def card_keys(self) -> list[tuple[str, int]]:
        """(kind label, id) of every card the activity stands on, the primary one first."""
        ids = [(model, getattr(self, f"{name}_id")) for name, model in CARDS.items()]
        return [(kind_label(model), pk) for model, pk in ids if pk is not None]

    def cards(self) -> list[OwnedRecord]:
        """The records of the cards, the primary one first."""
        found = [getattr(self, name) for name in CARDS]
        return [card for card in found if card is not None]


class ActivityParticipant(models.Model):
    """A colleague or a contact who takes part."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    contact = models.ForeignKey(
        "counterparties.Contact", models.PROTECT, null=True, blank=True, related_name="participations"
    )

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(fields=["activity", "user"], name="one_participation_of_user"),
            models.UniqueConstraint(fields=["activity", "contact"], name="one_participation_of_contact"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, contact=None) | Q(user=None, contact__isnull=False),
                name="participant_is_user_or_contact",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.contact)


# The app's other models; they point at activities by name.
from collab.calendar.letter_models import Letter  # noqa: E402, F401
from collab.calendar.reminder_models import Reminder, ReminderChoice  # noqa: E402, F401
