"""The one door through which a run moves: lock it, let the engine take a step, write what follows, commit.

Lock order: the run before its deal. Nothing here calls out of the database inside the transaction.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from bpm import exchange, gates
from bpm.effects import PRIORITY, Gathered
from bpm.engine import state as waits
from bpm.engine.advance import advance
from bpm.engine.events import Event, Started
from bpm.engine.state import State
from bpm.engine.values import decode, encode
from bpm.models import InstanceStatus, ProcessInstance, UserTask, graph_of
from bpm.signals import instance_ended
from crm.history.kinds import via_of
from crm.history.services import record_event
from crm.jobs.services import enqueue
from crm.notify.services import notify, publish
from crm.people.kinds import kind_of

CONTINUE = "bpm.continue"
INBOX = "bpm.inbox"


class RevisionLost(RuntimeError):
    """Another writer moved the run although it was locked; the step is rolled back and repeated."""


@transaction.atomic
def advance_instance(*, instance_id: int, event: Event, by=None) -> ProcessInstance:
    """Applies one event to a run. Raises StaleEventError when it has happened already, UnknownOutcomeError."""
    instance = lock_instance(instance_id)
    take_step(instance, event, by=by)
    return instance


def lock_instance(instance_id: int) -> ProcessInstance:
    """The run as the database has it, locked until the transaction ends."""
    rows = ProcessInstance.objects.select_for_update(of=("self",))
    return rows.select_related("version__definition", "version__published_by", "started_by").get(
        pk=instance_id
    )


def take_step(
    instance: ProcessInstance,
    event: Event,
    *,
    by=None,
    note: tuple[str, str, dict] | None = None,
    reason: str = "",
) -> None:
    """One step of a locked run. `note`: what to write into the log before it; `reason`: why it ends a request."""
    now = timezone.now()
    graph, record = graph_of(instance.version), instance.record()
    state = read_state(instance, record)
    result = advance(graph, state, event, now)
    step = Gathered(instance, record, result.state, by, now)
    if note:
        step.note(note[0], note[1], **note[2])
    for effect in result.effects:
        step.gather(effect)
    step.write()
    _save(instance, step, now)
    if result.more:
        enqueue(kind=CONTINUE, key=str(instance.pk), args={"instance": instance.pk}, priority=PRIORITY)
    _tell(instance, step)
    gates.settle(instance, step.state, by=by, reason=reason)


def read_state(instance: ProcessInstance, record) -> State:
    """The run's state with its variables; the card's facts are as fresh as this transaction."""
    variables = decode(instance.variables) | _facts(record)
    if not instance.state:
        return State.start(graph_of(instance.version), variables, exchange.depth_of(instance))
    return State.from_json(instance.state, variables)


def _facts(record) -> dict:
    return {} if record is None else {record._meta.model_name: kind_of(record).facts(record)}


def _save(instance: ProcessInstance, step: Gathered, now) -> None:
    state = step.state
    fields = {
        "state": state.to_json(),
        "variables": {name: encode(value) for name, value in state.variables.items()},
        "rev": instance.rev + 1,
        "status": _status(state),
        "last_activity_at": now,
        "ended_at": None if state.status == waits.RUNNING else now,
    }
    if not ProcessInstance.objects.filter(pk=instance.pk, rev=instance.rev).update(**fields):
        raise RevisionLost(str(instance.pk))
    for name, value in fields.items():
        setattr(instance, name, value)


def _status(state: State) -> str:
    if state.status != waits.RUNNING:
        return {
            waits.COMPLETED: InstanceStatus.COMPLETED,
            waits.FAILED: InstanceStatus.FAILED,
            waits.CANCELLED: InstanceStatus.CANCELLED,
        }[state.status]
    kinds = {token.wait.kind for token in state.tokens.values() if token.wait}
    if waits.INCIDENT in kinds:
        return InstanceStatus.INCIDENT
    return InstanceStatus.RUNNING if state.ready or waits.JOB in kinds else InstanceStatus.WAITING


def _tell(instance: ProcessInstance, step: Gathered) -> None:
    """Wakes the inboxes concerned, and whoever keeps the process when it is held up."""
    people = {}
    for task, holder in step.opened:
        holders = holder.people()
        people |= {user.pk: user for user in holders}
        tell_task(task, holders, step.record, by=step.by)
    for task in step.closed:
        if task.assignee:
            people[task.assignee_id] = task.assignee
    if people:
        publish(kind=INBOX, users=people.values())
    if any(kind == "incident" for kind, _node, _data in step.log):
        _report_incident(instance, step)
    if not instance.is_open:
        instance_ended.send(ProcessInstance, instance=instance)
        if instance.request_id is None:
            _record(instance, step.record, "process_ended", by=step.by)


def tell_task(task: UserTask, people: list, record, *, by) -> None:
    """Tells these people of a task that is theirs now."""
    for user in people:
        notify(
            user=user,
            kind="bpm.task",
            text=gettext_noop("New task: %(task)s – %(record)s"),
            params={"task": task.name, "record": str(record)},
            url=gates.task_url(task),
            record=record,
            by=by,
        )


def _report_incident(instance: ProcessInstance, step: Gathered) -> None:
    _record(instance, step.record, "process_held", by=None)
    if instance.version.published_by:
        notify(
            user=instance.version.published_by, kind="bpm.incident",
            text=gettext_noop("The process “%(process)s” is held up: %(record)s"),
            params={"process": str(instance), "record": str(step.record)}, url=gates.instance_url(instance),
            record=step.record,
        )  # fmt: skip


def _record(instance: ProcessInstance, record, kind: str, *, by, **payload) -> None:
    if record is not None:
        definition = instance.version.definition
        process = {"name": definition.name, "name_pl": definition.name_pl}
        record_event(
            kind=kind, subject=record, by=by, payload={"process": process, **payload}, via=via_of(definition)
        )


@transaction.atomic
def begin(*, instance_id: int) -> None:
    """The first step of a run; a second call changes nothing."""
    instance = lock_instance(instance_id)
    if instance.rev or not instance.is_open:
        return
    record = instance.record()
    first = {name: encode(value) for name, value in gates.first_variables(instance, record).items()}
    instance.variables = first | instance.variables
    note = ("started", "", {"version": instance.version.number})
    take_step(instance, Started(), by=instance.started_by, note=note)
    _record(instance, record, "process_started", by=instance.started_by)
