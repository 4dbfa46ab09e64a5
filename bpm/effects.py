"""What one step of a run leaves behind: visits, tasks, jobs, timers and the log, written as rows in one go.

Effects are first gathered and then written, so that what begins and ends within one step costs one row and no job.
"""

from __future__ import annotations

from datetime import datetime

from bpm import exchange
from bpm.assigning import NobodyFound, holder_of
from bpm.deadlines import CompanyCalendar, watch
from bpm.engine import events as say
from bpm.engine import state as waits
from bpm.engine.advance import advance
from bpm.engine.phrases import Phrase
from bpm.engine.state import State, Wait
from bpm.engine.values import encode
from bpm.models import (
    InstanceStatus,
    NodeRun,
    NodeStatus,
    ProcessEvent,
    ProcessInstance,
    TaskStatus,
    UserTask,
    graph_of,
)
from bpm.signals import task_opened
from crm.jobs.models import Job
from crm.jobs.services import cancel, enqueue
from crm.operations.registry import operation_named
from crm.people.kinds import kind_of

STEP, CALL, TIMER, FAIL = "bpm.step", "bpm.call", "bpm.timer", "bpm.fail"
PRIORITY = 3


class Gathered:
    """The effects of one step on their way to the database."""

    def __init__(self, instance: ProcessInstance, record, state: State, by, now: datetime) -> None:
        self.instance, self.record, self.state, self.by, self.now = instance, record, state, by, now
        self.calendar = CompanyCalendar()
        self.visits: dict[int, NodeRun] = {}
        self.left: dict[int, str] = {}
        self.asked: dict[int, say.OpenUserTask] = {}
        self.withdrawn: set[int] = set()
        self.jobs: dict[int, say.StartJob] = {}
        self.timers: dict[int, say.SetTimer] = {}
        self.dropped: set[int] = set()
        self.log: list[tuple[str, str, dict]] = []
        self.opened: list[UserTask] = []
        self.closed: list[UserTask] = []
        self.subscribed: dict[int, say.Subscribe] = {}
        self.unsubscribed: set[int] = set()
        self.thrown: list[say.ThrowMessage | say.ThrowSignal | say.EscalationRaised] = []
        self.calls: dict[int, say.StartProcess] = {}
        self.called_off: set[int] = set()
        self.error_code = ""
        self.more = False

    def apply(self, event: say.Event) -> None:
        """Lets the engine take one step from the present state. Raises StaleEventError, UnknownOutcomeError."""
        graph = graph_of(self.instance.version)
        result = advance(graph, self.state, event, self.now, calendar=self.calendar)
        self.state, self.more = result.state, result.more
        for effect in result.effects:
            self.gather(effect)

    def look_again(self) -> None:
        """The card as an operation has left it."""
        self.record = self.instance.record()
        self.state.variables.update(facts_of(self.record))

    def gather(self, effect: say.Effect) -> None:
        handle = _GATHER.get(type(effect))
        if handle is not None:
            handle(self, effect)

    def note(self, kind: str, node: str = "", /, **data) -> None:
        self.log.append((kind, node, data))

    def write(self) -> None:
        """Everything that was gathered; tasks that nobody can do become incidents in the state."""
        NodeRun.objects.bulk_create(self.visits.values(), batch_size=500)
        self._close_visits()
        self._withdraw_tasks()
        for token, effect in self.asked.items():
            self._ask(token, effect)
        for token in self.dropped:
            self._drop(token)
        for token, effect in self.jobs.items():
            self._start_job(token, effect)
        for token, effect in self.timers.items():
            self._set_timer(token, effect)
        exchange.write(self)
        self._mark_incidents()
        self.write_log()

    # Visits

    def _close_visits(self) -> None:
        for status in set(self.left.values()):
            tokens = [token for token, how in self.left.items() if how == status]
            rows = NodeRun.objects.filter(instance=self.instance, token__in=tokens)
            rows.update(status=status, ended_at=self.now)

    def _mark_incidents(self) -> None:
        """Node runs follow the state: held tokens are marked, those an operator freed are not any more."""
        waiting = {token.id: token.wait for token in self.state.tokens.values() if token.wait}
        held = {token: wait for token, wait in waiting.items() if wait.kind == waits.INCIDENT}
        may_be_marked = (InstanceStatus.INCIDENT, InstanceStatus.SUSPENDED)
        if not held and self.instance.status not in may_be_marked:
            return
        marked = NodeRun.objects.filter(instance=self.instance, status=NodeStatus.INCIDENT)
        marked.exclude(token__in=held).update(status=NodeStatus.ACTIVE, code="", reason=None)
        for token, wait in held.items():
            rows = NodeRun.objects.filter(instance=self.instance, token=token)
            rows.update(status=NodeStatus.INCIDENT, code=wait.code[:60], reason=wait.reason, ended_at=None)

    # People

    def _ask(self, token: int, effect: say.OpenUserTask) -> None:
        try:
            holder = holder_of(effect, self.instance, self.record)
        except NobodyFound as nobody:
            self.hold(token, effect.node, "nobody", nobody.phrase)
            return
        fields = {
            "instance": self.instance, "name": effect.name or effect.node, "name_pl": effect.names.get("pl", ""),
            "assignee": holder.user, "candidate_role": holder.role, "form": effect.form.to_json(),
            "is_choice": effect.choice, "status": TaskStatus.OPEN, "opened_at": self.now, "due_at": effect.due,
            "outcome": "", "comment": "", "values": {}, "done_by": None, "done_at": None, "on_behalf_of": None,
            "draft": {}, "draft_by": None, "draft_at": None,
        }  # fmt: skip
        if visit := self.visits.get(token):
            task = UserTask.objects.create(node_run=visit, **fields)
        else:
            visit = NodeRun.objects.get(instance=self.instance, token=token)
            task, _is_new = UserTask.objects.update_or_create(node_run=visit, defaults=fields)
        self.opened.append(task)
        person = holder.user.pk if holder.user else None
        self.note(
            "task_opened", effect.node, task=task.pk, holder=str(holder.user or holder.role), person=person
        )
        watch(task, effect, self.calendar, self.now)
        task_opened.send(UserTask, task=task)

    def hold(self, token: int, node: str, code: str, phrase: Phrase) -> None:
        """Turns a waiting token into an incident that an operator can retry."""
        self.state.tokens[token].wait = Wait(
            waits.INCIDENT, self.now.isoformat(), code=code, reason=phrase.to_json()
        )
        self.note("incident", node, code=code, reason=phrase.to_json())

    def _withdraw_tasks(self) -> None:
        if not self.withdrawn:
            return
        rows = UserTask.objects.open().filter(
            node_run__instance=self.instance, node_run__token__in=self.withdrawn
        )
        self.closed = list(rows.select_related("assignee", "candidate_role", "node_run"))
        rows.update(status=TaskStatus.WITHDRAWN, done_at=self.now)
        for task in self.closed:
            self.note("task_withdrawn", task.node_run.node, task=task.pk)

    # Machines

    def _key(self, token: int) -> str:
        return f"{self.instance.pk}:{token}"

    def _start_job(self, token: int, effect: say.StartJob) -> None:
        args = {"instance": self.instance.pk, "token": token, **call_of(effect)}
        kind = CALL if is_external(effect) else STEP
        enqueue(kind=kind, key=self._key(token), args=args, priority=PRIORITY)
        self.note("job_started", effect.node, operation=effect.operation)

    def _set_timer(self, token: int, effect: say.SetTimer) -> None:
        args = {"instance": self.instance.pk, "token": token}
        enqueue(kind=TIMER, key=self._key(token), args=args, run_at=effect.due_at, priority=PRIORITY)
        self.note("timer_set", effect.node, due=effect.due_at.isoformat())

    def _drop(self, token: int) -> None:
        """A running job finds its token gone and changes nothing, so only a waiting one is called off."""
        for job in Job.objects.filter(
            key=self._key(token), kind__in=(STEP, CALL, TIMER), status=Job.Status.DUE
        ):
            cancel(job=job, by=self.by)

    # The log

    def write_log_alone(self, **fields) -> None:
        """The entries, and what else is to change on the run's row beside its state."""
        self.write_log()
        rows = ProcessInstance.objects.filter(pk=self.instance.pk)
        rows.update(log_length=self.instance.log_length, **fields)

    def write_log(self) -> None:
        """The entries; whoever writes them keeps the run's `log_length` with its other fields."""
        last = self.instance.log_length
        self.instance.log_length += len(self.log)
        ProcessEvent.objects.bulk_create(
            [
                ProcessEvent(
                    instance=self.instance,
                    seq=seq,
                    kind=kind,
                    node=node,
                    actor=self.by,
                    at=self.now,
                    data=data,
                )
                for seq, (kind, node, data) in enumerate(self.log, last + 1)
            ],
            batch_size=500,
        )


