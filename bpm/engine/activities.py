"""Tasks, subprocesses and calls: what each does when a token enters it (BPMN 2.0.2, 13.3)."""

from __future__ import annotations

import re

from bpm.engine import state as waits
from bpm.engine.books import HeldError
from bpm.engine.events import OpenUserTask, StartJob, StartProcess, ThrowMessage
from bpm.engine.model import Argument, Form, Node
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import beginnings
from bpm.engine.running import Run
from bpm.engine.state import Token
from bpm.engine.values import Values, normal


def outcome_variable(node_id: str) -> str:
    """The name under which a user task's outcome is kept."""
    return re.sub(r"\W", "_", node_id) + "_outcome"


def pass_on(run: Run, token: Token, node: Node) -> None:
    run.complete(token)


def ask(run: Run, token: Token, node: Node) -> None:
    """A user task: a person's answer is awaited."""
    due = run.moment(token, node.due) if node.due else None
    task = OpenUserTask(
        token=token.id,
        node=node.id,
        name=node.name,
        names=node.names,
        form=node.form or Form(),
        assignee=_person(run, token, node.assignee),
        candidate_role=_person(run, token, node.candidate_role),
        candidate_groups=node.candidate_groups,
        due=due,
        remind=run.before(token, node.remind, due) if due and node.remind else None,
        escalate=run.moment(token, node.escalate, since=due) if due and node.escalate else None,
        lane=node.lane,
    )
    run.arm(token)
    run.wait(token, waits.TASK, task.due)
    run.emit(task)


def _person(run: Run, token: Token, text: str) -> str:
    value = run.filled(token, text) if text else ""
    if not isinstance(value, (str, int)):
        text = _("“%(node)s” does not say who is to do it.")
        raise HeldError("value", text, node=run.node(token).label)
    return str(value)


def handed_over(run: Run, token: Token, inputs: tuple[Argument, ...]) -> Values:
    """The arguments of an operation, a message or a called process."""
    return normal({each.name: run.filled(token, each.value) for each in inputs})


def work(run: Run, token: Token, node: Node) -> None:
    """A service task: an operation is called as a job, or a rule is worked out at once."""
    operation = node.operation
    if operation is None:
        if node.sets:
            work_out(run, token, node)
            return
        raise HeldError("operation", _("“%(node)s” names no operation."), node=node.label)
    arguments = handed_over(run, token, operation.inputs)
    run.arm(token)
    run.wait(token, waits.JOB)
    run.emit(StartJob(token.id, node.id, operation.name, operation.version, arguments))


def work_out(run: Run, token: Token, node: Node) -> None:
    """A rule: variables get the values of expressions, each seeing those before it."""
    for each in node.sets:
        run.take(token, {each.name: run.filled(token, each.value)})
    run.complete(token)


def send(run: Run, token: Token, node: Node) -> None:
    """A send task: an operation, or a message to another process."""
    if node.operation is None and node.trigger:
        throw_message(run, token, node)
        run.complete(token)
    else:
        work(run, token, node)


def throw_message(run: Run, token: Token, node: Node) -> None:
    trigger = node.trigger
    assert trigger is not None
    values = handed_over(run, token, node.inputs)
    name = str(run.filled(token, trigger.name or node.label))
    key = str(run.filled(token, trigger.key)) if trigger.key else ""
    run.emit(ThrowMessage(token.id, node.id, name, key, values))


def catch(run: Run, token: Token, node: Node) -> None:
    """A receive task, or an intermediate event that is waited for."""
    wait = run.once(token, node)
    run.arm(token)
    run.expect(token, wait)


def descend(run: Run, token: Token, node: Node) -> None:
    """A subprocess: its inside runs in a scope of its own."""
    found = beginnings(run.graph.inside(node.id))
    if not found:
        raise HeldError("unsupported", _("“%(node)s” has no step at which it could begin."), node=node.label)
    run.arm(token)
    run.open(token, found[0])


def call(run: Run, token: Token, node: Node) -> None:
    """A call activity: another process is started, and its end awaited."""
    called = node.call
    process = run.filled(token, called.process) if called else ""
    if called is None or not isinstance(process, str) or not process:
        raise HeldError("call", _("“%(node)s” does not say which process it calls."), node=node.label)
    depth = run.state.depth + 1
    if depth > run.limits.depth:
        text = _(
            "“%(node)s” would start a process %(limit)s calls below the first: they call each other in a circle."
        )
        raise HeldError("depth", text, node=node.label, limit=str(depth))
    values = handed_over(run, token, called.inputs) if called.inputs else dict(run.variables(token))
    run.arm(token)
    run.wait(token, waits.CALL)
    run.emit(StartProcess(token.id, node.id, process, values, depth))
