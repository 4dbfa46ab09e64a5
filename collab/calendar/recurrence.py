"""When something repeats: the part of RFC 5545's rules that a person can say in a sentence.

All times here are those of a wall clock, without a zone; a rule gives at most one time a day. UNTIL is a day, the last
on which it may happen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile

from dateutil import rrule
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_TIMES = 730
LONGEST_INTERVAL = 99
LONGEST_YEARS = 20
# More than a daily rule gives in LONGEST_YEARS.
MOST_EXPANDED = 10_000
DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKING_DAYS = (0, 1, 2, 3, 4)
_BY_DAY = re.compile(r"(-1|[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_NAMES = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL"})


class Frequency(models.TextChoices):
    DAILY = "DAILY", gettext_lazy("day")
    WEEKLY = "WEEKLY", gettext_lazy("week")
    MONTHLY = "MONTHLY", gettext_lazy("month")
    YEARLY = "YEARLY", gettext_lazy("year")


_FREQUENCIES = {
    Frequency.DAILY: rrule.DAILY,
    Frequency.WEEKLY: rrule.WEEKLY,
    Frequency.MONTHLY: rrule.MONTHLY,
    Frequency.YEARLY: rrule.YEARLY,
}


@dataclass(frozen=True)
class Rule:
    """Every `interval` days, weeks, months or years.

    `weekdays` (0 is Monday) are those of a week. `nth`, only by the month: (which in the month, weekday), -1 the last.
    `month_days`, only by the month: 1 to 31, or -1 for the last day. `count` and `until` exclude each other.
    """

    frequency: str
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    nth: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    count: int | None = None
    until: date | None = None

    def __str__(self) -> str:
        """As RFC 5545 writes it."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        days = [DAY_CODES[day] for day in self.weekdays]
        days += [f"{which}{DAY_CODES[day]}" for which, day in self.nth]
        if days:
            parts.append("BYDAY=" + ",".join(days))
        if self.month_days:
            parts.append("BYMONTHDAY=" + ",".join(str(day) for day in self.month_days))
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        return ";".join(parts)

    def times(self, start: datetime) -> Iterator[datetime]:
        """The times from `start`, one of them, in order; at most MOST_EXPANDED."""
        days = [rrule.weekday(day) for day in self.weekdays]
        days += [rrule.weekday(day, which) for which, day in self.nth]
        found = rrule.rrule(
            _FREQUENCIES[Frequency(self.frequency)], dtstart=start, interval=self.interval, count=self.count,
            until=datetime.combine(self.until, time.max) if self.until else None,
            byweekday=days or None, bymonthday=self.month_days or None,
        )  # fmt: skip
        return islice(iter(found), MOST_EXPANDED)

    def times_until(self, start: datetime, last: datetime) -> list[datetime]:
        """The times from `start` to `last`, both included."""
        return list(takewhile(lambda at: at <= last, self.times(start)))

    def first_from(self, start: datetime) -> datetime:
        """The first time from `start` on that fits the rule: where a series begins."""
        everyone = replace(self, interval=1, count=None, until=None)
        return next(everyone.times(start))

    def moved(self, before: datetime, after: datetime) -> Rule:
        """The rule once what happens at `before` happens at `after`: its weekday or day of the month goes along."""
        if before.date() == after.date():
            return self
        if self.weekdays:
            kept = set(self.weekdays) - {before.weekday()} | {after.weekday()}
            return replace(self, weekdays=tuple(sorted(kept)))
        if self.nth:
            return replace(self, nth=(_nth_of(after.date()),))
        return replace(self, month_days=(after.day,)) if self.month_days else self

    def without_end(self) -> Rule:
        return replace(self, count=None, until=None)


def _nth_of(day: date) -> tuple[int, int]:
    which = nth_in_month(day)
    # The fifth is rare; the last is what is meant.
    return (which if which < 5 else -1, day.weekday())


