"""The occurrences of a series: ordinary activities that stand for about a year ahead, topped up by a job."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from collab.calendar.local_time import local_of
from collab.calendar.models import CARDS, Activity, ActivityParticipant
from collab.calendar.reminders import remind_of_many
from collab.calendar.resources import book_many
from collab.calendar.series_models import Series
from crm.notify.services import notify

AHEAD = timedelta(days=400)
# So that a series is topped up once in a while, not by one activity every day.
ENOUGH = timedelta(days=365)
MOST = 500
# Where a rule ends within reach, nothing is left to fill.
FOREVER = datetime(9999, 12, 31)
COPIED = (
    "kind",
    "subject",
    "description",
    "place",
    "is_private",
    "all_day",
    *(f"{name}_id" for name in CARDS),
)


def changeable(series: Series) -> QuerySet[Activity]:
    """The occurrences that follow changes of their series: open, and not changed on their own; in order."""
    rows = Activity.objects.open().filter(series=series, is_detached=False)
    return rows.exclude(letters__isnull=False).order_by("recurrence_at")


def to_fill(now: datetime) -> QuerySet[Series]:
    """The series whose activities do not reach far enough ahead, whose owner works here and whose card stands."""
    cards = Q()
    for name in CARDS:
        cards &= Q(**{name: None}) | Q(**{f"{name}__deleted_at": None})
    near = local_of(now + ENOUGH, timezone.get_default_timezone())
    return Series.objects.filter(
        cards, cancelled_at=None, filled_until__lt=near, owner__is_active=True
    ).order_by("pk")


@transaction.atomic
def fill(series: Series, now: datetime) -> list[Activity]:
    """Makes the activities that are still missing up to AHEAD, or the next one where that is later; those it made.

    Two who fill the same series at once make each activity once.
    """
    times = _wanted(series, now)
    ends = len(times) < MOST and _is_last(series, times, now)
    reached = FOREVER if ends else (times[-1] if times else _horizon(series, now))
    claim = Series.objects.filter(pk=series.pk, filled_until=series.filled_until, cancelled_at=None)
    if not claim.update(filled_until=reached):
        return []
    series.filled_until = reached
    standing = Activity.objects.filter(series=series, recurrence_at__in=times)
    known = set(standing.values_list("recurrence_at", flat=True)) | series.skips()
    made = Activity.objects.bulk_create([_occurrence(series, at) for at in times if at not in known])
    _equip(series, made)
    return made


def _wanted(series: Series, now: datetime) -> list[datetime]:
    after, horizon, found = series.filled_until, _horizon(series, now), []
    today = local_of(now, series.zone)
    for at in series.pattern.times(series.start_local):
        if after is not None and at <= after:
            continue
        is_near = at <= horizon or not any(one >= today for one in found)
        if len(found) == MOST or not is_near:
            break
        found.append(at)
    return found


def _is_last(series: Series, times: list[datetime], now: datetime) -> bool:
    """Whether the rule gives nothing after these times."""
    last = times[-1] if times else series.filled_until or series.start_local - timedelta(days=1)
    return next((at for at in series.pattern.times(series.start_local) if at > last), None) is None


def _horizon(series: Series, now: datetime) -> datetime:
    return local_of(now + AHEAD, series.zone)


def _occurrence(series: Series, at: datetime) -> Activity:
    starts_at, ends_at = series.span_of(at)
    activity = Activity(
        series=series, recurrence_at=at, starts_at=starts_at, ends_at=ends_at, owner_id=series.owner_id,
        created_by_id=series.created_by_id, department_id=series.owner.department_id,
        **{name: getattr(series, name) for name in COPIED},
    )  # fmt: skip
    activity.refresh_search()
    return activity


def _equip(series: Series, made: list[Activity]) -> None:
    """Participants, reminders and rooms of new occurrences; the owner hears where a room was taken."""
    people = list(series.participants.values_list("user_id", "contact_id"))
    add_participants(made, people)
    remind_of_many(made, [user for user, _contact in people if user], series.remind_before)
    resources = set(series.resources.values_list("pk", flat=True))
    for refused in book_many(activities=made, resources=resources)[:1]:
        text = gettext_noop("A room was taken: “%(what)s” stands without it on some days.")
        notify(
            user=series.owner, kind="collab_calendar.planned", text=text, params={"what": series.subject},
            record=refused,
        )  # fmt: skip


def add_participants(activities: Iterable[Activity], people: list[tuple[int | None, int | None]]) -> None:
    """People as (user, contact) ids, one of them each."""
    ActivityParticipant.objects.bulk_create(
        [
            ActivityParticipant(activity=activity, user_id=user, contact_id=contact)
            for activity in activities
            for user, contact in people
        ],
        ignore_conflicts=True, batch_size=1000,
    )  # fmt: skip
