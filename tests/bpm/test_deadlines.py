"""Due dates on the working calendar, and what is told before, at and after them: once, in order, after downtime too."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from bpm.control import resume_instance, suspend_instance
from bpm.handover import give_task
from bpm.inbox import complete_task
from bpm.models import ProcessEvent, UserTask
from crm.history.models import Event
from crm.jobs.models import Job
from crm.notify.models import Notification
from crm.people.absences import Absence
from crm.people.calendar import CalendarDay
from crm.people.models import Role
from deals.models import Deal
from tests.factories.bpm import chain, make_gate, make_waiting, user_task

WARSAW = ZoneInfo("Europe/Warsaw")
THURSDAY = datetime(2026, 11, 26, 15, 0, tzinfo=WARSAW)


def told(kind="bpm.due"):
    rows = Notification.objects.filter(kind=kind).order_by("pk")
    return [(row.user.username, row.sentence.partition(":")[0]) for row in rows.select_related("user")]


@pytest.fixture
def opened(admin_user, rep):
    """opened(due, **attributes) → a task of the rep, opened on a Thursday at 15:00 in Warsaw."""

    def make(due, *, assignee="requester", **attributes):
        more = " ".join(f'crm:{name}="{value}"' for name, value in {"due": due, **attributes}.items())
        make_gate(admin_user, chain(user_task("Ask", assignee=assignee, attributes=more)))
        with time_machine.travel(THURSDAY, tick=False):
            return make_waiting(rep).tasks.get()

    return make


@pytest.fixture
def at(run_jobs):
    """at(moment) → the jobs that are due then have run."""

    def run(moment):
        with time_machine.travel(moment, tick=False):
            run_jobs(now=moment)

    return run


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("P2D", datetime(2026, 11, 28, 15, 0, tzinfo=WARSAW)),
        ("work P2D", datetime(2026, 12, 1, 15, 0, tzinfo=WARSAW)),  # Monday is a special day: see below
        ("work PT4H", datetime(2026, 11, 27, 11, 0, tzinfo=WARSAW)),
        ("work P1DT2H", datetime(2026, 11, 27, 17, 0, tzinfo=WARSAW)),
    ],
)
def test_working_time_is_counted_on_the_company_s_calendar(opened, due, expected):
    CalendarDay.objects.create(date=datetime(2026, 11, 30).date(), name="Inventory")
    assert opened(due).due_at == expected


def test_timers_count_working_time_too(admin_user, rep):
    pause = (
        '<bpmn:intermediateCatchEvent id="Pause"><bpmn:timerEventDefinition><bpmn:timeDuration>work PT4H'
        "</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )
    make_gate(admin_user, chain(pause))
    with time_machine.travel(THURSDAY, tick=False):
        make_waiting(rep)
    assert Job.objects.get(kind="bpm.timer").run_at == datetime(2026, 11, 27, 11, 0, tzinfo=WARSAW)


def test_the_holder_before_and_at_the_moment_then_his_head(opened, at):
    task = opened("P1D", remind="PT4H", escalate="PT2H")
    due = task.due_at
    at(due - timedelta(hours=4, seconds=1))
    assert told() == []
    at(due - timedelta(hours=4))
    assert told() == [("rep", "Due soon")]
    at(due)
    assert (told(), told("bpm.overdue")) == ([("rep", "Due soon"), ("rep", "Due now")], [])
    at(due + timedelta(hours=2))
    at(due + timedelta(days=9))
    assert told("bpm.overdue") == [("head", "Overdue with Anna Zielińska")]
    assert len(told()) == 2
    assert Event.objects.get(kind="process_task_overdue").payload["user"] == "Katarzyna Lewandowska"
    assert ProcessEvent.objects.filter(kind="task_overdue").count() == 1
    assert not Job.objects.open().filter(kind="bpm.deadline").exists()


def test_after_downtime_each_is_told_once_and_in_order(opened, at):
    task = opened("P1D", remind="PT4H")
    later = task.due_at + timedelta(days=30)
    at(later)
    at(later + timedelta(minutes=1))
    rows = Notification.objects.filter(kind__in=("bpm.due", "bpm.overdue")).order_by("pk")
    assert [row.sentence.partition(":")[0] for row in rows] == [
        "Due soon", "Due now", "Overdue with Anna Zielińska",
    ]  # fmt: skip


def test_the_head_is_told_a_working_day_later_unless_the_diagram_says_else(opened, at):
    opened("work PT2H")  # Thursday, 17:00
    at(datetime(2026, 11, 27, 16, 59, tzinfo=WARSAW))
    assert told("bpm.overdue") == []
    at(datetime(2026, 11, 30, 17, 0, tzinfo=WARSAW))
    assert told("bpm.overdue") == [("head", "Overdue with Anna Zielińska")]


def test_nothing_is_told_of_a_task_that_is_done(opened, rep, at):
    task = opened("P1D", remind="PT4H")
    complete_task(task=task, by=rep)
    at(task.due_at + timedelta(days=9))
    assert (told(), told("bpm.overdue")) == ([], [])


def test_a_suspended_run_reminds_nobody_until_it_is_resumed(opened, admin_user, at):
    task = opened("P1D")
    suspend_instance(instance=task.instance, reason="Budget frozen", by=admin_user)
    at(task.due_at + timedelta(days=9))
    assert (told(), told("bpm.overdue")) == ([], [])
    resume_instance(instance=task.instance, by=admin_user)
    for _round in range(3):
        at(task.due_at + timedelta(days=10))
    assert (len(told()), len(told("bpm.overdue"))) == (1, 1)


def test_a_reminder_that_lies_before_the_task_is_left_out(opened, at):
    at(opened("PT2H", remind="P1D").due_at)
    assert told() == [("rep", "Due now")]


def test_the_substitute_and_whoever_has_it_now_are_told(opened, at, rep, teammate, head, admin_user):
    task = opened("P1D")
    Absence.objects.create(
        user=rep,
        substitute=teammate,
        first_day=THURSDAY.date(),
        last_day=(THURSDAY + timedelta(days=3)).date(),
    )
    at(task.due_at)
    assert told() == [("rep", "Due now"), ("teammate", "Due now")]
    give_task(task=task, user=admin_user, by=admin_user)
    at(task.due_at + timedelta(days=9))
    assert UserTask.objects.get().assignee == admin_user
    assert [user for user, _text in told("bpm.overdue")] != ["admin"]


def test_everybody_of_a_role_is_told_and_the_head_of_the_owner(admin_user, rep, teammate, at):
    role = Role.objects.create(key="lawyers", name="Lawyers", name_pl="Prawnicy")
    teammate.roles.add(role)
    make_gate(
        admin_user,
        chain(user_task("Ask", assignee="", attributes='crm:candidateRole="lawyers" crm:due="P1D"')),
    )
    with time_machine.travel(THURSDAY, tick=False):
        task = make_waiting(rep).tasks.get()
    at(task.due_at + timedelta(days=9))
    assert (told(), told("bpm.overdue")) == ([("teammate", "Due now")], [("head", "Overdue with Lawyers")])


def test_nobody_is_told_of_a_record_he_may_not_see(opened, at, outsider):
    task = opened("P1D")
    Deal.objects.update(owner=outsider, department=outsider.department)
    at(task.due_at + timedelta(days=9))
    assert (told(), told("bpm.overdue")) == ([], [])
