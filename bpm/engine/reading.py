"""From a BPMN document to graphs: what is drawn, without judging it (that is `checking`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lxml import etree  # type: ignore[import-untyped]

from bpm.engine.extensions import (
    crm,
    foreign_call,
    groups,
    kindred,
    read_form,
    read_operation,
    short,
    translated,
    zeebe,
)
from bpm.engine.findings import Finding, finding, refusal
from bpm.engine.handing import read_call, read_inputs, read_key, read_outputs, read_repeat, read_sets
from bpm.engine.hardening import check_id, parse_xml
from bpm.engine.model import BPMN_NAMESPACE, ROOT, Flow, Graph, Node, Trigger
from bpm.engine.routes import beginnings

MAX_NODES = 500
MAX_FLOWS = 2_000
MAX_NESTING = 20

_BPMN = f"{{{BPMN_NAMESPACE}}}"

EVENTS = ("startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent")
TASKS = (
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask",
    "businessRuleTask", "callActivity", "choreographyTask", "callChoreography",
)  # fmt: skip
CONTAINERS = ("subProcess", "transaction", "adHocSubProcess", "subChoreography")
GATEWAYS = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway")
FLOW_NODES = frozenset((*EVENTS, *TASKS, *CONTAINERS, *GATEWAYS))
_MADE_OF = FLOW_NODES | {"process", "sequenceFlow"}


class Reading(NamedTuple):
    graphs: tuple[Graph, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Draft:
    """What has been collected of one process so far."""

    nodes: dict[str, Node] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    lanes: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read(data: bytes) -> Reading:
    """The processes of a file and what is wrong with their connections; raises RefusedError when hostile."""
    root = parse_xml(data)
    ids = _ids(root)
    _count(root)
    names = _pool_names(root)
    codes = _codes(root)
    elements = list(root.iterfind(f"{_BPMN}process"))
    drafts = [_collect(element, ids, codes) for element in elements]
    _sort_flows(drafts)
    everywhere = {node for draft in drafts for node in draft.nodes}
    for draft in drafts:
        _connect(draft, ids, everywhere)
    graphs = [_graph(element, draft, names) for element, draft in zip(elements, drafts, strict=True)]
    findings = [each for draft in drafts for each in draft.findings]
    if root.find(f"{_BPMN}choreography") is not None:
        findings.append(finding("choreography"))
    if not graphs:
        findings.append(finding("no_process"))
    return Reading(tuple(graphs), tuple(findings))


def _sort_flows(drafts: list[_Draft]) -> None:
    """Some modelers list a flow under another pool than the steps it connects; the steps decide."""
    home = {node: draft for draft in drafts for node in draft.nodes}
    every = [(draft, flow) for draft in drafts for flow in draft.flows]
    for draft in drafts:
        draft.flows = []
    for draft, flow in every:
        home.get(flow.source, draft).flows.append(flow)


def _local(element: etree._Element) -> str:
    """The element's name when it belongs to BPMN, else nothing."""
    tag = element.tag
    return tag[len(_BPMN) :] if isinstance(tag, str) and tag.startswith(_BPMN) else ""


def _ids(root: etree._Element) -> set[str]:
    """Every id of the model; refuses unusable ones, and repeated ones where it matters which is meant."""
    found: set[str] = set()
    made_of: set[str] = set()
    for element in root.iter(f"{_BPMN}*"):
        text = element.get("id")
        if text is None:
            continue
        strictly = _local(element) in _MADE_OF
        check_id(text, strictly=strictly)
        if strictly and text in made_of:
            raise refusal("duplicate_id", element=text, id=text)
        found.add(text)
        if strictly:
            made_of.add(text)
    return found


def _reference(element: etree._Element, name: str, ids: set[str]) -> str:
    """The id another element is named by; some modelers put a namespace prefix before it."""
    text = short(element.get(name))
    return text if text in ids else text.rpartition(":")[2]


def _count(root: etree._Element) -> None:
    nodes = sum(1 for element in root.iter(f"{_BPMN}*") if _local(element) in FLOW_NODES)
    if nodes > MAX_NODES:
        raise refusal("too_many", count=str(nodes), limit=str(MAX_NODES))
    flows = sum(1 for _each in root.iter(f"{_BPMN}sequenceFlow"))
    if flows > MAX_FLOWS:
        raise refusal("too_many", count=str(flows), limit=str(MAX_FLOWS))


