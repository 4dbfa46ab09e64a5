"""Where a token can get to from where it stands, and where a process can begin."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from bpm.engine.model import Graph, Node

T = TypeVar("T", bound=Hashable)


def beginnings(nodes: Iterable[Node]) -> list[tuple[str, ...]]:
    """The ways in which a process or subprocess may begin, each with the nodes that get a token at once.

    Plain start events come before those that wait for something. Without any start event every node begins to
    which no flow leads (10.5.2), those first that lead on.
    """
    every = list(nodes)
    drawn = [node for node in every if node.kind == "startEvent"]
    if drawn:
        return [(node.id,) for node in sorted(drawn, key=lambda node: bool(node.triggers))]
    free = [node for node in every if not node.incoming and _can_begin(node)]
    together = tuple(node.id for node in sorted(free, key=lambda node: not node.outgoing))
    return [together] if together else []


def _can_begin(node: Node) -> bool:
    return not node.attached_to and node.kind != "eventSubProcess" and not is_link(node)


def offered_starts(graph: Graph, node: Node) -> list[Node]:
    """The start events among which a person chooses: the plain ones, or all when every one waits for something."""
    drawn = [each for each in graph.inside(node.scope) if each.kind == "startEvent"]
    return [each for each in drawn if not each.triggers] or drawn


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


def reachable(graph: Graph, starts: Iterable[str], but_not_past: str = "") -> set[str]:
    def after(each: str) -> list[str]:
        return [] if each == but_not_past else steps_after(graph, graph.nodes[each])

    return closure(starts, after)


def keeps_open(graph: Graph, join: Node, arrived: set[str], elsewhere: str) -> bool:
    """13.4.3: whether a token elsewhere keeps an inclusive join waiting: it can reach a way in that is still empty,
    and none on which a token has arrived, both without passing the join itself.
    """
    reached = reachable(graph, [elsewhere], but_not_past=join.id) - {join.id}
    sources = {flow: graph.flows[flow].source for flow in join.incoming}
    empty = any(source in reached for flow, source in sources.items() if flow not in arrived)
    return empty and not any(sources[flow] in reached for flow in arrived)
