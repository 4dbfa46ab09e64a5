"""The rules a single step, event, gateway or flow has to meet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from bpm.engine.behaviours import open_ways, outcome_variable
from bpm.engine.durations import DurationError, moment_of, parse_cycle
from bpm.engine.expressions import ExpressionError, is_expression, parse, parse_template, paths
from bpm.engine.extensions import FIELD_TYPES
from bpm.engine.findings import Finding, finding
from bpm.engine.model import Flow, Form, Graph, Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import is_link, linked
from bpm.engine.unsupported import unsupported

_KEY = re.compile(r"[^\W\d]\w{0,63}")
_OPERATION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_ANYTIME = "2026-01-01T00:00:00+00:00"

# what the surroundings put into the variables when a process starts
GIVEN = frozenset((
    "deal", "lead", "counterparty", "contact", "plan", "document", "requester", "owner", "head", "request",
    "outcome",
))  # fmt: skip
ACTIVITIES = frozenset((
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask",
    "businessRuleTask", "callActivity", "subProcess", "transaction", "adHocSubProcess",
))  # fmt: skip


def node_findings(graph: Graph, node: Node) -> Iterator[Finding]:
    yield from unsupported(node)
    yield from _connections(graph, node)
    if node.kind == "userTask":
        yield from _user_task(node)
    if node.kind in ("serviceTask", "sendTask"):
        yield from _work(node)
    if node.kind == "exclusiveGateway":
        yield from _exclusive(graph, node)
    yield from _conditions(graph, node)
    yield from _links(graph, node)
    yield from _timers(node)


def _connections(graph: Graph, node: Node) -> Iterator[Finding]:
    name = {"element": node.id, "name": node.name}
    if node.kind == "endEvent" and node.outgoing:
        yield finding("end_with_flow", **name)
    if node.kind == "startEvent" and node.incoming:
        yield finding("start_with_flow", **name)
    if node.kind == "boundaryEvent":
        host = graph.nodes.get(node.attached_to)
        if host is None or host.kind not in ACTIVITIES or host.scope != node.scope:
            yield finding("boundary_nowhere", **name)
        if node.incoming:
            yield finding("boundary_with_flow", **name)
    if not node.outgoing and node.kind not in ("endEvent", "eventSubProcess") and not _is_link_throw(node):
        yield finding("implicit_end", **name, node=node.label)
    bare = [flow for flow in graph.outgoing(node) if not flow.condition and flow.id != node.default]
    if len(bare) > 1 and not node.kind.endswith("Gateway"):
        yield finding("implicit_split", **name, node=node.label)


def _is_link_throw(node: Node) -> bool:
    return node.kind == "intermediateThrowEvent" and is_link(node)


def _links(graph: Graph, node: Node) -> Iterator[Finding]:
    if _is_link_throw(node) and not linked(graph, node):
        yield finding("link_nowhere", node.id, node.name, link=node.trigger.name if node.trigger else "")
    if node.kind == "eventBasedGateway":
        after = [graph.nodes[flow.target] for flow in graph.outgoing(node)]
        if not after or any(each.kind != "intermediateCatchEvent" or is_link(each) for each in after):
            yield finding("no_event", node.id, node.name, node=node.label)


def _user_task(node: Node) -> Iterator[Finding]:
    if not (node.assignee or node.candidate_role or node.candidate_groups or node.lane):
        yield finding("no_assignee", node.id, node.name, node=node.label)
    yield from _values(node, (("assignee", node.assignee), ("candidateRole", node.candidate_role)))
    if node.due:
        yield from _time(node, node.due)
    if node.form:
        yield from _form(node, node.form)


def _work(node: Node) -> Iterator[Finding]:
    operation = node.operation
    if operation is None:
        if node.foreign:
            yield finding("foreign_work", node.id, node.name, call=node.foreign)
        else:
            yield finding("no_operation", node.id, node.name)
        return
    if not _OPERATION.fullmatch(operation.name) or not re.fullmatch(r"[1-9]\d{0,3}", operation.version):
        value = f"{operation.name} {operation.version}"[:100]
        yield finding("bad_operation", node.id, node.name, value=value)
    yield from _values(node, ((argument.name, argument.value) for argument in operation.inputs))
    for argument in operation.inputs:
        if not _KEY.fullmatch(argument.name):
            yield _bad_value(node, argument.name, Phrase(_("its name is not a word")))
    for argument in operation.outputs:
        if not _KEY.fullmatch(argument.value) or not argument.name:
            yield _bad_value(node, argument.name, Phrase(_("it names no variable")))


def _values(node: Node, values: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for attribute, text in values:
        try:
            parse_template(text)
        except ExpressionError as error:
            yield _bad_value(node, attribute, error.phrase)


def _bad_value(node: Node, attribute: str, problem: Phrase) -> Finding:
    return finding("bad_value", node.id, node.name, attribute=attribute[:100], problem=problem)


def _time(node: Node, text: str, *, repeats: bool = False) -> Iterator[Finding]:
    try:
        if is_expression(text):
            parse_template(text)
        elif repeats:
            parse_cycle(text)
        else:
            moment_of(text, datetime.fromisoformat(_ANYTIME))
    except (ExpressionError, DurationError) as error:
        yield finding("bad_time", node.id, node.name, value=text[:100], problem=error.phrase)


def _timers(node: Node) -> Iterator[Finding]:
    for trigger in node.triggers:
        if trigger.kind != "timer" or node.kind == "startEvent":
            continue
        if not (trigger.duration or trigger.date or trigger.cycle):
            yield finding("no_time", node.id, node.name)
        elif trigger.cycle:
            yield from _time(node, trigger.cycle, repeats=True)
            if node.kind != "boundaryEvent" or node.interrupting:
                yield finding("first_repeat", node.id, node.name, node=node.label)
        else:
            yield from _time(node, trigger.duration or trigger.date)


def _form(node: Node, form: Form) -> Iterator[Finding]:
    for key, problem in _form_problems(form):
        yield finding("bad_form", node.id, node.name, key=key[:100], problem=problem)


def _form_problems(form: Form) -> Iterator[tuple[str, Phrase]]:
    seen: set[str] = set()
    for each in form.fields:
        if not _KEY.fullmatch(each.key):
            yield each.key, Phrase(_("its key is not a word"))
        if each.key in seen:
            yield each.key, Phrase(_("it is there twice"))
        seen.add(each.key)
        if each.type not in FIELD_TYPES:
            yield each.key, Phrase(_("the type “%(type)s” is not known"), {"type": each.type[:40]})
        if each.type == "choice" and not each.choices:
            yield each.key, Phrase(_("there is nothing to choose from"))
    keys = [each.key for each in form.outcomes]
    for key in dict.fromkeys(keys):
        if not key:
            yield key, Phrase(_("an outcome has no key"))
        if keys.count(key) > 1:
            yield key, Phrase(_("it is there twice"))


def _exclusive(graph: Graph, node: Node) -> Iterator[Finding]:
    flows = graph.outgoing(node)
    bare = [flow for flow in flows if flow.id != node.default and not flow.condition]
    if open_ways(node, flows):
        yield finding("persons_choice", node.id, node.name, node=node.label)
    elif len(flows) > 1 and bare:
        yield finding("otherwise", bare[0].id, bare[0].name, flow=bare[0].name or bare[0].id)


def _conditions(graph: Graph, node: Node) -> Iterator[Finding]:
    flows = graph.outgoing(node)
    decides = node.kind not in ("parallelGateway", "eventBasedGateway")
    if decides and flows and not node.default and all(flow.condition for flow in flows):
        yield finding("no_default", node.id, node.name, node=node.label)
    for flow in flows:
        if not flow.condition:
            continue
        if flow.id == node.default or not decides:
            yield finding("unused_condition", flow.id, flow.name, flow=flow.name or flow.id)
            continue
        try:
            parse(flow.condition)
        except ExpressionError as error:
            name = flow.name or flow.id
            yield finding("bad_condition", flow.id, flow.name, flow=name, problem=error.phrase)


def variable_findings(graph: Graph) -> Iterator[Finding]:
    """Variables that conditions read and nothing in the process sets, each reported once."""
    known = set(GIVEN)
    for node in graph.node_list:
        known.add(outcome_variable(node.id))
        known |= {each.key for each in node.form.fields} if node.form else set()
        known |= {each.value for each in node.operation.outputs} if node.operation else set()
    for flow in graph.flow_list:
        for name in sorted(_names(flow) - known):
            known.add(name)
            yield finding("unset_variable", flow.id, flow.name, variable=name)


def _names(flow: Flow) -> set[str]:
    try:
        return {path[0] for path in paths(parse(flow.condition))} if flow.condition else set()
    except ExpressionError:
        return set()
