"""Due dates of tasks: counted on the company's calendar, and the jobs that tell people of them.

Each task that is due has one job at a time; it leaves the next one behind in the transaction in which it tells what
it is about (`bpm.reminding`). So a worker that was killed or away tells everything once, in its order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from bpm.engine.events import OpenUserTask
from bpm.models import UserTask
from crm.jobs.services import enqueue
from crm.people.calendar import WorkingCalendar, add_working_days, add_working_time, working_calendar

JOB = "bpm.deadline"
SOON, NOW, LATE = "soon", "now", "late"
LATE_AFTER_DAYS = 1
"""Working days after the due moment on which the head is told, where the diagram says nothing else."""


class CompanyCalendar:
    """The company's working calendar as the engine asks it; read from the database only when it is asked."""

    @cached_property
    def _calendar(self) -> WorkingCalendar:
        return working_calendar()

    def later(self, start: datetime, days: int, rest: timedelta) -> datetime:
        moment = add_working_days(start, days, self._calendar) if days else start
        return add_working_time(moment, rest, self._calendar)


def watch(task: UserTask, effect: OpenUserTask, calendar: CompanyCalendar, now: datetime) -> None:
    """Sees to it that the people concerned are told of the task's due moment. In the transaction that opens it."""
    if task.due_at is None:
        return
    late = effect.escalate or calendar.later(task.due_at, LATE_AFTER_DAYS, timedelta())
    steps = [(NOW, task.due_at), (LATE, max(late, task.due_at))]
    if effect.remind and now < effect.remind < task.due_at:
        steps.insert(0, (SOON, effect.remind))
    plan(task.pk, task.due_at.isoformat(), [[what, at.isoformat()] for what, at in steps])


def plan(task_id: int, due: str, steps: list[list[str]]) -> None:
    """A job for the first of the steps (what, when); none when nothing is left."""
    if not steps:
        return
    what, at = steps[0]
    enqueue(
        kind=JOB, key=f"{task_id}:{due}:{what}", args={"task": task_id, "due": due, "steps": steps},
        run_at=datetime.fromisoformat(at),
    )  # fmt: skip
