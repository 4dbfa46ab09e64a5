"""Free and busy while a time is being chosen: the day of everybody who is to take part, and the first free times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from collab.calendar.resources import Resource, bookings_between
from collab.calendar.schedule import entries, people_shown
from crm.people.calendar import WorkingCalendar, working_calendar
from crm.people.models import User

SLOT = timedelta(minutes=30)
FIRST, LAST = time(7), time(20)
DAYS_AHEAD = 10
OFFERED = 3
MOST_PEOPLE = 30
Busy = list[tuple[datetime, datetime]]


@dataclass
class Line:
    """The day of a person or a room. `slots`: taken or not, by half hours. `is_known`: whether the reader may know."""

    person: User | Resource
    is_known: bool
    busy: Busy
    slots: list[bool]


@dataclass
class Availability:
    day: date
    hours: list[int]
    lines: list[Line]
    free: list[datetime]
    clashes: list[User | Resource]


def availability(
    user,
    people: Iterable[User],
    start: datetime,
    length: timedelta,
    without: int = 0,
    resources: Iterable[Resource] = (),
) -> Availability:
    """How the day of `start` looks for people and rooms, who is busy then, and when all are free. Six queries.

    `without` is the activity being moved. Of people whose time the reader may not know nothing is said.
    """
    people = list(dict.fromkeys(people))[:MOST_PEOPLE]
    day, length = timezone.localtime(start).date(), max(length, SLOT)
    first, last = _at(day, time.min), _at(day + timedelta(days=DAYS_AHEAD), time.min)
    known, busy = _busy(user, people, first, last, without)
    held = _held(resources, first, last, without)
    opens, closes = _at(day, FIRST), _at(day, LAST)
    lines = [_line(one, one.pk in known, busy[one], opens, closes) for one in people]
    lines += [_line(one, True, spans, opens, closes) for one, spans in held.items()]
    spans_of = {**busy, **held}
    clashes = [
        one for one, spans in spans_of.items() if any(b < start + length and e > start for b, e in spans)
    ]
    taken = sorted(span for spans in spans_of.values() for span in spans)
    free = free_times(taken, length, max(first, timezone.now()), working_calendar())
    return Availability(day, list(range(FIRST.hour, LAST.hour)), lines, free, clashes)


def _busy(user, people: list[User], first: datetime, last: datetime, without: int) -> tuple[set[int], dict]:
    """Of whom the reader may know, and {person: when he is taken}."""
    known = set(people_shown(user).filter(pk__in=[one.pk for one in people]).values_list("pk", flat=True))
    busy: dict[User, Busy] = {one: [] for one in people}
    by_pk = {one.pk: one for one in people}
    for entry in entries(user, known, first, last):
        if entry.takes_time and entry.activity.pk != without and not entry.activity.done_at:
            for pk in entry.people:
                busy[by_pk[pk]].append((entry.activity.starts_at, entry.ends_at))
    return known, busy


def _held(
    resources: Iterable[Resource], first: datetime, last: datetime, without: int
) -> dict[Resource, Busy]:
    """{resource: when other activities hold it}."""
    found: dict[Resource, Busy] = {one: [] for one in resources}
    if found:
        by_pk = {one.pk: one for one in found}
        rows = bookings_between(by_pk, first, last).exclude(activity_id=without)
        for pk, begins, ends in rows.values_list("resource_id", "activity__starts_at", "activity__ends_at"):
            found[by_pk[pk]].append((begins, ends))
    return found


def _line(whose: User | Resource, is_known: bool, spans: Busy, opens: datetime, closes: datetime) -> Line:
    shown = [span for span in spans if span[0] < closes and span[1] > opens]
    return Line(whose, is_known, shown, _slots(spans, opens, closes))


def free_times(taken: Busy, length: timedelta, after: datetime, calendar: WorkingCalendar) -> list[datetime]:
    """The first moments from `after` on at which `length` of working time is free, on the half hour."""
    found: list[datetime] = []
    first = after.astimezone(calendar.zone).date()
    for number in range(DAYS_AHEAD):
        for opens, closes in calendar.spans(first + timedelta(days=number)):
            moment = opens
            while moment + length <= closes:
                clash = next(
                    (ends for begins, ends in taken if begins < moment + length and ends > moment), None
                )
                if moment >= after and clash is None:
                    found.append(moment)
                    if len(found) == OFFERED:
                        return found
                moment += SLOT
    return found


def _slots(busy: Busy, opens: datetime, closes: datetime) -> list[bool]:
    slots, moment = [], opens
    while moment < closes:
        slots.append(any(begins < moment + SLOT and ends > moment for begins, ends in busy))
        moment += SLOT
    return slots


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, timezone.get_current_timezone())