def _pool_names(root: etree._Element) -> dict[str, str]:
    """Names of pools by the process they hold: many modelers name only the pool."""
    return {
        short(each.get("processRef")).rpartition(":")[2]: short(each.get("name"))
        for each in root.iter(f"{_BPMN}participant")
        if each.get("processRef")
    }


Codes = dict[str, tuple[str, str, str]]


def _codes(root: etree._Element) -> Codes:
    """(code, name, key) of the errors, messages, signals and escalations that events refer to."""
    found = {}
    for kind in ("error", "message", "signal", "escalation"):
        for element in root.iterfind(f"{_BPMN}{kind}"):
            code = element.get(f"{kind}Code") or element.get("name") or ""
            found[element.get("id") or ""] = (short(code), short(element.get("name")), read_key(element))
    return found


def _collect(process: etree._Element, ids: set[str], codes: Codes) -> _Draft:
    """Walks a process and its subprocesses with a list of its own, so depth cannot exhaust the stack."""
    draft = _Draft()
    pending: list[tuple[etree._Element, str, int]] = [(process, ROOT, 0)]
    while pending:
        parent, scope, depth = pending.pop()
        if depth > MAX_NESTING:
            raise refusal("nesting", limit=str(MAX_NESTING))
        for element in parent:
            kind = _local(element)
            if kind == "sequenceFlow":
                _add_flow(draft, element, scope, ids)
            elif kind == "laneSet":
                draft.lanes.update(_lanes(element))
            elif kind in FLOW_NODES:
                node = replace(
                    _node(element, kind, scope, codes), attached_to=_reference(element, "attachedToRef", ids)
                )
                if not node.id:
                    draft.findings.append(finding("no_id", name=node.name, kind=kind))
                    continue
                draft.nodes[node.id] = node
                if kind in CONTAINERS:
                    pending.append((element, node.id, depth + 1))
    return draft


def _lanes(element: etree._Element) -> Iterator[tuple[str, str]]:
    for lane in element.iter(f"{_BPMN}lane"):
        for reference in lane.iterfind(f"{_BPMN}flowNodeRef"):
            yield (reference.text or "").strip(), short(lane.get("name"))


def _add_flow(draft: _Draft, element: etree._Element, scope: str, ids: set[str]) -> None:
    source, target = (_reference(element, name, ids) for name in ("sourceRef", "targetRef"))
    flow_id = element.get("id") or f"{source}-{target}-{len(draft.flows)}"
    name = short(element.get("name"))
    if not source or not target:
        draft.findings.append(finding("loose_flow", flow_id, name))
        return
    condition = element.find(f"{_BPMN}conditionExpression")
    text = "".join(str(part) for part in condition.itertext()).strip() if condition is not None else ""
    draft.flows.append(Flow(flow_id, source, target, name, translated(element, "name"), text, scope))


def _node(element: etree._Element, kind: str, scope: str, codes: Codes) -> Node:
    documentation = element.find(f"{_BPMN}documentation")
    operation = read_operation(element)
    sets = read_sets(element)
    triggers = tuple(_triggers(element, kind, codes))
    always = any(trigger.kind == "error" for trigger in triggers)  # an error cannot leave its step running
    return Node(
        id=element.get("id") or "",
        kind=kind if element.get("triggeredByEvent") != "true" else "eventSubProcess",
        name=short(element.get("name")),
        names=translated(element, "name"),
        documentation=(documentation.text or "").strip()[:5_000] if documentation is not None else "",
        scope=scope,
        default=element.get("default") or "",
        triggers=triggers,
        interrupting=always
        or element.get("cancelActivity", element.get("isInterrupting", "true")) != "false",
        assignee=crm(element, "assignee")
        or kindred(element, "assignee")
        or zeebe(element, _ASSIGNED, "assignee"),
        candidate_role=crm(element, "candidateRole"),
        candidate_groups=groups(
            kindred(element, "candidateGroups") or zeebe(element, _ASSIGNED, "candidateGroups")
        ),
        due=crm(element, "due") or kindred(element, "dueDate") or zeebe(element, "taskSchedule", "dueDate"),
        remind=crm(element, "remind"),
        escalate=crm(element, "escalate"),
        form=read_form(element) if kind in ("userTask", "startEvent") else None,
        operation=operation,
        foreign="" if operation or sets else foreign_call(element),
        call=read_call(element) if kind == "callActivity" else None,
        repeat=read_repeat(element) if kind in (*TASKS, *CONTAINERS) else None,
        inputs=() if operation or kind == "callActivity" else read_inputs(element),
        outputs=() if operation or kind == "callActivity" else read_outputs(element),
        sets=sets,
        compensates=element.get("isForCompensation") == "true",
    )


