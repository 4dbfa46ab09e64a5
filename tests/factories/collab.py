"""Activities, made through the services."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.recurrence import read_rule
from collab.calendar.series_services import plan_series
from collab.calendar.services import log_activity, plan_activity

WARSAW = ZoneInfo("Europe/Warsaw")


def monday(hour: int = 9, minute: int = 0) -> datetime:
    """The next Monday but one, by the clocks of Warsaw."""
    day = timezone.now().astimezone(WARSAW).date()
    day += timedelta(days=14 - day.weekday())
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=WARSAW)


def make_series(
    by, rule: str = "FREQ=WEEKLY;BYDAY=MO", starts_at: datetime | None = None, **values
) -> Activity:
    """The first of a series of meetings, of an hour each, at nine on Mondays."""
    starts_at = starts_at or monday()
    values.setdefault("ends_at", starts_at + timedelta(hours=1))
    return plan_series(
        rule=read_rule(rule), time_zone="Europe/Warsaw", kind="meeting", subject="Stand-up", starts_at=starts_at,
        by=by, **values,
    )  # fmt: skip


def in_hours(hours: float) -> datetime:
    """A moment that many hours from now, in whole seconds."""
    return (timezone.now() + timedelta(hours=hours)).replace(microsecond=0)


def make_activity(
    by, *, kind: str = "call", subject: str = "Call about the offer", hours: float = 2, **values
) -> Activity:
    """A planned activity in the calendar of `by`, `hours` from now (negative: overdue)."""
    values.setdefault("starts_at", in_hours(hours))
    return plan_activity(kind=kind, subject=subject, by=by, **values)


def make_logged(
    by, *, kind: str = "call", subject: str = "Call", result: str = "Wants an offer", **values
) -> Activity:
    """An activity that has just happened."""
    return log_activity(kind=kind, subject=subject, result=result, by=by, **values)
