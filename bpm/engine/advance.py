"""The step function: what has happened goes in, the new state and what is to be done come out.

It reads no clock, calls nothing and keeps nothing, so the same input always gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bpm.engine import state as waits
from bpm.engine.behaviours import enter, join_inclusive, outcome_variable
from bpm.engine.durations import parse_duration
from bpm.engine.events import (
    Cancelled,
    Continue,
    Event,
    JobDone,
    JobFailed,
    Result,
    Retry,
    Skip,
    StaleEventError,
    Started,
    TaskDone,
    TimerDue,
)
from bpm.engine.model import Graph
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.running import Limits, Run
from bpm.engine.state import State, Token, Wait
from bpm.engine.values import Value, normal

LIMITS = Limits()


class UnknownOutcomeError(ValueError):
    """The answer is none of those that the task or gateway offers."""


def advance(graph: Graph, state: State, event: Event, now: datetime, limits: Limits = LIMITS) -> Result:
    """Applies one event to a copy of the state; runs until every token waits or the budget is spent."""
    if state.status != waits.RUNNING:
        raise StaleEventError("the process is over")
    run = Run(graph, state.copy(), now, limits)
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


def find_deadlock(run: Run) -> None:
    """When only joins wait for each other's tokens nothing can ever happen again: that must be seen."""
    live = [token for token in run.state.tokens.values() if token.wait and not token.host]
    stuck = [token for token in live if token.wait and token.wait.kind == waits.JOIN]
    if stuck and all(token.wait and token.wait.kind in (waits.JOIN, waits.SCOPE) for token in live):
        for token in stuck:
            text = _("“%(node)s” waits for a branch that can no longer arrive.")
            run.hold(token, "deadlock", Phrase(text, {"node": run.node(token).label}))


def _waiting(run: Run, number: int, *kinds: str) -> Token:
    token = run.state.tokens.get(number)
    if token is None or token.wait is None or token.wait.kind not in kinds:
        raise StaleEventError(f"token {number} does not wait for this")
    return token


def _nothing(run: Run, event: Event) -> None:
    pass


def _take_values(run: Run, values: Mapping[str, Value]) -> None:
    for name, value in normal(values).items():
        run.assign(name, value)


def _task_done(run: Run, event: TaskDone) -> None:
    token = _waiting(run, event.token, waits.TASK, waits.CHOICE)
    _take_values(run, event.values)
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
        run.assign(outcome_variable(token.node), outcome)
        run.assign("outcome", outcome)


def _leave_by(run: Run, token: Token, flow_id: str) -> None:
    if flow_id not in run.node(token).outgoing:
        raise UnknownOutcomeError(flow_id)
    run.leave(token, [run.graph.flows[flow_id]])


def _job_done(run: Run, event: JobDone) -> None:
    token = _waiting(run, event.token, waits.JOB)
    operation = run.node(token).operation
    values = normal(event.values)
    for output in operation.outputs if operation else ():
        run.assign(output.value, values.get(output.name))
    run.attempt(token)


def _job_failed(run: Run, event: JobFailed) -> None:
    token = _waiting(run, event.token, waits.JOB)
    token.wait = None
    if not run.fail(event.code, token):
        text = _("The operation of “%(node)s” failed: %(problem)s")
        reason = Phrase(text, {"node": run.node(token).label, "problem": event.message})
        run.hold(token, event.code or "failed", reason)


def _timer_due(run: Run, event: TimerDue) -> None:
    token = _waiting(run, event.token, waits.TIMER)
    if token.host:
        _fire(run, token)
    else:
        run.attempt(token)


def _fire(run: Run, watcher: Token) -> None:
    """A boundary event goes off: it takes its activity's place, or sends a branch beside it."""
    host = run.state.tokens[watcher.host]
    node = run.node(watcher)
    repeats = watcher.wait is not None and watcher.wait.left != 0
    if run.node(host).kind == "eventBasedGateway":
        watcher.flow = next(flow for flow in node.incoming if run.graph.flows[flow].source == host.node)
        run.settle(watcher)
        run.choose(host, watcher)
    elif node.interrupting:
        run.settle(watcher)
        run.interrupt(host, watcher)
    else:
        if repeats and watcher.wait:
            run.sleep(watcher, _next(watcher.wait, run.now))
            watcher = run.state.issue(watcher.node, scope=watcher.scope)
        run.settle(watcher)
        run.visit(watcher)
        run.attempt(watcher)


def _next(wait: Wait, now: datetime) -> Wait:
    """The next repetition; those missed while nothing ran are not made up for."""
    every = parse_duration(wait.every)
    due = every.after(datetime.fromisoformat(wait.until))
    if due <= now:
        due = every.after(now)
    return replace(wait, since=now.isoformat(), until=due.isoformat(), left=max(wait.left - 1, -1))


def _retry(run: Run, event: Retry) -> None:
    token = _waiting(run, event.token, waits.INCIDENT)
    _take_values(run, event.values)
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
    _take_values(run, event.values)
    if event.outcome in run.node(token).outgoing:
        run.release(token)
        _leave_by(run, token, event.outcome)
        return
    if run.node(token).kind in ("exclusiveGateway", "eventBasedGateway"):
        raise UnknownOutcomeError(event.outcome)
    _record_outcome(run, token, event.outcome)
    run.release(token)
    run.attempt(token)


def _cancelled(run: Run, event: Cancelled) -> None:
    run.clear(waits.ROOT_SCOPE)
    run.finish(waits.CANCELLED)


_APPLY: dict[type[Any], Callable[[Run, Any], None]] = {
    Started: _nothing,
    Continue: _nothing,
    TaskDone: _task_done,
    JobDone: _job_done,
    JobFailed: _job_failed,
    TimerDue: _timer_due,
    Retry: _retry,
    Skip: _skip,
    Cancelled: _cancelled,
}
