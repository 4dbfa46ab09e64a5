"""Telling people of due dates: the holder before and at the moment, his head after it."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_noop

from bpm import gates, runner
from bpm.assigning import head_of, people_of
from bpm.deadlines import LATE, NOW, SOON, plan
from bpm.inbox import locked_task, note
from bpm.models import ProcessInstance, UserTask
from crm.history.kinds import via_of
from crm.history.services import record_event
from crm.jobs.models import Job
from crm.notify.services import notify
from crm.people.models import User


@transaction.atomic
def tell(*, task_id: int, due: str, steps: list[list[str]], job: Job | None = None) -> None:
    """Tells the first of the steps and plans the next; nothing for a task that is done or is due at another time.

    While the run is suspended nobody can do the task, so its `job` waits with it.
    """
    found = UserTask.objects.filter(pk=task_id).first()
    if found is None:
        return
    instance, task = locked_task(found)
    if not task.is_open or task.due_at is None or task.due_at.isoformat() != due:
        return
    if runner.is_parked(instance, job):
        return
    what = steps[0][0]
    record = instance.record()
    if record is not None:
        _tell(what, task, instance, record)
    plan(task_id, due, steps[1:])


def _tell(what: str, task: UserTask, instance: ProcessInstance, record) -> None:
    if what == LATE:
        _escalate(task, instance, record)
        return
    text = {
        SOON: gettext_noop("Due soon: %(task)s – %(record)s"),
        NOW: gettext_noop("Due now: %(task)s – %(record)s"),
    }[what]
    for user in people_of(task, instance):
        _notify(user, "bpm.due", text, task, record)


def _escalate(task: UserTask, instance: ProcessInstance, record) -> None:
    """The head of whoever has the task, or of the record's owner while it is a role's."""
    held_by = task.assignee or record.owner
    head = head_of(held_by)
    if head is None:
        return
    text = gettext_noop("Overdue with %(holder)s: %(task)s – %(record)s")
    _notify(head, "bpm.overdue", text, task, record, holder=task.holder)
    note(task, instance, record, "task_overdue", None, holder=str(head))
    named = {"task": {"name": task.name, "name_pl": task.name_pl}, "user": str(head)}
    via = via_of(instance.version.definition)
    record_event(kind="process_task_overdue", subject=record, by=None, payload=named, via=via)


def _notify(user: User, kind: str, text: str, task: UserTask, record, **more: str) -> None:
    params = {"task": task.name, "record": str(record), **more}
    notify(user=user, kind=kind, text=text, params=params, url=gates.task_url(task), record=record)
