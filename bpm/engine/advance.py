"""The step function: what has happened goes in, the new state and what is to be done come out.

It reads no clock, calls nothing and keeps nothing, so the same input always gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bpm.engine import repeating
from bpm.engine import state as waits
from bpm.engine.activities import outcome_variable
from bpm.engine.behaviours import enter
from bpm.engine.books import HeldError, Limits
from bpm.engine.catching import broadcast, escalate, fail, happen
from bpm.engine.durations import Calendar
from bpm.engine.events import (
    CallDone,
    CallFailed,
    Cancelled,
    Continue,
    Escalated,
    Event,
    JobDone,
    JobFailed,
    MessageReceived,
    Moved,
    Result,
    Retry,
    SignalReceived,
    Skip,
    StaleEventError,
    Started,
    TaskDone,
    TimerDue,
)
from bpm.engine.gateways import join_inclusive
from bpm.engine.model import Argument, Graph
from bpm.engine.moving import is_movable, targets
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import beginnings, offered_starts
from bpm.engine.running import Run
from bpm.engine.state import State, Token
from bpm.engine.values import Values, normal

LIMITS = Limits()


class UnknownOutcomeError(ValueError):
    """The answer is none of those that the task or gateway offers."""


class UnsoundMoveError(ValueError):
    """From there the run could not be brought to its end."""


def advance(
    graph: Graph,
    state: State,
    event: Event,
    now: datetime,
    limits: Limits = LIMITS,
    calendar: Calendar | None = None,
) -> Result:
    """Applies one event to a copy of the state; runs until every token waits or the budget is spent.

    `calendar` counts working time; without one all time is.
    """
    if state.status != waits.RUNNING:
        raise StaleEventError("the process is over")
    run = Run(graph, state.copy(), now, limits, calendar)
    if not isinstance(event, Continue):
        run.state.streak = 0
    _APPLY[type(event)](run, event)
    drain(run)
    return run.result()


def drain(run: Run) -> None:
    """Lets waiting-to-enter tokens act, first come, first served."""
    state = run.state
    while True:
        while state.ready and run.budget > 0:
            token = state.tokens[state.ready.pop(0)]
            run.visit(token)
            enter(run, token)
        if state.ready or state.status != waits.RUNNING:
            return
        if not join_inclusive(run):
            find_deadlock(run)
            return


_NEVER_ALONE = (waits.JOIN, waits.SCOPE, waits.LOOP)


def find_deadlock(run: Run) -> None:
    """When only joins wait for each other's tokens nothing can ever happen again: that must be seen."""
    live = [token for token in run.state.tokens.values() if token.wait and not token.host]
    stuck = [token for token in live if token.wait and token.wait.kind == waits.JOIN]
    if stuck and all(token.wait and token.wait.kind in _NEVER_ALONE for token in live):
        for token in stuck:
            text = _("“%(node)s” waits for a branch that can no longer arrive.")
            run.hold(token, "deadlock", Phrase(text, {"node": run.node(token).label}))


def _waiting(run: Run, number: int, *kinds: str) -> Token:
    token = run.state.tokens.get(number)
    if token is None or token.wait is None or token.wait.kind not in kinds:
        raise StaleEventError(f"token {number} does not wait for this")
    return token


def _started(run: Run, event: Started) -> None:
    state = run.state
    first = state.tokens[state.ready[0]]
    if event.start:
        _start_at(run, first, event.start)
    else:
        for node_id in beginnings(run.graph.inside(""))[0][1:]:
            state.add(node_id)


def _start_at(run: Run, token: Token, start: str) -> None:
    """Begins at the start event named, whichever it is."""
    if start not in [node.id for node in run.graph.inside("") if node.kind == "startEvent"]:
        raise UnknownOutcomeError(start)
    run.state.ready.clear()
    token.node = start
    run.visit(token)
    try:
        run.arm_scope(waits.ROOT_SCOPE)
        run.complete(token)
    except HeldError as held:
        run.hold(token, held.code, held.phrase)


def _nothing(run: Run, event: Event) -> None:
    pass


# People


def _task_done(run: Run, event: TaskDone) -> None:
    token = _waiting(run, event.token, waits.TASK, waits.CHOICE)
    run.take(token, event.values)
    if token.wait and token.wait.kind == waits.CHOICE:
        _leave_by(run, token, event.outcome)
        return
    _record_outcome(run, token, event.outcome)
    run.attempt(token)


def _record_outcome(run: Run, token: Token, outcome: str) -> None:
    form = run.node(token).form
    offered = [each.key for each in form.outcomes] if form else []
    if offered and outcome not in offered:
        raise UnknownOutcomeError(outcome)
    if outcome:
        run.assign(token, outcome_variable(token.node), outcome)
        run.assign(token, "outcome", outcome)


