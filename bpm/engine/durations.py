"""ISO 8601 durations, dates and repeating intervals, as BPMN timers and due dates write them; and working time."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from bpm.engine.phrases import PhrasedError
from bpm.engine.phrases import gettext_noop as _

MAX_TEXT = 100
MAX_YEARS = 100
SHORTEST_REPEAT = timedelta(minutes=1)
MOST_REPEATS = 1000

_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.(\d{1,6}))?S)?)?",
    re.ASCII,
)
_WORKING = re.compile(r"work\s+P(?=.)(?:(\d{1,4})D)?(?:T(?=.)(?:(\d{1,5})H)?(?:(\d{1,6})M)?)?", re.ASCII)
_REPEAT = re.compile(r"R(\d{0,9})/(.+)", re.ASCII)


class DurationError(PhrasedError):
    """The text is not a duration, moment or repetition that can be used."""


@dataclass(frozen=True, slots=True)
class Duration:
    months: int
    rest: timedelta

    def after(self, moment: datetime) -> datetime:
        """The moment this much later; months keep the day of the month where it exists."""
        total = moment.year * 12 + moment.month - 1 + self.months
        year, month = divmod(total, 12)
        try:
            day = min(moment.day, calendar.monthrange(year, month + 1)[1])
            return moment.replace(year=year, month=month + 1, day=day) + self.rest
        except (ValueError, OverflowError) as error:
            raise DurationError(_("the moment is out of range")) from error


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repetition; `times` is None when it goes on as long as the activity it watches."""

    times: int | None
    every: Duration


class Calendar(Protocol):
    """When the company works."""

    def later(self, start: datetime, days: int, rest: timedelta) -> datetime:
        """The moment this many working days and then this much working time after `start`. Raises ValueError."""
        ...


class AlwaysAtWork:
    """A calendar without free time."""

    def later(self, start: datetime, days: int, rest: timedelta) -> datetime:
        return start + timedelta(days=days) + rest


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """Days and hours that count only while the company works."""

    days: int
    rest: timedelta

    def after(self, moment: datetime, calendar: Calendar) -> datetime:
        try:
            return calendar.later(moment, self.days, self.rest)
        except (ValueError, OverflowError) as error:
            raise DurationError(_("the moment is out of range")) from error


def parse_working(text: str) -> WorkingTime:
    match = _WORKING.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if match is None:
        raise DurationError(_("it is not a working time such as “work P2D” or “work PT4H”"))
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return WorkingTime(days, timedelta(hours=hours, minutes=minutes))


def parse_duration(text: str) -> Duration:
    text = text.strip()
    match = _DURATION.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise DurationError(_("it is not an ISO 8601 duration such as P2D or PT4H"))
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:7])
    fraction = (match.group(8) or "").ljust(6, "0")
    rest = timedelta(
        weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=int(fraction or 0)
    )
    duration = Duration(months=years * 12 + months, rest=rest)
    if duration.months > MAX_YEARS * 12 or rest > timedelta(days=MAX_YEARS * 366):
        raise DurationError(_("it is longer than a hundred years"))
    return duration


def parse_moment(text: str, zone_of: datetime) -> datetime:
    """A date or date-time; without an offset it is read in the zone of `zone_of`."""
    text = text.strip()
    try:
        if len(text) > MAX_TEXT:
            raise ValueError
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), zone_of.tzinfo)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DurationError(
            _("it is not an ISO 8601 date such as 2026-12-01 or 2026-12-01T09:00:00+01:00")
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of.tzinfo)


def parse_cycle(text: str) -> Cycle:
    text = text.strip()
    match = _REPEAT.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise DurationError(_("it is not an ISO 8601 repetition such as R3/PT1H"))
    every = parse_duration(match.group(2))
    if every.months == 0 and every.rest < SHORTEST_REPEAT:
        raise DurationError(_("it repeats more often than once a minute"))
    times = int(match.group(1)) if match.group(1) else None
    if times is not None and not 0 < times <= MOST_REPEATS:
        raise DurationError(_("it repeats never, or too many times"))
    return Cycle(times=times, every=every)


def moment_of(text: str, now: datetime, calendar: Calendar | None = None) -> datetime:
    """When a duration from `now`, working time counted by the calendar, or a moment, falls due."""
    text = text.strip()
    if text.startswith("work"):
        return parse_working(text).after(now, calendar or AlwaysAtWork())
    return parse_duration(text).after(now) if text.startswith("P") else parse_moment(text, now)
