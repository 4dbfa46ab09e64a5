"""Processes that start at set times: the company's zone, clock changes, each firing once, and once after downtime."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from bpm import schedules
from bpm.models import ProcessInstance, Trigger, TriggerEvent
from bpm.trigger_rules import add_trigger, switch_trigger
from crm.jobs.models import Job
from tests.factories.bpm import chain, diagram, make_version, user_task
from tests.factories.deals import make_deal

THURSDAY = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def definition(admin_user):
    return make_version(admin_user, diagram(chain(user_task("Ask")))).definition


@pytest.fixture
def scheduled(definition, admin_user):
    """scheduled(period, at, …) → a trigger that was added on a Thursday at noon (UTC)."""

    def make(period="daily", at=time(9), **values):
        with time_machine.travel(THURSDAY, tick=False):
            return add_trigger(
                definition=definition, kind="schedule", period=period, at=at, by=admin_user, **values
            )

    return make


@pytest.fixture
def at(run_jobs):
    """at(moment) → everything that is due then has happened."""

    def run(moment):
        with time_machine.travel(moment, tick=False):
            for _round in range(4):
                run_jobs(now=moment)

    return run


def moments(trigger, after, count):
    found = []
    for _number in range(count):
        after = schedules.following(
            trigger, datetime.fromisoformat(after) if isinstance(after, str) else after
        )
        found.append(after.strftime("%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("values", "after", "expected"),
    [
        ({"period": "daily", "at": time(9)}, "2026-11-26T07:59Z", ["11-26 08:00", "11-27 08:00", "11-28 08:00"]),
        ({"period": "daily", "at": time(9)}, "2026-11-26T08:00Z", ["11-27 08:00"]),
        ({"period": "weekly", "at": time(9), "weekday": 0}, "2026-11-26T12:00Z", ["11-30 08:00", "12-07 08:00"]),
        ({"period": "monthly", "at": time(0, 30), "month_day": 31}, "2027-01-31T12:00Z",
         ["02-27 23:30", "03-30 22:30", "04-29 22:30"]),
        # Summer time begins on 28 March 2027 and ends on 25 October 2026: 02:30 does not exist, then comes twice.
        ({"period": "daily", "at": time(2, 30)}, "2027-03-26T12:00Z", ["03-27 01:30", "03-28 01:30", "03-29 00:30"]),
        ({"period": "daily", "at": time(2, 30)}, "2026-10-24T12:00Z", ["10-25 00:30", "10-26 01:30"]),
    ],
)  # fmt: skip
def test_when_a_schedule_is_due(values, after, expected):
    assert moments(Trigger(**values), after.replace("Z", "+00:00"), len(expected)) == expected


def test_each_firing_starts_one_run_for_each_record_that_fits(scheduled, admin_user, rep, at):
    first = make_deal(rep, name="Umowa A")
    make_deal(rep, name="Offer B", counterparty=first.counterparty)
    trigger = scheduled(query="f=name:has:umowa")
    assert trigger.next_at == datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
    at(trigger.next_at - timedelta(seconds=1))
    assert ProcessInstance.objects.count() == 0
    at(trigger.next_at)
    at(trigger.next_at + timedelta(hours=1))
    run = ProcessInstance.objects.get()
    assert (run.record_id, run.started_by, run.trigger) == (first.pk, admin_user, trigger)
    at(trigger.next_at + timedelta(days=1))
    assert ProcessInstance.objects.count() == 2
    events = TriggerEvent.objects.filter(kind="fired").order_by("pk").values_list("data__runs", flat=True)
    assert list(events) == [1, 1]


def test_after_downtime_it_fires_once_and_goes_on(scheduled, rep, at):
    make_deal(rep)
    trigger = scheduled()
    late = datetime(2026, 12, 10, 15, 0, tzinfo=UTC)
    at(late)
    trigger.refresh_from_db()
    assert (ProcessInstance.objects.count(), trigger.next_at) == (1, datetime(2026, 12, 11, 8, 0, tzinfo=UTC))
    assert Job.objects.open().get(kind="bpm.clock").run_at == trigger.next_at


def test_a_firing_that_is_delivered_twice_or_broken_off_starts_nothing_twice(scheduled, rep, monkeypatch):
    monkeypatch.setattr(schedules, "BATCH", 2)
    first = make_deal(rep)
    deals = [first, *(make_deal(rep, name=f"D{n}", counterparty=first.counterparty) for n in range(4))]
    trigger, due = scheduled(), "2026-11-27T08:00:00+00:00"
    step = schedules.start_batch(trigger.pk, due, 0, 0)
    assert step == {"after": deals[1].pk, "started": 2, "over": False}
    assert schedules.start_batch(trigger.pk, due, 0, 0) == step
    step = schedules.start_batch(trigger.pk, due, step["after"], step["started"])
    assert schedules.start_batch(trigger.pk, due, step["after"], step["started"])["over"] is True
    assert ProcessInstance.objects.count() == 5


def test_two_clocks_give_a_firing_to_one_job(scheduled, rep):
    trigger = scheduled()
    now = trigger.next_at
    assert (schedules.ring(now), schedules.ring(now)) == (True, False)
    assert Job.objects.filter(kind="bpm.fire").count() == 1


def test_one_firing_starts_so_many_runs_and_says_what_it_left_out(scheduled, rep, monkeypatch):
    monkeypatch.setattr(schedules, "MOST_RUNS", 2)
    first = make_deal(rep)
    make_deal(rep, name="B", counterparty=first.counterparty)
    make_deal(rep, name="C", counterparty=first.counterparty)
    trigger = scheduled()
    assert schedules.start_batch(trigger.pk, "2026-11-27T08:00:00+00:00", 0, 0)["over"] is True
    assert TriggerEvent.objects.get(kind="fired").data["left_out"] is True
    assert ProcessInstance.objects.count() == 2


def test_switched_off_it_rests_and_switched_on_it_waits_for_its_next_time(scheduled, admin_user, rep, at):
    make_deal(rep)
    trigger = scheduled()
    with time_machine.travel(THURSDAY, tick=False):
        switch_trigger(trigger=trigger, on=False, by=admin_user)
    at(THURSDAY + timedelta(days=5))
    assert ProcessInstance.objects.count() == 0
    with time_machine.travel(THURSDAY + timedelta(days=5), tick=False):
        trigger = switch_trigger(trigger=trigger, on=True, by=admin_user)
    assert trigger.next_at == datetime(2026, 12, 2, 8, 0, tzinfo=UTC)
    at(trigger.next_at)
    assert ProcessInstance.objects.count() == 1


@pytest.mark.parametrize(
    ("what", "why"), [("process", "process"), ("author", "author"), ("rights", "author")]
)
def test_what_cannot_start_says_why(scheduled, definition, admin_user, rep, at, what, why):
    make_deal(rep)
    trigger = scheduled()
    if what == "process":
        type(definition).objects.update(is_active=False)
    elif what == "author":
        type(admin_user).objects.filter(pk=admin_user.pk).update(is_active=False)
    else:
        admin_user.roles.clear()
    at(trigger.next_at)
    assert (ProcessInstance.objects.count(), TriggerEvent.objects.get(kind="failed").data["why"]) == (0, why)
