"""What the shape of a process allows: unreachable steps, circles without a wait, joins that wait for ever.

The search plays the token game on the drawing itself, every decision both ways, one scope at a time
(a subprocess counts as one step of the scope around it). It is bounded, so it always ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations, islice, product

from bpm.engine.expressions import ExpressionError, Path, parse, paths
from bpm.engine.findings import ERROR, Finding, finding
from bpm.engine.gateways import open_ways
from bpm.engine.model import Flow, Graph, Node
from bpm.engine.routes import (
    beginnings,
    closure,
    is_join,
    is_link,
    keeps_open,
    linked,
    reachable,
    steps_after,
)

MAX_MARKINGS = 4_000
MAX_WORK = 500_000
MAX_ON_ONE_FLOW = 4
MAX_SUBSETS_OF = 4
MAX_FIRSTS = 256

# the tokens still to be moved, the latest first; the tokens waiting at joins, sorted
Marking = tuple[tuple[str, ...], tuple[str, ...]]

_PASSED = frozenset((
    "startEvent", "task", "manualTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
    "intermediateThrowEvent", "endEvent",
))  # fmt: skip


def soundness(graph: Graph) -> Iterator[Finding]:
    """The findings on the shape of every scope of the process."""
    scopes = ["", *(node.id for node in graph.node_list if node.start)]
    for scope in scopes:
        starts = beginnings(graph.inside(scope))
        if starts:
            reached = reachable(graph, chain.from_iterable(starts))
            yield from _unreachable(graph, scope, reached)
            yield from _circles(graph, scope, reached)
            yield from _no_escape(graph, scope, reached)
            game = Game(graph)
            yield from game.findings([each for together in starts for each in game.first_markings(together)])


def _unreachable(graph: Graph, scope: str, reached: set[str]) -> Iterator[Finding]:
    for node in graph.inside(scope):
        if node.id not in reached and node.kind not in ("startEvent", "eventSubProcess"):
            yield finding("unreachable", node.id, node.name, node=node.label)


def waits_for_something(graph: Graph, node: Node) -> bool:
    """Whether a token cannot simply run through the node."""
    if node.kind == "subProcess":
        return any(waits_for_something(graph, inner) for inner in graph.inside(node.id))
    if node.kind == "exclusiveGateway":
        return bool(open_ways(node, graph.outgoing(node)))
    if node.kind in ("serviceTask", "sendTask", "businessRuleTask"):
        return node.operation is not None or bool(node.foreign)
    return node.kind not in _PASSED and not is_link(node)


def _circles(graph: Graph, scope: str, reached: set[str]) -> Iterator[Finding]:
    """A circle of steps that wait for nothing never ends, for no value can change while it runs."""
    passed = {each for each in reached if not waits_for_something(graph, graph.nodes[each])}
    after = {each: {to for to in steps_after(graph, graph.nodes[each]) if to in passed} for each in passed}
    while True:
        entered = set(chain.from_iterable(after.values()))
        loose = [each for each in after if not after[each] & after.keys() or each not in entered]
        if not loose:
            break
        for each in loose:
            del after[each]
    for node in graph.inside(scope):
        if node.id in after:
            yield finding("circle", node.id, node.name, node=node.label)
            return


def _is_last(graph: Graph, node: Node) -> bool:
    return not node.outgoing and not linked(graph, node)


def _no_escape(graph: Graph, scope: str, reached: set[str]) -> Iterator[Finding]:
    before: dict[str, list[str]] = {}
    for each in reached:
        for to in steps_after(graph, graph.nodes[each]):
            before.setdefault(to, []).append(each)
    lasts = [each for each in reached if _is_last(graph, graph.nodes[each])]
    saved = closure(lasts, lambda each: before.get(each, ()))
    for node in graph.inside(scope):
        if node.id in reached and node.id not in saved:
            yield finding("no_escape", node.id, node.name, node=node.label)
            return


_OVER: Marking = ((), ())


class Game:
    """Every run the drawing allows, as far as the order of independent steps makes no difference."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.origin: dict[Marking, tuple[Marking, str]] = {}
        self.before: dict[Marking, list[Marking]] = {}
        self.work = 0

    def first_markings(self, together: tuple[str, ...]) -> Iterator[Marking]:
        each = [self.outputs(self.graph.nodes[node]) for node in together]
        for chosen in islice(product(*each), MAX_FIRSTS):
            yield tuple(chain.from_iterable(chosen)), ()

    def findings(self, firsts: list[Marking]) -> Iterator[Finding]:
        """The first thing that goes wrong in any run from there; nothing when each can be brought to its end."""
        seen = set(firsts)
        pending = list(firsts)
        while pending:
            marking = pending.pop()
            followers = self.after(marking)
            if not followers and marking != _OVER:
                stopped = self.deadlock(marking)
                yield stopped
                if stopped.severity == ERROR:
                    return
                self.before.setdefault(_OVER, []).append(marking)
                continue
            for each in followers:
                self.before.setdefault(each, []).append(marking)
                if each in seen:
                    continue
                flow, count = Counter(each[0] + each[1]).most_common(1)[0] if each != _OVER else ("", 0)
                if count > MAX_ON_ONE_FLOW:
                    yield self.about("flood", self.graph.flows[flow].source)
                    return
                seen.add(each)
                self.origin[each] = (marking, self.graph.flows[marking[0][0]].target if marking[0] else "")
                pending.append(each)
            self.work += len(marking[0]) + len(marking[1])
            if len(seen) > MAX_MARKINGS or self.work > MAX_WORK:
                yield finding("not_explored")
                return
        yield from self.endless(seen)

    def about(self, code: str, node_id: str) -> Finding:
        node = self.graph.nodes[node_id]
        return finding(code, node.id, node.name, node=node.label)

    def endless(self, seen: set[Marking]) -> Iterator[Finding]:
        finite = closure([_OVER], lambda each: self.before.get(each, ()))
        stuck = sorted(marking for marking in seen - finite if any(marking))
        if stuck:
            active, waiting = stuck[0]
            yield self.about("endless", self.graph.flows[(active or waiting)[0]].target)

    def after(self, marking: Marking) -> list[Marking]:
        active, waiting = marking
        if not active:
            fired = self.fire_inclusive(waiting)
            return [fired] if fired else []
        token, rest = active[0], active[1:]
        node = self.graph.nodes[self.graph.flows[token].target]
        if is_join(node):
            waiting = tuple(sorted((*waiting, token)))
            if node.kind == "inclusiveGateway" or not set(node.incoming) <= set(waiting):
                return [(rest, waiting)]
            waiting = self.merged(waiting, node)
        if node.kind == "endEvent" and node.trigger and node.trigger.kind in ("terminate", "error"):
            return [_OVER]
        return [((*each, *rest), waiting) for each in self.outputs(node)]

    def merged(self, waiting: tuple[str, ...], node: Node) -> tuple[str, ...]:
        left = list(waiting)
        for flow in node.incoming:
            if flow in left:
                left.remove(flow)
        return tuple(left)

    def fire_inclusive(self, waiting: tuple[str, ...]) -> Marking | None:
        """Nothing moves any more: an inclusive join that no waiting token keeps open goes on."""
        joins = sorted({self.graph.flows[flow].target for flow in waiting})
        for join in joins:
            node = self.graph.nodes[join]
            if node.kind == "inclusiveGateway":
                self.work += len(joins) ** 2
                arrived = {flow for flow in waiting if self.graph.flows[flow].target == join}
                if not any(keeps_open(self.graph, node, arrived, each) for each in joins if each != join):
                    return tuple(self.outputs(node)[0]), self.merged(waiting, node)
        return None

    def outputs(self, node: Node) -> list[tuple[str, ...]]:
        """What may lie on the flows after the node has been visited, one entry for each possibility."""
        found = self.decisions(node)
        for boundary in self.graph.boundaries.get(node.id, ()):
            beside = boundary.outgoing
            found += (
                [beside] if boundary.interrupting else [(*each, *beside) for each in self.decisions(node)]
            )
        return found

    def decisions(self, node: Node) -> list[tuple[str, ...]]:
        flows = self.graph.outgoing(node)
        for target in linked(self.graph, node):
            return self.outputs(target)
        if node.kind in ("exclusiveGateway", "eventBasedGateway") and flows:
            return [(flow.id,) for flow in flows]
        optional = [flow.id for flow in flows if flow.condition or flow.id == node.default]
        if not optional or node.kind == "parallelGateway":
            return [node.outgoing]
        always = tuple(flow.id for flow in flows if flow.id not in optional)
        return [(*always, *each) for each in _subsets(optional) if always or each]

    def deadlock(self, marking: Marking) -> Finding:
        """An error, unless gateways on the way decide by the same values and so may never disagree."""
        waiting_at = self.graph.flows[marking[1][0]].target
        decided: dict[str, set[Path]] = {}
        while marking in self.origin:
            marking, passed = self.origin[marking]
            if passed and len(self.decisions(self.graph.nodes[passed])) > 1:
                decided[passed] = _reads(self.graph.outgoing(self.graph.nodes[passed]))
        related = any(decided[one] & decided[other] for one, other in combinations(decided, 2))
        return self.about("maybe_deadlock" if related else "deadlock", waiting_at)


def _subsets(flows: list[str]) -> Iterator[tuple[str, ...]]:
    sizes = range(1, len(flows) + 1) if len(flows) <= MAX_SUBSETS_OF else (1, len(flows))
    return chain([()], chain.from_iterable(combinations(flows, size) for size in sizes))


def _reads(flows: list[Flow]) -> set[Path]:
    found: set[Path] = set()
    for flow in flows:
        try:
            found |= paths(parse(flow.condition)) if flow.condition else set()
        except ExpressionError:
            continue
    return found