_UNKNOWN = ("", "", "")
_ASSIGNED = "assignmentDefinition"


def _triggers(element: etree._Element, kind: str, codes: Codes) -> Iterator[Trigger]:
    own_key = read_key(element)
    if kind in ("receiveTask", "sendTask"):
        _code, name, key = codes.get((element.get("messageRef") or "").rpartition(":")[2], _UNKNOWN)
        if name or kind == "receiveTask" or not (crm(element, "operation") or foreign_call(element)):
            yield Trigger("message", name=name, key=own_key or key)
    for child in element:
        kind = _local(child)
        if kind == "eventDefinitionRef":
            yield Trigger("reference")
        if not kind.endswith("EventDefinition"):
            continue
        kind = kind.removesuffix("EventDefinition")
        code, name, key = codes.get((child.get(f"{kind}Ref") or "").rpartition(":")[2], _UNKNOWN)
        yield Trigger(
            kind=kind,
            duration=_text(child, "timeDuration"),
            date=_text(child, "timeDate"),
            cycle=_text(child, "timeCycle"),
            code=code,
            name=short(child.get("name")) or name,
            key=own_key or key,
        )


def _text(element: etree._Element, name: str) -> str:
    child = element.find(_BPMN + name)
    return "".join(str(part) for part in child.itertext()).strip() if child is not None else ""


def _connect(draft: _Draft, ids: set[str], elsewhere: set[str]) -> None:
    """Gives the nodes their flows; flows that connect nothing sensible are reported and left out."""
    incoming: dict[str, list[str]] = {}
    outgoing: dict[str, list[str]] = {}
    kept: list[Flow] = []
    for flow in draft.flows:
        ends = [draft.nodes.get(end) for end in (flow.source, flow.target)]
        if None in ends:
            draft.findings.append(_misled(flow, draft, ids, elsewhere))
            continue
        scopes = {node.scope for node in ends if node}
        if len(scopes) > 1:
            draft.findings.append(finding("flow_crosses", flow.id, flow.name))
            continue
        kept.append(replace(flow, scope=scopes.pop()))
        outgoing.setdefault(flow.source, []).append(flow.id)
        incoming.setdefault(flow.target, []).append(flow.id)
    draft.flows = kept
    for node in list(draft.nodes.values()):
        out = tuple(outgoing.get(node.id, ()))
        draft.nodes[node.id] = replace(
            node,
            incoming=tuple(incoming.get(node.id, ())),
            outgoing=out,
            default=node.default if node.default in out else "",
            lane=draft.lanes.get(node.id, ""),
        )


def _misled(flow: Flow, draft: _Draft, ids: set[str], elsewhere: set[str]) -> Finding:
    end = flow.target if flow.source in draft.nodes else flow.source
    if end not in ids:
        raise refusal("flow_to_nowhere", flow.id, flow.name, id=end[:100])
    return finding("flow_crosses" if end in elsewhere else "flow_not_node", flow.id, flow.name, id=end[:100])


def _graph(process: etree._Element, draft: _Draft, pools: dict[str, str]) -> Graph:
    process_id = process.get("id") or "process"
    documentation = process.find(f"{_BPMN}documentation")
    inside: dict[str, list[Node]] = {}
    for node in draft.nodes.values():
        inside.setdefault(node.scope, []).append(node)
    first = {scope: found[0][0] for scope, nodes in inside.items() if (found := beginnings(nodes))}
    return Graph(
        id=process_id,
        name=short(process.get("name")) or pools.get(process_id, ""),
        names=translated(process, "name"),
        documentation=(documentation.text or "").strip()[:5_000] if documentation is not None else "",
        object=crm(process, "object"),
        start=first.get(ROOT, ""),
        node_list=tuple(replace(node, start=first.get(node.id, "")) for node in draft.nodes.values()),
        flow_list=tuple(draft.flows),
    )
