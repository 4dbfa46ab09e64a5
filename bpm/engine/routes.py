"""Where a token can get to from where it stands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from bpm.engine.model import Graph, Node

T = TypeVar("T", bound=Hashable)


def is_join(node: Node) -> bool:
    return node.kind in ("parallelGateway", "inclusiveGateway") and len(node.incoming) > 1


def steps_after(graph: Graph, node: Node) -> list[str]:
    """Where a token may go from a node: along its flows, by an event on its border, or over a link."""
    after = [flow.target for flow in graph.outgoing(node)]
    after += [boundary.id for boundary in graph.boundaries.get(node.id, ())]
    return after + [each.id for each in linked(graph, node)]


def is_link(node: Node) -> bool:
    return node.trigger is not None and node.trigger.kind == "link"


def linked(graph: Graph, node: Node) -> list[Node]:
    """The catching events of a throwing link event."""
    if node.kind != "intermediateThrowEvent" or node.trigger is None or not is_link(node):
        return []
    name = node.trigger.name
    return [
        each
        for each in graph.inside(node.scope)
        if each.kind == "intermediateCatchEvent"
        and is_link(each)
        and each.trigger is not None
        and each.trigger.name == name
    ]


def closure(first: Iterable[T], after: Callable[[T], Iterable[T]]) -> set[T]:
    """Everything that can be got to, the first ones included."""
    found: set[T] = set()
    pending = list(first)
    while pending:
        each = pending.pop()
        if each not in found:
            found.add(each)
            pending += after(each)
    return found


def reachable(graph: Graph, start: str, but_not_past: str = "") -> set[str]:
    def after(each: str) -> list[str]:
        return [] if each == but_not_past else steps_after(graph, graph.nodes[each])

    return closure([start], after)
