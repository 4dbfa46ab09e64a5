"""The one door through which a run moves: lock it, let the engine take a step, write what follows, commit.

Lock order: the run before its deal. Nothing here calls out of the database inside the transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from bpm import exchange, gates
from bpm.assigning import people_of
from bpm.effects import PRIORITY, Gathered, facts_of
from bpm.engine import state as waits
from bpm.engine.events import Event, Started
from bpm.engine.state import State
from bpm.engine.values import decode, encode
from bpm.models import InstanceStatus, ProcessInstance, UserTask, graph_of
from bpm.signals import instance_ended
from crm.history.kinds import via_of
from crm.history.services import record_event
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.notify.services import notify, publish
from crm.people.prepared import PreparedRecord

CONTINUE = "bpm.continue"
INBOX = "bpm.inbox"


class RevisionLost(RuntimeError):
    """Another writer moved the run although it was locked; the step is rolled back and repeated."""


CarryOn = Callable[[Gathered], None]


def advance_instance(
    *, instance_id: int, event: Event, by=None, carry_on: CarryOn | None = None, job: Job | None = None
) -> ProcessInstance:
    """Applies one event to a run, within the caller's transaction.

    Raises StaleEventError when it has happened already, UnknownOutcomeError; both before anything is written.

    `job`: what brings the event, and is kept for later while the run is suspended.
    """
    instance = lock_instance(instance_id)
    if not is_parked(instance, job):
        take_step(instance, event, by=by, carry_on=carry_on)
    return instance


def is_parked(instance: ProcessInstance, job: Job | None) -> bool:
    """Whether the run, locked, is suspended: then the job's work waits with it, in the order in which it came."""
    if job is None or not instance.is_suspended:
        return False
    park(instance, job.kind, job.key, job.arguments)
    return True


def park(instance: ProcessInstance, kind: str, key: str | None, args: dict) -> None:
    """Keeps what has come for a suspended run until it is resumed."""
    instance.parked = [*instance.parked, {"kind": kind, "key": key, "args": args}]
    ProcessInstance.objects.filter(pk=instance.pk).update(parked=instance.parked)


def lock_instance(instance_id: int) -> ProcessInstance:
    """The run as the database has it, locked until the transaction ends."""
    if (instance := _locking().first(instance_id)) is None:
        raise ProcessInstance.DoesNotExist
    return instance


@cache
def _locking() -> PreparedRecord:
    rows = light(ProcessInstance.objects.select_for_update(of=("self",)))
    return PreparedRecord(lambda pk: rows.filter(pk=pk), 1)


def light(rows: QuerySet[ProcessInstance]) -> QuerySet[ProcessInstance]:
    """Runs with everybody they name, and without the diagrams: their graphs are kept in memory."""
    named = rows.select_related("version__definition", "version__published_by", "started_by")
    return named.defer("version__xml", "version__graph", "version__findings")


def take_step(
    instance: ProcessInstance,
    event: Event,
    *,
    by=None,
    note: tuple[str, str, dict] | None = None,
    reason: str = "",
    carry_on: CarryOn | None = None,
    record=None,
) -> None:
    """One step of a locked run. `note`: what to write into the log before it; `reason`: why it ends a request.

    `record`: the card, if it was read in this transaction and not written since.
    `carry_on` may take further steps before all of them are written in one go.
    """
    now, record = timezone.now(), record or instance.record()
    step = Gathered(instance, record, read_state(instance, record), by, now)
    if note:
        step.note(note[0], note[1], **note[2])
    step.apply(event)
    if carry_on is not None:
        carry_on(step)
    step.write()
    save_step(instance, step)
    if step.more:
        enqueue(kind=CONTINUE, key=str(instance.pk), args={"instance": instance.pk}, priority=PRIORITY)
    _tell(instance, step)
    gates.settle(instance, step.state, by=by, reason=reason)


def read_state(instance: ProcessInstance, record) -> State:
    """The run's state with its variables; the card's facts are as fresh as this transaction."""
    variables = decode(instance.variables) | facts_of(record)
    if not instance.state:
        return State.start(graph_of(instance.version), variables, exchange.depth_of(instance))
    return State.from_json(instance.state, variables)


def save_step(instance: ProcessInstance, step: Gathered) -> None:
    """Writes where the run stands now. Raises RevisionLost."""
    state, is_over = step.state, step.state.status != waits.RUNNING
    fields = {
        "state": state.to_json(),
        "variables": {name: encode(value) for name, value in state.variables.items()},
        "rev": instance.rev + 1,
        "log_length": instance.log_length,
        "status": status_of(state) if is_over or not instance.is_suspended else InstanceStatus.SUSPENDED,
        "last_activity_at": step.now,
        "ended_at": step.now if is_over else None,
    }
    if is_over:
        fields["parked"] = []
    if not ProcessInstance.objects.filter(pk=instance.pk, rev=instance.rev).update(**fields):
        raise RevisionLost(str(instance.pk))
    for name, value in fields.items():
        setattr(instance, name, value)


def status_of(state: State) -> str:
    """What a run in this state is called, unless somebody has suspended it."""
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
    for task in step.opened:
        holders = people_of(task, instance)
        people |= {user.pk: user for user in holders}
        tell_task(task, holders, step.record, by=step.by)
    for task in step.closed:
        if task.assignee:
            people |= {user.pk: user for user in people_of(task, instance)}
    if people:
        publish(kind=INBOX, users=people.values())
    if any(kind == "incident" for kind, _node, _data in step.log):
        report_held(instance, step.record)
    if not instance.is_open:
        instance_ended.send(ProcessInstance, instance=instance)
        if instance.request_id is None:
            record_on_card(instance, step.record, "process_ended", by=step.by)


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


def report_held(instance: ProcessInstance, record) -> None:
    """Tells the card and whoever published the process that a run cannot go on."""
    record_on_card(instance, record, "process_held", by=None)
    if instance.version.published_by:
        notify(
            user=instance.version.published_by, kind="bpm.incident",
            text=gettext_noop("The process “%(process)s” is held up: %(record)s"),
            params={"process": str(instance), "record": str(record)}, url=gates.instance_url(instance),
            record=record,
        )  # fmt: skip


def record_on_card(instance: ProcessInstance, record, kind: str, *, by, **payload) -> None:
    """An event in the history of the run's card, if that is still there."""
    if record is not None:
        definition = instance.version.definition
        process = {"name": definition.name, "name_pl": definition.name_pl}
        record_event(
            kind=kind, subject=record, by=by, payload={"process": process, **payload}, via=via_of(definition)
        )


@transaction.atomic(savepoint=False)
def begin(*, instance_id: int, carry_on: CarryOn | None = None, job: Job | None = None) -> None:
    """The first step of a run; a second call changes nothing."""
    instance = lock_instance(instance_id)
    if instance.rev or not instance.is_open or is_parked(instance, job):
        return
    record = instance.record()
    first = {name: encode(value) for name, value in gates.first_variables(instance, record).items()}
    instance.variables = first | instance.variables
    note = ("started", "", {"version": instance.version.number})
    record_on_card(instance, record, "process_started", by=instance.started_by)
    take_step(instance, Started(), by=instance.started_by, note=note, carry_on=carry_on)
