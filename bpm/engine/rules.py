"""The rules a single step, event, gateway or flow has to meet: how it is connected and what it must say."""

from __future__ import annotations

from collections.abc import Iterator

from bpm.engine.books import Limits
from bpm.engine.findings import Finding, finding
from bpm.engine.gateways import is_awaited, open_ways
from bpm.engine.model import Graph, Node
from bpm.engine.phrases import Phrase
from bpm.engine.routes import is_link, linked
from bpm.engine.unsupported import TRIGGERS, unsupported

ACTIVITIES = frozenset((
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask",
    "businessRuleTask", "callActivity", "subProcess", "transaction", "adHocSubProcess",
))  # fmt: skip


def node_findings(graph: Graph, node: Node) -> Iterator[Finding]:
    """What is wrong with one node apart from its expressions, times and forms."""
    yield from unsupported(node, handles=_starts(graph, node, "eventSubProcess"))
    yield from _connections(graph, node)
    if node.kind == "boundaryEvent":
        yield from _border(graph, node)
    if node.kind == "userTask" and not (
        node.assignee or node.candidate_role or node.candidate_groups or node.lane
    ):
        yield finding("no_assignee", node.id, node.name, node=node.label)
    if node.kind in ("serviceTask", "sendTask", "businessRuleTask"):
        yield from _work(node)
    if node.kind == "callActivity":
        yield from _call(graph, node)
    if node.kind == "exclusiveGateway":
        yield from _exclusive(graph, node)
    yield from _events(graph, node)
    if node.repeat and not (node.repeat.collection or node.repeat.cardinality or node.repeat.kind != "multi"):
        yield finding("repeat_once", node.id, node.name, node=node.label)


def _starts(graph: Graph, node: Node, kind: str) -> bool:
    """Whether the node is the start of a subprocess of this kind."""
    return node.kind == "startEvent" and bool(node.scope) and graph.nodes[node.scope].kind == kind


def _connections(graph: Graph, node: Node) -> Iterator[Finding]:
    name = {"element": node.id, "name": node.name}
    if node.kind == "endEvent" and node.outgoing:
        yield finding("end_with_flow", **name)
    if node.kind == "startEvent" and node.incoming:
        yield finding("start_with_flow", **name)
    if node.kind == "eventSubProcess" and (node.incoming or node.outgoing):
        yield finding("handler_with_flow", **name)
    if not node.outgoing and node.kind not in ("endEvent", "eventSubProcess") and not _is_link_throw(node):
        yield finding("implicit_end", **name, node=node.label)
    bare = [flow for flow in graph.outgoing(node) if not flow.condition and flow.id != node.default]
    if len(bare) > 1 and not node.kind.endswith("Gateway"):
        yield finding("implicit_split", **name, node=node.label)


def _border(graph: Graph, node: Node) -> Iterator[Finding]:
    host = graph.nodes.get(node.attached_to)
    if host is None or host.kind not in ACTIVITIES or host.scope != node.scope:
        yield finding("boundary_nowhere", node.id, node.name)
    if node.incoming:
        yield finding("boundary_with_flow", node.id, node.name)


def _is_link_throw(node: Node) -> bool:
    return node.kind == "intermediateThrowEvent" and is_link(node)


def _events(graph: Graph, node: Node) -> Iterator[Finding]:
    if _is_link_throw(node) and not linked(graph, node):
        yield finding("link_nowhere", node.id, node.name, link=node.trigger.name if node.trigger else "")
    if node.kind == "eventBasedGateway":
        after = [graph.nodes[flow.target] for flow in graph.outgoing(node)]
        if not after or not all(is_awaited(each) for each in after):
            yield finding("no_event", node.id, node.name, node=node.label)
    kind = node.trigger.kind if node.trigger else ""
    if _starts(graph, node, "subProcess") and kind:
        yield finding("inner_trigger", node.id, node.name, kind=Phrase(TRIGGERS.get(kind, kind)))
    elif kind in ("message", "signal") and node.trigger and not node.trigger.name:
        yield finding("unnamed", node.id, node.name, node=node.label)


def _work(node: Node) -> Iterator[Finding]:
    if node.operation or node.sets or (node.kind == "sendTask" and node.trigger):
        return
    if node.foreign:
        yield finding("foreign_work", node.id, node.name, call=node.foreign)
    else:
        yield finding("no_rule" if node.kind == "businessRuleTask" else "no_operation", node.id, node.name)


def _call(graph: Graph, node: Node) -> Iterator[Finding]:
    if node.call is None or not node.call.process:
        yield finding("no_called", node.id, node.name, node=node.label)
    elif node.call.process == graph.id:
        yield finding("calls_itself", node.id, node.name, node=node.label, limit=str(Limits().depth))


def _exclusive(graph: Graph, node: Node) -> Iterator[Finding]:
    flows = graph.outgoing(node)
    bare = [flow for flow in flows if flow.id != node.default and not flow.condition]
    if open_ways(node, flows):
        yield finding("persons_choice", node.id, node.name, node=node.label)
    elif len(flows) > 1 and bare:
        yield finding("otherwise", bare[0].id, bare[0].name, flow=bare[0].name or bare[0].id)