def _leave_by(run: Run, token: Token, way: str) -> None:
    """A person chose a flow out of a gateway, or the start event at which to begin."""
    node = run.node(token)
    if node.kind == "startEvent":
        if way not in [each.id for each in offered_starts(run.graph, node)]:
            raise UnknownOutcomeError(way)
        if way != node.id:
            token = run.move(token, way, cancelled=True)
            run.visit(token)
        run.attempt(token)
        return
    if way not in node.outgoing:
        raise UnknownOutcomeError(way)
    run.leave(token, [run.graph.flows[way]])


# Machines


def _job_done(run: Run, event: JobDone) -> None:
    token = _waiting(run, event.token, waits.JOB)
    values = normal(event.values)
    operation = run.node(token).operation
    for output in operation.outputs if operation else ():
        run.assign(token, output.value, values.get(output.name))
    run.attempt(token)


def _job_failed(run: Run, event: JobFailed) -> None:
    token = _waiting(run, event.token, waits.JOB)
    text = _("The operation of “%(node)s” failed: %(problem)s")
    _failed(run, token, event.code, Phrase(text, {"node": run.node(token).label, "problem": event.message}))


def _failed(run: Run, token: Token, code: str, reason: Phrase) -> None:
    token.wait = None
    if not fail(run, code, token):
        run.hold(token, code or "failed", reason)


def _timer_due(run: Run, event: TimerDue) -> None:
    happen(run, _waiting(run, event.token, waits.TIMER), {})


def _message_received(run: Run, event: MessageReceived) -> None:
    happen(run, _waiting(run, event.token, waits.MESSAGE), event.values)


def _signal_received(run: Run, event: SignalReceived) -> None:
    if not any(each.kind == waits.SIGNAL and each.name == event.name for each in run.state.waiting()):
        raise StaleEventError(f"nothing listens to {event.name}")
    broadcast(run, event.name, event.values)


def _call_done(run: Run, event: CallDone) -> None:
    token = _waiting(run, event.token, waits.CALL)
    called = run.node(token).call
    try:
        run.take(token, _brought_back(run, token, called.outputs if called else (), normal(event.values)))
    except HeldError as held:
        run.hold(token, held.code, held.phrase)
        return
    run.attempt(token)


def _brought_back(run: Run, token: Token, outputs: tuple[Argument, ...], values: Values) -> Values:
    found: Values = {}
    for each in outputs:
        found |= values if each.name == "*" else {each.value: run.worked_out(token, each.name, values)}
    return found


def _call_failed(run: Run, event: CallFailed) -> None:
    token = _waiting(run, event.token, waits.CALL)
    text = _("The process that “%(node)s” called failed: %(problem)s")
    _failed(run, token, event.code, Phrase(text, {"node": run.node(token).label, "problem": event.message}))


def _escalated(run: Run, event: Escalated) -> None:
    token = _waiting(run, event.token, waits.TASK, waits.JOB, waits.CALL)
    escalate(run, event.code, token)


# Operators


def _retry(run: Run, event: Retry) -> None:
    token = _waiting(run, event.token, waits.INCIDENT)
    run.take(token, event.values)
    if token.rounds:
        repeating.go_on(run, token)
        return
    settled = token.wait and token.wait.code in ("no_flow", "condition")
    if settled and run.node(token).kind != "exclusiveGateway":
        run.attempt(token)  # the node itself had done its part
        return
    token.wait = None
    enter(run, token)


def _skip(run: Run, event: Skip) -> None:
    token = run.state.tokens.get(event.token)
    if token is None or token.wait is None or token.host:
        raise StaleEventError(f"token {event.token} does not wait")
    run.take(token, event.values)
    node = run.node(token)
    if event.outcome in node.outgoing or token.wait.kind == waits.CHOICE:
        run.release(token)
        _leave_by(run, token, event.outcome)
        return
    if node.kind in ("exclusiveGateway", "eventBasedGateway"):
        raise UnknownOutcomeError(event.outcome)
    _record_outcome(run, token, event.outcome)
    run.release(token)
    run.attempt(token)


def _moved(run: Run, event: Moved) -> None:
    token = run.state.tokens.get(event.token)
    if token is None or not is_movable(run.state, token):
        raise StaleEventError(f"token {event.token} does not wait")
    if event.node not in [node.id for node in targets(run.graph, run.state, token)]:
        raise UnsoundMoveError(event.node)
    run.release(token)
    run.state.ready.append(run.move(token, event.node, cancelled=True).id)


def _cancelled(run: Run, event: Cancelled) -> None:
    run.clear(waits.ROOT_SCOPE)
    run.finish(waits.CANCELLED)


_APPLY: dict[type[Any], Callable[[Run, Any], None]] = {
    Started: _started,
    Continue: _nothing,
    TaskDone: _task_done,
    JobDone: _job_done,
    JobFailed: _job_failed,
    TimerDue: _timer_due,
    MessageReceived: _message_received,
    SignalReceived: _signal_received,
    CallDone: _call_done,
    CallFailed: _call_failed,
    Escalated: _escalated,
    Retry: _retry,
    Skip: _skip,
    Moved: _moved,
    Cancelled: _cancelled,
}
