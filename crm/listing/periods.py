"""Periods that move with the calendar: a saved view that says "this month" stays true."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PERIODS = {
    "today": _("today"),
    "yesterday": _("yesterday"),
    "tomorrow": _("tomorrow"),
    "this_week": _("this week"),
    "last_week": _("last week"),
    "next_week": _("next week"),
    "this_month": _("this month"),
    "last_month": _("last month"),
    "next_month": _("next month"),
    "this_quarter": _("this quarter"),
    "this_year": _("this year"),
    "last_year": _("last year"),
    "past": _("before today"),
    "ahead": _("today or later"),
}


def _month(day: date, shift: int, length: int = 1) -> tuple[date, date]:
    months = day.year * 12 + day.month - 1 + shift
    end = months + length
    return date(months // 12, months % 12 + 1, 1), date(end // 12, end % 12 + 1, 1)


def span(period: str, today: date | None = None) -> tuple[date | None, date | None]:
    """The first day of a period and the first day after it; None where it is open."""
    today = today or timezone.localdate()
    day, monday = timedelta(days=1), today - timedelta(days=today.weekday())
    if period in {"past", "ahead"}:
        return (None, today) if period == "past" else (today, None)
    if period in {"today", "yesterday", "tomorrow"}:
        first = today + day * {"today": 0, "yesterday": -1, "tomorrow": 1}[period]
        return first, first + day
    if period.endswith("_week"):
        first = monday + 7 * day * {"this": 0, "last": -1, "next": 1}[period.removesuffix("_week")]
        return first, first + 7 * day
    if period.endswith("_month"):
        return _month(today, {"this": 0, "last": -1, "next": 1}[period.removesuffix("_month")])
    if period == "this_quarter":
        return _month(today, -((today.month - 1) % 3), 3)
    year = today.year - (period == "last_year")
    return date(year, 1, 1), date(year + 1, 1, 1)


def start_of(day: date) -> datetime:
    """Midnight in the reader's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
