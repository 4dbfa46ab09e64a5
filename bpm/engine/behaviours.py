"""What each kind of node does when a token enters it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bpm.engine import state as waits
from bpm.engine.events import NodeLeft, OpenUserTask, StartJob
from bpm.engine.model import Flow, Form, Node, Outcome
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import is_join, is_link, linked, reachable
from bpm.engine.running import HeldError, Run
from bpm.engine.state import Token
from bpm.engine.unsupported import is_runnable
from bpm.engine.values import ValueKindError, normal

Behaviour = Callable[[Run, Token, Node], None]

REQUESTER = "requester"


def outcome_variable(node_id: str) -> str:
    """The name under which a user task's outcome is kept."""
    return re.sub(r"\W", "_", node_id) + "_outcome"


def pass_on(run: Run, token: Token, node: Node) -> None:
    run.complete(token)


def end(run: Run, token: Token, node: Node) -> None:
    kind = node.trigger.kind if node.trigger else "none"
    run.end(token, kind)
    if kind == "error":
        _fail(run, token, node.trigger.code if node.trigger else "")
        return
    if kind == "terminate":
        run.clear(token.scope, spare=token.id)
    run.leave(token, [])


def _fail(run: Run, token: Token, code: str) -> None:
    """An error end: the subprocess around it is cut short, or the whole process when nobody catches it."""
    run.emit(NodeLeft(token.id, token.node))
    del run.state.tokens[token.id]
    if not run.fail(code, token):
        run.clear(waits.ROOT_SCOPE)
        run.finish(waits.FAILED)


def throw(run: Run, token: Token, node: Node) -> None:
    """An intermediate throwing event: a link goes on at its other half, a plain one just goes on."""
    targets = linked(run.graph, node)
    if targets:
        run.jump(token, targets[0])
    elif is_link(node):
        raise HeldError("no_flow", _("No way on: no condition behind “%(node)s” is met."), node=node.label)
    else:
        run.complete(token)


def ask(run: Run, token: Token, node: Node) -> None:
    """A user task: a person's answer is awaited."""
    task = OpenUserTask(
        token=token.id,
        node=node.id,
        name=node.name,
        names=node.names,
        form=node.form or Form(),
        assignee=_person(run, node, node.assignee),
        candidate_role=_person(run, node, node.candidate_role),
        candidate_groups=node.candidate_groups,
        due=run.moment(node, node.due) if node.due else None,
        lane=node.lane,
    )
    run.arm(token)
    run.wait(token, waits.TASK, task.due)
    run.emit(task)


def _person(run: Run, node: Node, text: str) -> str:
    value = run.filled(node, text) if text else ""
    if not isinstance(value, (str, int)):
        raise HeldError("value", _("“%(node)s” does not say who is to do it."), node=node.label)
    return str(value)


def work(run: Run, token: Token, node: Node) -> None:
    """A service task: an operation is called as a job."""
    operation = node.operation
    if operation is None:
        raise HeldError("operation", _("“%(node)s” names no operation."), node=node.label)
    arguments = normal({argument.name: run.filled(node, argument.value) for argument in operation.inputs})
    run.arm(token)
    run.wait(token, waits.JOB)
    run.emit(StartJob(token.id, node.id, operation.name, operation.version, arguments))


def sleep(run: Run, token: Token, node: Node) -> None:
    """An intermediate catching event: a timer, or the far end of a link."""
    if is_link(node):
        run.complete(token)
        return
    run.sleep(token, replace(run.due(node), every="", left=0))


def descend(run: Run, token: Token, node: Node) -> None:
    """A subprocess: its inside runs in a scope of its own."""
    if not node.start:
        raise HeldError("unsupported", _("“%(node)s” has no step at which it could begin."), node=node.label)
    run.arm(token)
    run.open(token, node.start)


def decide(run: Run, token: Token, node: Node) -> None:
    """An exclusive gateway: the first condition that holds, else a person's choice or the default."""
    flows = run.graph.outgoing(node)
    if not flows:
        run.complete(token)
        return
    bare = [flow for flow in flows if not flow.condition and flow.id != node.default]
    for flow in flows:
        if flow.id != node.default and flow.condition and run.holds(flow):
            run.leave(token, [flow])
            return
    asked = open_ways(node, flows)
    if asked:
        _offer(run, token, node, asked)
        return
    taken = bare or [flow for flow in flows if flow.id == node.default]
    if not taken:
        raise run.no_way(node)
    run.leave(token, taken)


def open_ways(node: Node, flows: list[Flow]) -> list[Flow]:
    """The flows a person must choose among, because the drawing gives no condition for them.

    A single flow without a condition beside others that have one is the "otherwise" way, not a question.
    """
    bare = [flow for flow in flows if flow.id != node.default and not flow.condition]
    if len(flows) < 2 or not bare or (len(bare) == 1 and not node.default):
        return []
    return bare + [flow for flow in flows if flow.id == node.default]


