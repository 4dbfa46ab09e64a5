"""Activities, made through the services."""

from datetime import datetime, timedelta

from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.services import log_activity, plan_activity


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
