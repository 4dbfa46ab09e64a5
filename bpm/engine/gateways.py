"""Gateways: what each does when a token enters it (BPMN 2.0.2, 13.4)."""

from __future__ import annotations

from bpm.engine import state as waits
from bpm.engine.books import HeldError
from bpm.engine.events import NodeLeft, OpenUserTask
from bpm.engine.model import Flow, Form, Node, Outcome
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import is_join, keeps_open
from bpm.engine.running import Run
from bpm.engine.state import Token

REQUESTER = "requester"


def decide(run: Run, token: Token, node: Node) -> None:
    """An exclusive gateway: the first condition that holds, else a person's choice or the default."""
    flows = run.graph.outgoing(node)
    if not flows:
        run.complete(token)
        return
    bare = [flow for flow in flows if not flow.condition and flow.id != node.default]
    for flow in flows:
        if flow.id != node.default and flow.condition and run.holds(token, flow):
            run.leave(token, [flow])
            return
    asked = open_ways(node, flows)
    if asked:
        offer(run, token, node, [_way(run, flow) for flow in asked])
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


def offer(run: Run, token: Token, node: Node, ways: list[Outcome]) -> None:
    """A person is asked which way to take."""
    assignee = run.filled(token, node.assignee) if node.assignee else REQUESTER
    run.wait(token, waits.CHOICE)
    run.emit(
        OpenUserTask(
            token=token.id,
            node=node.id,
            name=node.name,
            names=node.names,
            form=Form(outcomes=tuple(ways)),
            assignee=str(assignee),
            lane=node.lane,
            choice=True,
        )
    )


def _way(run: Run, flow: Flow) -> Outcome:
    label = flow.name or run.graph.nodes[flow.target].label
    return Outcome(key=flow.id, label=label, labels=flow.names, style="secondary")


def _arrived(run: Run, token: Token) -> dict[str, Token]:
    """The first token on each way in that waits at the same join."""
    first: dict[str, Token] = {}
    for other in run.state.tokens.values():
        is_here = (other.node, other.scope) == (token.node, token.scope)
        if is_here and other.wait and other.wait.kind == waits.JOIN:
            first.setdefault(other.flow, other)
    return first


def join(run: Run, token: Token, node: Node) -> None:
    """A parallel gateway: waits for a token on every way in, then sends one on every way out."""
    run.wait(token, waits.JOIN)
    first = _arrived(run, token)
    if len(node.incoming) < 2 or all(flow in first for flow in node.incoming):
        _merge(run, token, first)


def fork(run: Run, token: Token, node: Node) -> None:
    """An inclusive gateway: every way whose condition is met; a join waits until nothing more can come."""
    if is_join(node):
        run.wait(token, waits.JOIN)
    else:
        run.complete(token)


def join_inclusive(run: Run) -> bool:
    """When nothing else moves: lets the first inclusive join go on that is not kept by a token elsewhere."""
    seen: set[tuple[str, int]] = set()
    for token in list(run.state.tokens.values()):
        place = (token.node, token.scope)
        if place in seen or not token.wait or token.wait.kind != waits.JOIN:
            continue
        seen.add(place)
        if run.node(token).kind == "inclusiveGateway":
            arrived = _arrived(run, token)
            if not _still_coming(run, token, set(arrived)):
                _merge(run, token, arrived)
                return True
    return False


def _still_coming(run: Run, token: Token, arrived: set[str]) -> bool:
    """Whether a token elsewhere in the scope keeps the inclusive join waiting."""
    node = run.node(token)
    return any(
        keeps_open(run.graph, node, arrived, other.node)
        for other in run.state.tokens.values()
        if other.scope == token.scope and other.node != token.node and not other.host
    )


def _merge(run: Run, token: Token, first: dict[str, Token]) -> None:
    for other in first.values():
        if other.id != token.id:
            run.emit(NodeLeft(other.id, other.node))
            del run.state.tokens[other.id]
    run.attempt(token)


def listen(run: Run, token: Token, node: Node) -> None:
    """An event gateway: the first of the events behind it decides."""
    targets = [run.graph.nodes[flow.target] for flow in run.graph.outgoing(node)]
    if not targets or not all(is_awaited(target) for target in targets):
        raise HeldError("unsupported", _("“%(node)s” is of a kind that cannot be run."), node=node.label)
    awaited = [(target, run.once(token, target)) for target in targets]
    run.wait(token, waits.EVENT)
    for target, wait in awaited:
        run.watch(token, token.id, target, wait)


def is_awaited(node: Node) -> bool:
    """Whether the node may stand behind an event gateway."""
    kind = node.trigger.kind if node.trigger else ""
    return (node.kind == "intermediateCatchEvent" and kind in ("timer", "message", "signal")) or (
        node.kind == "receiveTask" and kind == "message"
    )
