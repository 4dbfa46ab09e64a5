"""The verdict on an uploaded diagram, with everything that is wrong with it said at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpm.engine.findings import REJECT, Finding, RefusedError, finding, verdict
from bpm.engine.model import Graph, Node
from bpm.engine.reading import read
from bpm.engine.routes import beginnings
from bpm.engine.rules import node_findings
from bpm.engine.soundness import soundness
from bpm.engine.value_rules import condition_findings, variable_findings, written_findings
from bpm.engine.vocabulary import Cards, Vocabulary, vocabulary


@dataclass(frozen=True, slots=True)
class Report:
    """verdict: reject (hostile or no BPMN), draft (shown, not run) or publishable (warnings allowed)."""

    verdict: str
    graphs: tuple[Graph, ...]
    findings: tuple[Finding, ...]


NO_CARDS: Cards = {}


def check(data: bytes, cards: Cards = NO_CARDS) -> Report:
    """Reads and judges a file; bad input is a verdict, never an exception.

    `cards`: the kinds of the fields of the cards that expressions may read; fields of other cards are not checked.
    """
    try:
        reading = read(data)
    except RefusedError as refused:
        return Report(REJECT, (), (refused.finding,))
    graphs = tuple(graph for graph in reading.graphs if graph.node_list)
    findings = list(reading.findings)
    for graph in reading.graphs:
        if graph.node_list:
            findings += graph_findings(graph, cards)
        else:
            findings.append(finding("empty_pool" if graphs else "empty_process", graph.id, graph.name))
    ordered = tuple(sorted(findings, key=lambda each: each.severity))
    return Report(verdict(ordered), graphs, ordered)


def graph_findings(graph: Graph, cards: Cards) -> list[Finding]:
    """Everything that can be said of one process."""
    words = vocabulary(graph, cards)
    return [
        *_beginnings(graph),
        *(each for node in graph.node_list for each in _of_node(graph, node, words)),
        *variable_findings(graph, words),
        *soundness(graph),
    ]


def _of_node(graph: Graph, node: Node, words: Vocabulary) -> Iterator[Finding]:
    yield from node_findings(graph, node)
    yield from written_findings(node, words)
    yield from condition_findings(graph, node, words)


def _beginnings(graph: Graph) -> Iterator[Finding]:
    scopes = ["", *(node.id for node in graph.node_list if node.kind in ("subProcess", "eventSubProcess"))]
    for scope in scopes:
        element, name = (scope, graph.nodes[scope].name) if scope else (graph.id, graph.name)
        found = beginnings(graph.inside(scope))
        if not found:
            yield finding("nowhere_to_start", element, name)
            continue
        first = graph.nodes[found[0][0]]
        if len(found[0]) > 1:
            yield finding("together_starts", element, name, node=first.label)
        elif first.kind != "startEvent":
            yield finding("no_start", element, name, node=first.label)
        elif len(found) > 1:
            handles = bool(scope) and graph.nodes[scope].kind == "eventSubProcess"
            yield finding(
                "several_triggers" if handles else "several_starts", element, name, node=first.label
            )
    if not any(node.kind == "endEvent" for node in graph.inside("")):
        yield finding("no_end", graph.id, graph.name)
