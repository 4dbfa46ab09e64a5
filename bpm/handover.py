"""Tasks change hands: delegated to a colleague, given back, given to somebody else by a head; what is said of them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bpm import gates, runner
from bpm.assigning import people_of
from bpm.control import may_operate
from bpm.inbox import TaskClosed, closed_text, demand_holder, is_holder, locked_task, note
from bpm.models import ProcessEvent, ProcessInstance, UserTask
from crm.history.kinds import via_of
from crm.history.notes import mentioned_in
from crm.history.services import record_event
from crm.notify.services import notify, publish
from crm.people.models import User
from crm.people.visibility import may

MOST = 2000


@transaction.atomic
def delegate_task(*, task: UserTask, user: User, comment: str = "", by) -> UserTask:
    """Asks a colleague to do a task that stays one's own: he does it, and the history says for whom.

    Raises TaskClosed, PermissionDenied, ValidationError for somebody who cannot do it.
    """
    instance, fresh = locked_task(task)
    record = instance.record()
    demand_holder(fresh, by, record)
    if user == (fresh.assignee or by):
        raise ValidationError({"user": _("The task is with %(user)s already.") % {"user": user}})
    _demand_able(user, record)
    if instance.request_id and user == instance.started_by and user.pk != fresh.principal_id:
        text = _("%(user)s asked for this move, so somebody else has to decide about it.")
        raise ValidationError({"user": text % {"user": user}})
    principal = fresh.on_behalf_of or fresh.assignee or by
    fresh.on_behalf_of = None if user == principal else principal
    _move(fresh, instance, record, user, kind="task_delegated", comment=comment, by=by)
    return fresh


@transaction.atomic
def give_back(*, task: UserTask, comment: str = "", by) -> UserTask:
    """A delegated task returns to whose it is, a role's task to the role; whoever delegated it may fetch it himself.

    Raises TaskClosed, PermissionDenied, ValidationError for a task that is nobody's but one's own.
    """
    instance, fresh = locked_task(task)
    record = instance.record()
    if not fresh.is_open:
        raise TaskClosed(closed_text(fresh))
    if record is None or not may(by, "view", record):
        raise PermissionDenied
    if fresh.on_behalf_of_id != by.pk and not (fresh.assignee_id and is_holder(by, fresh)):
        raise PermissionDenied
    if not can_give_back(fresh):
        raise ValidationError(_("This task is nobody's but yours. You can delegate it to a colleague."))
    if fresh.on_behalf_of:
        _demand_able(fresh.on_behalf_of, record)
    user, fresh.on_behalf_of = fresh.on_behalf_of, None
    _move(fresh, instance, record, user, kind="task_given_back", comment=comment, by=by)
    return fresh


def can_give_back(task: UserTask) -> bool:
    """Whether there is anybody to give it back to."""
    return bool(task.on_behalf_of_id or (task.assignee_id and task.candidate_role_id))


def may_give(user, task: UserTask, record) -> bool:
    """Whether the user may give the task to somebody else: an operator, or a head of whoever has it.

    A head not in a run that he asked for himself: he would choose who agrees to it.
    """
    if may_operate(user, task.instance, record):
        return True
    department = task.assignee.department_id if task.assignee else None
    return department in user.access.headed_departments() and task.instance.started_by_id != user.pk


@transaction.atomic
def give_task(*, task: UserTask, user: User, comment: str = "", by) -> UserTask:
    """The task becomes somebody else's altogether, who must see the record. Raises as `delegate_task` does."""
    instance, fresh = locked_task(task)
    record = instance.record()
    if record is None or not may(by, "view", record) or not may_give(by, fresh, record):
        raise PermissionDenied
    if not fresh.is_open:
        raise TaskClosed(closed_text(fresh))
    _demand_able(user, record)
    fresh.on_behalf_of = fresh.candidate_role = None
    _move(fresh, instance, record, user, kind="task_given", comment=comment, by=by)
    return fresh


def _demand_able(user: User, record) -> None:
    if record is None or not user.is_active or not may(user, "view", record):
        text = _("%(user)s may not see this record, so the task cannot be given to them.")
        raise ValidationError({"user": text % {"user": user}})


def _move(
    task: UserTask, instance: ProcessInstance, record, user: User | None, *, kind: str, comment: str, by
) -> None:
    """Puts the task into the hands of `user`, or of its whole role, and tells everybody concerned."""
    comment, before, former = _clean(comment), people_of(task, instance), task.assignee_id
    task.assignee = user
    task.save(update_fields=["assignee", "candidate_role", "on_behalf_of"])
    holder = str(user or task.candidate_role)
    note(
        task, instance, record, kind, by, holder=holder, text=comment, former=former,
        person=user.pk if user else None,
    )  # fmt: skip
    _record(task, instance, record, "process_task_given", by, comment, user=holder)
    people = people_of(task, instance)
    told = gettext_noop("%(by)s gives you “%(task)s” – %(record)s")
    for person in people if user else ():
        _notify(person, "bpm.task", told, task, record, by)
    publish(kind=runner.INBOX, users={*before, *people, by})
    gates.settle(instance, runner.read_state(instance, record), by=by)


@transaction.atomic
def comment_task(*, task: UserTask, text: str, by) -> None:
    """Says something about a task: to its holder, to whoever spoke before, and to people named by `@login`.

    Raises TaskClosed, PermissionDenied, ValidationError for no text.
    """
    instance, fresh = locked_task(task)
    record = instance.record()
    if record is None or not may(by, "view", record):
        raise PermissionDenied
    if not fresh.is_open:
        raise TaskClosed(closed_text(fresh))
    text = _clean(text)
    if not text:
        raise ValidationError({"text": _("Write something first.")})
    people = {person.pk: person for person in mentioned_in(text, record)}
    people |= {event.actor_id: event.actor for event in talk_of(fresh) if event.actor}
    people |= {person.pk: person for person in (fresh.assignee, fresh.on_behalf_of) if person}
    note(fresh, instance, record, "task_commented", by, text=text)
    _record(fresh, instance, record, "process_task_commented", by, text)
    told = gettext_noop("%(by)s on “%(task)s” – %(record)s")
    for person in people.values():
        _notify(person, "bpm.comment", told, fresh, record, by)


TALK = ("task_claimed", "task_delegated", "task_given", "task_given_back", "task_commented")


def talk_of(task: UserTask) -> list[ProcessEvent]:
    """What was said of the task and who handed it to whom, the oldest first. One query."""
    rows = ProcessEvent.objects.filter(instance=task.instance_id, node=task.node_run.node, kind__in=TALK)
    return [
        event for event in rows.select_related("actor").order_by("seq") if event.data.get("task") == task.pk
    ]


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()[:MOST]


def _record(task: UserTask, instance: ProcessInstance, record, kind: str, by, text: str, **payload) -> None:
    named = {"task": {"name": task.name, "name_pl": task.name_pl}, "note": text}
    via = via_of(instance.version.definition)
    record_event(kind=kind, subject=record, by=by, payload=named | payload, via=via)


def _notify(person: User, kind: str, text: str, task: UserTask, record, by) -> None:
    params = {"by": str(by), "task": task.name, "record": str(record)}
    notify(user=person, kind=kind, text=text, params=params, url=gates.task_url(task), record=record, by=by)