def nth_in_month(day: date) -> int:
    """Which of its weekday in the month the day is, from 1."""
    return (day.day - 1) // 7 + 1


def read_rule(text: str) -> Rule:
    """The rule that RFC 5545 writes so. Raises ValidationError, in a sentence, for any that is not offered here."""
    parts = {}
    for part in text.strip().removeprefix("RRULE:").upper().split(";"):
        name, sign, value = part.partition("=")
        if not sign or not value or name in parts or len(text) > 500:
            raise ValidationError(_("This is not a rule by which something repeats."))
        parts[name] = value
    if parts.get("FREQ") not in Frequency.values:
        raise ValidationError(
            _("Something repeats by the day, the week, the month or the year, not more often.")
        )
    if unknown := sorted(parts.keys() - _NAMES):
        raise ValidationError(_("Rules with %(what)s are not supported.") % {"what": ", ".join(unknown)[:60]})
    by_day = [_read_day(item) for item in parts["BYDAY"].split(",")] if "BYDAY" in parts else []
    rule = Rule(
        parts["FREQ"],
        _number(parts.get("INTERVAL", "1")),
        tuple(sorted({day for which, day in by_day if not which})),
        tuple(sorted({(which, day) for which, day in by_day if which})),
        tuple(sorted({_number(item) for item in parts["BYMONTHDAY"].split(",")}))
        if "BYMONTHDAY" in parts
        else (),
        _number(parts["COUNT"]) if "COUNT" in parts else None,
        _day(parts["UNTIL"]) if "UNTIL" in parts else None,
    )
    check_rule(rule)
    return rule


def check_rule(rule: Rule) -> None:
    """Raises ValidationError, in a sentence, for a rule that makes no sense or would never end."""
    if not 1 <= rule.interval <= LONGEST_INTERVAL:
        raise ValidationError(_("Every how many? From 1 to %(most)s.") % {"most": LONGEST_INTERVAL})
    if rule.count is not None and not 1 <= rule.count <= MOST_TIMES:
        raise ValidationError(_("Something repeats at most %(most)s times.") % {"most": MOST_TIMES})
    if rule.count is not None and rule.until is not None:
        raise ValidationError(_("It ends after a number of times or on a day, not both."))
    by_month = rule.frequency == Frequency.MONTHLY
    misplaced = bool(rule.weekdays) and rule.frequency != Frequency.WEEKLY
    misplaced |= bool(rule.nth or rule.month_days) and not by_month
    if misplaced or (rule.nth and rule.month_days):
        raise ValidationError(_("These days do not go with how often it repeats."))
    if any(not (1 <= day <= 31 or day == -1) for day in rule.month_days):
        raise ValidationError(_("A month has no such day."))


def check_span(rule: Rule, start: datetime, today: date) -> None:
    """Raises ValidationError for a series that begins long ago, ends before it begins, or reaches too far."""
    if start.date() < today - timedelta(days=366):
        raise ValidationError(_("What repeats may begin a year ago at the earliest."))
    if start.date() > today + timedelta(days=366 * LONGEST_YEARS):
        raise ValidationError(_("What repeats begins within %(years)s years.") % {"years": LONGEST_YEARS})
    if rule.until is None:
        return
    if rule.until < start.date():
        raise ValidationError(_("It would end before it begins."))
    if rule.until > start.date() + timedelta(days=366 * LONGEST_YEARS):
        raise ValidationError(_("It ends within %(years)s years, or never.") % {"years": LONGEST_YEARS})


def _read_day(text: str) -> tuple[int, int]:
    found = _BY_DAY.fullmatch(text)
    if found is None:
        raise ValidationError(_("“%(text)s” is not a day of the week.") % {"text": text[:20]})
    return int(found[1] or 0), DAY_CODES.index(found[2])


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValidationError(_("“%(text)s” is not a number here.") % {"text": text[:20]})
    return int(text)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        raise ValidationError(_("“%(text)s” is not a day.") % {"text": text[:20]})
