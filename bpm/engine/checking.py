"""The verdict on an uploaded diagram, with everything that is wrong with it said at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpm.engine.findings import REJECT, Finding, RefusedError, finding, verdict
from bpm.engine.model import Graph
from bpm.engine.reading import read, starts
from bpm.engine.rules import node_findings, variable_findings
from bpm.engine.soundness import soundness


@dataclass(frozen=True, slots=True)
class Report:
    """verdict: reject (hostile or no BPMN), draft (shown, not run) or publishable (warnings allowed)."""

    verdict: str
    graphs: tuple[Graph, ...]
    findings: tuple[Finding, ...]


def check(data: bytes) -> Report:
    """Reads and judges a file; bad input is a verdict, never an exception."""
    try:
        reading = read(data)
    except RefusedError as refused:
        return Report(REJECT, (), (refused.finding,))
    graphs = tuple(graph for graph in reading.graphs if graph.node_list)
    findings = list(reading.findings)
    for graph in reading.graphs:
        if graph.node_list:
            findings += graph_findings(graph)
        else:
            findings.append(finding("empty_pool" if graphs else "empty_process", graph.id, graph.name))
    ordered = tuple(sorted(findings, key=lambda each: each.severity))
    return Report(verdict(ordered), graphs, ordered)


def graph_findings(graph: Graph) -> list[Finding]:
    """Everything that can be said of one process."""
    return [
        *_beginnings(graph),
        *(each for node in graph.node_list for each in node_findings(graph, node)),
        *variable_findings(graph),
        *soundness(graph),
    ]


def _beginnings(graph: Graph) -> Iterator[Finding]:
    scopes = ["", *(node.id for node in graph.node_list if node.kind == "subProcess")]
    for scope in scopes:
        element, name = (scope, graph.nodes[scope].name) if scope else (graph.id, graph.name)
        found = starts(graph.inside(scope))
        if not found:
            yield finding("nowhere_to_start", element, name)
            continue
        if found[0].kind != "startEvent":
            yield finding("no_start", element, name, node=found[0].label)
        elif len(found) > 1:
            yield finding("several_starts", element, name, node=found[0].label)
    if not any(node.kind == "endEvent" for node in graph.inside("")):
        yield finding("no_end", graph.id, graph.name)
