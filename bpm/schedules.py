"""Processes that start at set times, in the company's time zone: each firing once, and once after downtime."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from bpm.definitions import may_publish
from bpm.models import Period, Trigger, TriggerEvent, TriggerEventKind, TriggerKind
from bpm.triggers import in_use, matching, start_run
from crm.jobs.services import enqueue
from crm.people.company import company_time_zone

CLOCK, FIRE = "bpm.clock", "bpm.fire"
BATCH, MOST_RUNS = 50, 1000
"""Runs that one slice starts, and those that one firing starts at most."""


def following(trigger: Trigger, after: datetime) -> datetime:
    """The first moment after `after` at which the trigger is due, in UTC.

    A time that the clocks leap over is due when they have leapt, one that comes twice at its first coming.
    """
    zone = ZoneInfo(company_time_zone())
    day = after.astimezone(zone).date()
    for offset in range(400):
        each = day + timedelta(days=offset)
        moment = datetime.combine(each, trigger.at, zone).astimezone(UTC)
        if _is_day(trigger, each) and moment > after:
            return moment
    raise ValueError("a schedule without days")


def _is_day(trigger: Trigger, day: date) -> bool:
    if trigger.period == Period.WEEKLY:
        return day.weekday() == trigger.weekday
    if trigger.period == Period.MONTHLY:
        return day.day == min(trigger.month_day, calendar.monthrange(day.year, day.month)[1])
    return True


def watch() -> None:
    """Sees to it that somebody looks when the next trigger is due. In the transaction that set its time."""
    earliest = _waiting().order_by("next_at").values_list("next_at", flat=True).first()
    if earliest is not None:
        enqueue(kind=CLOCK, key="next", run_at=earliest)


def _waiting():
    return Trigger.objects.filter(kind=TriggerKind.SCHEDULE, is_active=True, next_at__isnull=False)


@transaction.atomic
def ring(now: datetime) -> bool:
    """Gives the firing of one due trigger to a job of its own. Whether there was one."""
    trigger = _waiting().filter(next_at__lte=now).order_by("next_at", "id").first()
    if trigger is None:
        return False
    due = trigger.next_at
    # Whoever changes the row first has taken this firing.
    if _waiting().filter(pk=trigger.pk, next_at=due).update(next_at=following(trigger, now)):
        args = {"trigger": trigger.pk, "due": due.isoformat()}
        enqueue(kind=FIRE, key=f"{trigger.pk}:{due.isoformat()}", args=args)
    return True


@transaction.atomic
def start_batch(trigger_id: int, due: str, after: int, started: int) -> dict:
    """Starts runs on the next records that fit; up to which record, how many there are now, and whether that is all."""
    trigger = in_use(TriggerKind.SCHEDULE).filter(pk=trigger_id).first()
    if trigger is None or not may_publish(trigger.author):
        why = "process" if trigger is None else "author"
        _note(trigger_id, TriggerEventKind.FAILED, due=due, runs=started, why=why)
        return {"after": after, "started": started, "over": True}
    most = min(BATCH, MOST_RUNS - started)
    rows = list(matching(trigger).filter(pk__gt=after).order_by("pk")[: most + 1])
    for record in rows[:most]:
        key = f"trigger:{trigger.pk}:{due}:{record.pk}"
        start_run(
            definition=trigger.definition, record=record, by=trigger.author, start_key=key, trigger=trigger
        )
        after, started = record.pk, started + 1
    left_out = len(rows) > most
    over = not left_out or started >= MOST_RUNS
    if over:
        _note(trigger_id, TriggerEventKind.FIRED, due=due, runs=started, left_out=left_out)
    return {"after": after, "started": started, "over": over}


def _note(trigger_id: int, kind: str, **data) -> None:
    TriggerEvent.objects.create(trigger_id=trigger_id, kind=kind, data=data)