def _offer(run: Run, token: Token, node: Node, flows: list[Flow]) -> None:
    outcomes = tuple(
        Outcome(key=flow.id, label=_way_label(run, flow), labels=flow.names, style="secondary")
        for flow in flows
    )
    run.wait(token, waits.CHOICE)
    run.emit(
        OpenUserTask(
            token=token.id,
            node=node.id,
            name=node.name,
            names=node.names,
            form=Form(outcomes=outcomes),
            assignee=_person(run, node, node.assignee) or REQUESTER,
            lane=node.lane,
            choice=True,
        )
    )


def _way_label(run: Run, flow: Flow) -> str:
    return flow.name or run.graph.nodes[flow.target].label


def join(run: Run, token: Token, node: Node) -> None:
    """A parallel gateway: waits for a token on every way in, then sends one on every way out."""
    run.wait(token, waits.JOIN)
    first: dict[str, Token] = {}
    for other in run.state.tokens.values():
        if (
            other.node == node.id
            and other.scope == token.scope
            and other.wait
            and other.wait.kind == waits.JOIN
        ):
            first.setdefault(other.flow, other)
    if len(node.incoming) > 1 and not all(flow in first for flow in node.incoming):
        return
    _merge(run, token, list(first.values()))


def fork(run: Run, token: Token, node: Node) -> None:
    """An inclusive gateway: every way whose condition is met; a join waits until nothing more can come."""
    if is_join(node):
        run.wait(token, waits.JOIN)
    else:
        run.complete(token)


def join_inclusive(run: Run) -> bool:
    """When nothing else moves: lets the first inclusive join go on that no other token can still reach."""
    for token in list(run.state.tokens.values()):
        node = run.node(token)
        if node.kind == "inclusiveGateway" and token.wait and token.wait.kind == waits.JOIN:
            arrived: dict[str, Token] = {}
            for other in run.state.tokens.values():
                if (other.node, other.scope) == (token.node, token.scope) and other.wait:
                    arrived.setdefault(other.flow, other)
            if not _still_coming(run, token, set(arrived)):
                _merge(run, token, list(arrived.values()))
                return True
    return False


def _still_coming(run: Run, token: Token, arrived: set[str]) -> bool:
    """Whether a token elsewhere in the scope can reach an empty incoming flow, and none already taken."""
    node = run.node(token)
    sources = {flow: run.graph.flows[flow].source for flow in node.incoming}
    for other in run.state.tokens.values():
        if other.scope != token.scope or other.node == token.node or other.host:
            continue
        reached = reachable(run.graph, other.node, but_not_past=node.id)
        empty = any(source in reached for flow, source in sources.items() if flow not in arrived)
        if empty and not any(sources[flow] in reached for flow in arrived):
            return True
    return False


def _merge(run: Run, token: Token, tokens: list[Token]) -> None:
    for other in tokens:
        if other.id != token.id:
            run.emit(NodeLeft(other.id, other.node))
            del run.state.tokens[other.id]
    run.attempt(token)


def listen(run: Run, token: Token, node: Node) -> None:
    """An event gateway: the first of the events behind it decides."""
    targets = [run.graph.nodes[flow.target] for flow in run.graph.outgoing(node)]
    if not targets or not all(target.trigger and target.trigger.kind == "timer" for target in targets):
        raise HeldError("unsupported", _("“%(node)s” is of a kind that cannot be run."), node=node.label)
    timed = [(target, run.due(target)) for target in targets]
    run.wait(token, waits.EVENT)
    for target, wait in timed:
        run.watch(token, target, replace(wait, every="", left=0))


BEHAVIOURS: dict[str, Behaviour] = {
    "startEvent": pass_on,
    "endEvent": end,
    "intermediateThrowEvent": throw,
    "intermediateCatchEvent": sleep,
    "task": pass_on,
    "manualTask": pass_on,
    "userTask": ask,
    "serviceTask": work,
    "sendTask": work,
    "subProcess": descend,
    "exclusiveGateway": decide,
    "parallelGateway": join,
    "inclusiveGateway": fork,
    "eventBasedGateway": listen,
}


def enter(run: Run, token: Token) -> None:
    """Lets the token act on its node; what stands in the way becomes its incident."""
    node = run.node(token)
    try:
        run.check_limits()
        if not is_runnable(node):
            raise HeldError("unsupported", _("“%(node)s” is of a kind that cannot be run."), node=node.label)
        BEHAVIOURS[node.kind](run, token, node)
    except HeldError as held:
        run.hold(token, held.code, held.phrase)
    except ValueKindError:
        run.hold(token, "value", Phrase(_("A value of “%(node)s” has no usable kind."), {"node": node.label}))
