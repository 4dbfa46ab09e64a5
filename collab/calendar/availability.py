"""Free and busy while a time is being chosen: the day of everybody who is to take part, and the first free times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

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
    """One person's day. `slots`: taken or not, in halves of an hour. `is_known`: whether the reader may know at all."""

    person: User
    is_known: bool
    busy: Busy
    slots: list[bool]


@dataclass
class Availability:
    day: date
    hours: list[int]
    lines: list[Line]
    free: list[datetime]
    clashes: list[User]


def availability(
    user, people: Iterable[User], start: datetime, length: timedelta, without: int = 0
) -> Availability:
    """How the day of `start` looks for `people`, who is busy then, and when all of them are free. Five queries.

    `without` is the activity being moved. Of people whose time the reader may not know nothing is said.
    """
    people = list(dict.fromkeys(people))[:MOST_PEOPLE]
    known = set(people_shown(user).filter(pk__in=[one.pk for one in people]).values_list("pk", flat=True))
    day = timezone.localtime(start).date()
    opens, closes = _at(day, FIRST), _at(day, LAST)
    busy: dict[int, Busy] = {pk: [] for pk in known}
    for entry in entries(user, known, _at(day, time.min), _at(day + timedelta(days=DAYS_AHEAD), time.min)):
        if entry.takes_time and entry.activity.pk != without and not entry.activity.done_at:
            for pk in entry.people:
                busy[pk].append((entry.activity.starts_at, entry.ends_at))
    lines = [Line(one, one.pk in known, [], _slots(busy.get(one.pk, []), opens, closes)) for one in people]
    for line in lines:
        line.busy = [span for span in busy.get(line.person.pk, []) if span[0] < closes and span[1] > opens]
    end = start + max(length, SLOT)
    clashes = [
        line.person for line in lines if any(b < end and e > start for b, e in busy.get(line.person.pk, []))
    ]
    taken = sorted(span for spans in busy.values() for span in spans)
    free = free_times(taken, max(length, SLOT), max(_at(day, time.min), timezone.now()), working_calendar())
    return Availability(day, list(range(FIRST.hour, LAST.hour)), lines, free, clashes)


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