def call_of(effect: say.StartJob) -> dict:
    """An operation and its arguments as JSON."""
    return {
        "operation": effect.operation,
        "version": effect.version,
        "arguments": encode(effect.arguments),
    }


def is_external(effect: say.StartJob) -> bool:
    """Whether the operation leaves our own tables."""
    known = operation_named(effect.operation, int(effect.version)) if effect.version.isdigit() else None
    return known is not None and known.external


def facts_of(record) -> dict:
    """The card's values as the expressions of a process read them."""
    return {} if record is None else {record._meta.model_name: kind_of(record).facts(record)}


def _entered(step: Gathered, effect: say.NodeEntered) -> None:
    step.visits[effect.token] = NodeRun(
        instance=step.instance, token=effect.token, node=effect.node, flow=effect.flow, scope=effect.scope,
        loop_index=effect.loop, started_at=step.now,
    )  # fmt: skip
    step.note("entered", effect.node, token=effect.token)


def _left(step: Gathered, effect: say.NodeLeft) -> None:
    status = NodeStatus.CANCELLED if effect.cancelled else NodeStatus.DONE
    if visit := step.visits.get(effect.token):
        visit.status, visit.ended_at = status, step.now
    else:
        step.left[effect.token] = status
    step.note("left", effect.node, token=effect.token, flows=list(effect.flows), cancelled=effect.cancelled)


