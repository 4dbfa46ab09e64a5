"""The working calendar: weekly hours, the country's public holidays and the company's own exceptions.

    calendar = working_calendar()
    deadline = add_working_time(received_at, timedelta(hours=4), calendar)
    waited = working_time_between(received_at, answered_at, calendar)

Days are those of the company's time zone; hours are counted in real time, so a day on which clocks change is as
long as it really was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.people.company import company
from crm.people.names import Named

MIDNIGHT = time(0)
FARTHEST_DAYS = 3660
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")
STANDARD_WEEK = {weekday: [(time(9), time(17))] for weekday in range(5)}


class WorkingSpan(models.Model):
    """Working hours on one weekday (0 is Monday); a day with a break has two. `ends` at 00:00 is the day's end."""

    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=list(WEEKDAYS.items()))
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("to"))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")) | Q(ends=MIDNIGHT), name="working_span_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="working_span_weekday"),
            models.UniqueConstraint(fields=["weekday", "starts"], name="one_working_span_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.starts:%H:%M}–{self.ends:%H:%M}"


class CalendarDay(Named):
    """A day of the company's own: free although the week says work, or worked although it is a holiday or weekend."""

    date = models.DateField(_("day"), unique=True)
    is_working = models.BooleanField(_("working day"), default=False)

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["date"]


Hours = list[tuple[time, time]]


@dataclass(frozen=True)
class WorkingCalendar:
    """When the company works. `week`: hours by weekday; `days`: exceptions, True for a working one."""

    week: dict[int, Hours]
    country: str
    zone: ZoneInfo
    days: dict[date, bool] = field(default_factory=dict)

    def hours_on(self, day: date) -> Hours:
        """The working hours of a day, empty for a free one. A worked weekend has the hours of the first weekday."""
        special = self.days.get(day)
        usual = self.week.get(day.weekday(), [])
        if special is not None:
            return (usual or self.week[min(self.week)]) if special else []
        return [] if day in public_holidays(self.country, day.year) else usual

    def spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The same as moments in UTC."""
        for starts, ends in self.hours_on(day):
            last = day + timedelta(days=1) if ends == MIDNIGHT else day
            yield (
                datetime.combine(day, starts, self.zone).astimezone(UTC),
                datetime.combine(last, ends, self.zone).astimezone(UTC),
            )

    def is_working(self, moment: datetime) -> bool:
        """Whether the company works at that moment."""
        return any(
            starts <= moment < ends for starts, ends in self.spans(moment.astimezone(self.zone).date())
        )


@lru_cache(maxsize=64)
def _holiday_names(country: str, year: int, language: str) -> dict[date, str]:
    try:
        found = holidays.country_holidays(country, years=year, language=language)
    except NotImplementedError:
        return {}
    return dict(found)


def public_holidays(country: str, year: int) -> dict[date, str]:
    """The statutory free days of a country with their names in the reader's language; none for one nobody knows."""
    language = "pl" if (get_language() or "").startswith("pl") else "en_US"
    return _holiday_names(country, year, language)


def working_week() -> dict[int, Hours]:
    """The hours by weekday; Monday to Friday, 9 to 17, until others are given."""
    week: dict[int, Hours] = {}
    for span in WorkingSpan.objects.all():
        week.setdefault(span.weekday, []).append((span.starts, span.ends))
    return week or STANDARD_WEEK


def show_hours(hours: Hours) -> str:
    """As people type them: `09:00–12:00, 13:00–17:00`; a day's end is 24:00."""
    return ", ".join(
        f"{starts:%H:%M}–{'24:00' if ends == MIDNIGHT else f'{ends:%H:%M}'}" for starts, ends in hours
    )


def read_hours(text: str) -> Hours:
    """The spans of a day, in order; none for an empty text. Raises ValidationError, also when two overlap."""
    found: Hours = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        match = _SPAN.fullmatch(part)
        try:
            first, last = (
                [(int(match[number]), int(match[number + 1] or 0)) for number in (1, 3)] if match else ()
            )
            found.append((time(*first), MIDNIGHT if last == (24, 0) else time(*last)))
        except ValueError:
            raise ValidationError(
                _("“%(part)s” is no time of day: write 9:00–17:00."), params={"part": part[:40]}
            ) from None
    found.sort()
    ends_before = MIDNIGHT
    for number, (starts, ends) in enumerate(found):
        is_last = number == len(found) - 1
        if starts < ends_before or (ends <= starts and not (is_last and ends == MIDNIGHT)):
            raise ValidationError(_("Hours must end after they begin, and must not overlap."))
        ends_before = ends
    return found


def working_calendar() -> WorkingCalendar:
    """The company's calendar. Two queries."""
    return WorkingCalendar(
        week=working_week(),
        country=company().country,
        zone=ZoneInfo(company().time_zone),
        days=dict(CalendarDay.objects.values_list("date", "is_working")),
    )


def working_time_between(start: datetime, end: datetime, calendar: WorkingCalendar) -> timedelta:
    """How much working time lies between two moments; nought when `end` is not after `start`."""
    total, day = timedelta(), start.astimezone(calendar.zone).date()
    last = end.astimezone(calendar.zone).date()
    while day <= last:
        for opens, closes in calendar.spans(day):
            total += max(timedelta(), min(closes, end) - max(opens, start))
        day += timedelta(days=1)
    return total


def add_working_time(start: datetime, amount: timedelta, calendar: WorkingCalendar) -> datetime:
    """The moment at which `amount` of working time has passed since `start`, in UTC.

    Nought gives `start` itself, or the next opening when that lies in free time. Raises ValueError for a negative
    amount, and for one that ten years do not hold.
    """
    if amount < timedelta():
        raise ValueError("Working time is added, not taken away")
    day = start.astimezone(calendar.zone).date()
    for _number in range(FARTHEST_DAYS):
        for opens, closes in calendar.spans(day):
            begin = max(opens, start.astimezone(UTC))
            if begin < closes and begin + amount <= closes:
                return begin + amount
            amount -= max(timedelta(), closes - begin)
        day += timedelta(days=1)
    raise ValueError("The calendar has no such working time within ten years")


def add_working_days(start: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    """The same time of day so many working days later, in UTC; a moment in free time counts from the next opening.

    Where that day closes earlier, its closing. Raises ValueError for what ten years do not hold.
    """
    if days < 0:
        raise ValueError("Working days are added, not taken away")
    moment = add_working_time(start, timedelta(), calendar)
    local = moment.astimezone(calendar.zone)
    day = local.date()
    for _number in range(FARTHEST_DAYS):
        if days == 0:
            break
        day += timedelta(days=1)
        days -= bool(calendar.hours_on(day))
    if days:
        raise ValueError("The calendar has no so many working days within ten years")
    wanted = datetime.combine(day, local.time(), calendar.zone).astimezone(UTC)
    closings = [closes for _opens, closes in calendar.spans(day)]
    return min(max(wanted, next(calendar.spans(day))[0]), closings[-1])
