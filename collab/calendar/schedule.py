"""Whose time is taken when: activities of people in a span of time; what the reader may not see is "busy" alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from collab.calendar.grants import granting
from collab.calendar.models import Activity, ActivityParticipant
from collab.calendar.selectors import calendars_open_to
from crm.people.models import User

# Nothing in a calendar lasts longer, so that what began earlier need not be read.
LONGEST = timedelta(days=92)
MOST = 3000
MOST_COUNTED = 30_000


@dataclass
class Entry:
    """One activity in a span. `people`: the ids of those asked about whose time it takes."""

    activity: Activity
    is_seen: bool
    may_edit: bool
    people: list[int] = field(default_factory=list)

    @property
    def status(self) -> str:
        """One of done, cancelled, overdue, planned; of what is only "busy" no more than that."""
        activity = self.activity
        if not self.is_seen:
            return "busy"
        if activity.done_at:
            return "done"
        if activity.cancelled_at:
            return "cancelled"
        return "overdue" if activity.is_overdue else "planned"

    @property
    def ends_at(self) -> datetime:
        return self.activity.ends_at or self.activity.starts_at

    @property
    def takes_time(self) -> bool:
        """Whether somebody is kept from other things by it."""
        activity = self.activity
        return activity.cancelled_at is None and self.ends_at > activity.starts_at


def people_shown(user) -> QuerySet:
    """The active people of whom the reader may know when they are busy: his department, and those he sees."""
    known = Q(pk__in=calendars_open_to(user).order_by().values("pk"))
    known |= Q(pk__in=granting(user, "busy"))
    if user.department_id:
        known |= Q(department_id=user.department_id)
    return User.objects.filter(known, is_active=True).select_related("department")


def in_span(start: datetime, end: datetime, prefix: str = "") -> Q:
    """Activities that touch the span; one without length counts at its moment."""
    begun = Q(**{f"{prefix}starts_at__lt": end, f"{prefix}starts_at__gt": start - LONGEST})
    running = Q(**{f"{prefix}ends_at__gt": start}) | Q(**{f"{prefix}starts_at__gte": start})
    return begun & running


def entries(user, people: Iterable[int], start: datetime, end: datetime) -> list[Entry]:
    """What takes the time of `people` between two moments, in order. Two queries.

    The caller has taken `people` from `people_shown`. What the reader may not see bears no text and only when it
    takes time; of what was cancelled he learns nothing then.
    """
    wanted = set(people)
    guests = _guests(wanted, start, end)
    rows = (
        Activity.objects.filter(
            Q(owner_id__in=wanted) | Q(pk__in=list(guests)), in_span(start, end), deleted_at=None
        )
        .annotate(is_seen=_allowed(user, "view"), may_edit=_allowed(user, "edit"))
        .select_related("series")
        .defer("description", "result", "search_text")
        .order_by("starts_at", "pk")[:MOST]
    )
    found = []
    for row in rows:
        entry = Entry(row, row.is_seen, row.may_edit and row.is_open)
        entry.people = [pk for pk in (row.owner_id, *guests.get(row.pk, ())) if pk in wanted]
        if entry.is_seen or entry.takes_time:
            found.append(entry)
    return found


@dataclass(frozen=True)
class Taken:
    """A span of time and whose it is, without what it is for."""

    people: list[int]
    starts_at: datetime
    ends_at: datetime
    all_day: bool


def spans(user, people: Iterable[int], start: datetime, end: datetime) -> list[Taken]:
    """The times of the same rows as `entries`, but for what was cancelled: for counting months. Two queries."""
    wanted = set(people)
    guests = _guests(wanted, start, end)
    rows = (
        Activity.objects.filter(Q(owner_id__in=wanted) | Q(pk__in=list(guests)), in_span(start, end))
        .filter(deleted_at=None, cancelled_at=None)
        .annotate(is_seen=_allowed(user, "view"))
        .order_by()
        .values_list("pk", "owner_id", "starts_at", "ends_at", "all_day", "is_seen")
    )
    found = []
    for pk, owner, starts, ends, all_day, is_seen in rows[:MOST_COUNTED]:
        if is_seen or (ends and ends > starts):
            whose = [one for one in (owner, *guests.get(pk, ())) if one in wanted]
            found.append(Taken(whose, starts, ends or starts, all_day))
    return found


def _guests(people: set[int], start: datetime, end: datetime) -> dict[int, list[int]]:
    """{activity: those of the people who are invited to it}."""
    invited = ActivityParticipant.objects.filter(
        in_span(start, end, "activity__"), user_id__in=people, activity__deleted_at=None
    ).values_list("activity_id", "user_id")
    guests: dict[int, list[int]] = {}
    for activity_id, user_id in invited:
        guests.setdefault(activity_id, []).append(user_id)
    return guests


def _allowed(user, action: str) -> Exists:
    return Exists(Activity.objects.visible_to(user, action).filter(pk=OuterRef("pk")))


def wall(moment: datetime) -> str:
    """A moment as the reader's clock shows it, which is how the browser's calendar counts."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")