def _open_task(step: Gathered, effect: say.OpenUserTask) -> None:
    step.asked[effect.token] = effect


def _close_task(step: Gathered, effect: say.CloseUserTask) -> None:
    if step.asked.pop(effect.token, None) is None:
        step.withdrawn.add(effect.token)


def _start_job(step: Gathered, effect: say.StartJob) -> None:
    step.jobs[effect.token] = effect


def _cancel_job(step: Gathered, effect: say.CancelJob) -> None:
    if step.jobs.pop(effect.token, None) is None:
        step.dropped.add(effect.token)


def _set_timer(step: Gathered, effect: say.SetTimer) -> None:
    step.timers[effect.token] = effect


def _cancel_timer(step: Gathered, effect: say.CancelTimer) -> None:
    if step.timers.pop(effect.token, None) is None:
        step.dropped.add(effect.token)


def _ended(step: Gathered, effect: say.Ended) -> None:
    step.note("ended", effect.node, kind=effect.kind, scope=effect.scope)


def _subscribe(step: Gathered, effect: say.Subscribe) -> None:
    step.subscribed[effect.token] = effect
    step.note("awaits", effect.node, kind=effect.kind, name=effect.name, key=effect.key)


def _unsubscribe(step: Gathered, effect: say.Unsubscribe) -> None:
    if step.subscribed.pop(effect.token, None) is None:
        step.unsubscribed.add(effect.token)


def _throw(step: Gathered, effect: say.ThrowMessage | say.ThrowSignal) -> None:
    step.thrown.append(effect)
    step.note("sent", effect.node, name=effect.name)


def _start_process(step: Gathered, effect: say.StartProcess) -> None:
    step.calls[effect.token] = effect
    step.note("called", effect.node, process=effect.process)


def _cancel_process(step: Gathered, effect: say.CancelProcess) -> None:
    if step.calls.pop(effect.token, None) is None:
        step.called_off.add(effect.token)


def _escalation(step: Gathered, effect: say.EscalationRaised) -> None:
    step.note("escalated", effect.node, code=effect.code, caught=effect.caught)
    if not effect.caught:
        step.thrown.append(effect)


def _incident(step: Gathered, effect: say.Incident) -> None:
    step.note("incident", effect.node, code=effect.code, reason=effect.reason.to_json())


def _finished(step: Gathered, effect: say.Finished) -> None:
    step.error_code = effect.code
    step.note("finished", status=effect.status, ends=list(effect.ends))


_GATHER = {
    say.NodeEntered: _entered,
    say.NodeLeft: _left,
    say.OpenUserTask: _open_task,
    say.CloseUserTask: _close_task,
    say.StartJob: _start_job,
    say.CancelJob: _cancel_job,
    say.SetTimer: _set_timer,
    say.CancelTimer: _cancel_timer,
    say.Subscribe: _subscribe,
    say.Unsubscribe: _unsubscribe,
    say.ThrowMessage: _throw,
    say.ThrowSignal: _throw,
    say.StartProcess: _start_process,
    say.CancelProcess: _cancel_process,
    say.EscalationRaised: _escalation,
    say.Ended: _ended,
    say.Incident: _incident,
    say.Finished: _finished,
}
