"""What a diagram means once it is read: a graph of plain, immutable data that survives JSON unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Self

CRM_NAMESPACE = "https://contentum.example/bpmn/crm"
BPMN_NAMESPACE = "http://www.omg.org/spec/BPMN/20100524/MODEL"
GRAPH_FORMAT = 1

ROOT = ""

Json = dict[str, Any]


class Plain:
    """Dataclass to compact JSON and back: what equals its default is left out."""

    def to_json(self) -> Json:
        result: Json = {}
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if value not in ("", None, (), {}, False) or item.name == "interrupting":
                result[item.name] = _plain(value)
        return result

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        known = {item.name for item in fields(cls)}  # type: ignore[arg-type]
        return cls(**{key: cls._read(key, value) for key, value in data.items() if key in known})

    @classmethod
    def _read(cls, key: str, value: Any) -> Any:
        kind = PARTS.get((cls.__name__, key))
        if isinstance(value, list):
            return tuple(kind.from_json(each) if kind else each for each in value)
        return kind.from_json(value) if kind and value is not None else value


def _plain(value: Any) -> Any:
    if isinstance(value, Plain):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Choice(Plain):
    value: str
    label: str = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field(Plain):
    """One question of a user task's form. `labels` holds the label by language code."""

    key: str
    label: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    type: str = "text"
    required: bool = False
    readonly: bool = False
    bind: str = ""
    help: str = ""
    helps: dict[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Plain):
    """One button that completes a user task.

    `comment` is "required" or empty; with `fields` "optional" required fields may stay empty.
    """

    key: str
    label: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    style: str = "primary"
    comment: str = ""
    fields: str = ""


@dataclass(frozen=True, slots=True)
class Form(Plain):
    fields: tuple[Field, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument(Plain):
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Operation(Plain):
    """What a service task calls: inputs are literals or expressions, outputs name the variables they fill."""

    name: str
    version: str = "1"
    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Call(Plain):
    """The process a call activity starts. Without inputs every variable goes in.

    Outputs: `name` is an expression over the called process's variables, `value` the variable here that takes it;
    the name "*" takes all of them.
    """

    process: str
    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat(Plain):
    """How often an activity is done: once for each item or number (kind "multi"), or as long as `condition` holds.

    For "multi" the condition, once it is met, ends the activity early. `element` names the variable that holds the
    item inside one round; `output_element` is worked out at its end and gathered in the list `output`.
    """

    kind: str
    sequential: bool = False
    cardinality: str = ""
    collection: str = ""
    element: str = ""
    output: str = ""
    output_element: str = ""
    condition: str = ""
    test_before: bool = False
    maximum: str = ""


@dataclass(frozen=True, slots=True)
class Trigger(Plain):
    """The event definition of an event node: kind is timer, terminate, error, link, message, signal …

    `key` is the expression that tells one receiver of a message from another.
    """

    kind: str
    duration: str = ""
    date: str = ""
    cycle: str = ""
    code: str = ""
    name: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Flow(Plain):
    id: str
    source: str
    target: str
    name: str = ""
    names: dict[str, str] = field(default_factory=dict)
    condition: str = ""
    scope: str = ROOT


@dataclass(frozen=True, slots=True)
class Node(Plain):
    """A flow node. `scope` is the id of the subprocess it lies in, empty at the top.

    `inputs` are what a thrown message or signal carries, `outputs` what is kept of one that is caught (all of it
    when there are none); `sets` are the variables a rule works out. `start`: where a subprocess begins.
    `remind`: how long before `due` the holder is reminded; `escalate`: how long after it his head is told.
    """

    id: str
    kind: str
    name: str = ""
    names: dict[str, str] = field(default_factory=dict)
    documentation: str = ""
    scope: str = ROOT
    lane: str = ""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str = ""
    triggers: tuple[Trigger, ...] = ()
    attached_to: str = ""
    interrupting: bool = True
    assignee: str = ""
    candidate_role: str = ""
    candidate_groups: tuple[str, ...] = ()
    due: str = ""
    remind: str = ""
    escalate: str = ""
    form: Form | None = None
    operation: Operation | None = None
    foreign: str = ""
    call: Call | None = None
    repeat: Repeat | None = None
    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()
    sets: tuple[Argument, ...] = ()
    compensates: bool = False
    start: str = ""

    @property
    def trigger(self) -> Trigger | None:
        return self.triggers[0] if self.triggers else None

    @property
    def label(self) -> str:
        return self.name or self.id


@dataclass(frozen=True)
class Graph(Plain):
    """One process. `start` is the node where it begins; `object` the kind of record it runs on."""

    id: str
    name: str = ""
    names: dict[str, str] = field(default_factory=dict)
    documentation: str = ""
    object: str = ""
    start: str = ""
    node_list: tuple[Node, ...] = ()
    flow_list: tuple[Flow, ...] = ()
    format: int = GRAPH_FORMAT

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.node_list}

    @cached_property
    def flows(self) -> dict[str, Flow]:
        return {flow.id: flow for flow in self.flow_list}

    @cached_property
    def boundaries(self) -> dict[str, tuple[Node, ...]]:
        """Boundary events by the activity they sit on, in the order drawn."""
        found: dict[str, list[Node]] = {}
        for node in self.node_list:
            if node.attached_to:
                found.setdefault(node.attached_to, []).append(node)
        return {host: tuple(nodes) for host, nodes in found.items()}

    def outgoing(self, node: Node) -> list[Flow]:
        return [self.flows[flow] for flow in node.outgoing]

    @cached_property
    def _scopes(self) -> dict[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.node_list:
            found.setdefault(node.scope, []).append(node)
        return {scope: tuple(nodes) for scope, nodes in found.items()}

    def inside(self, scope: str) -> tuple[Node, ...]:
        return self._scopes.get(scope, ())

    @cached_property
    def handlers(self) -> dict[str, tuple[Node, ...]]:
        """The start events of event subprocesses, by the scope they watch."""
        found: dict[str, list[Node]] = {}
        for node in self.node_list:
            if node.kind == "eventSubProcess" and node.start:
                found.setdefault(node.scope, []).append(self.nodes[node.start])
        return {scope: tuple(nodes) for scope, nodes in found.items()}


PARTS: dict[tuple[str, str], type[Plain]] = {
    ("Field", "choices"): Choice,
    ("Form", "fields"): Field,
    ("Form", "outcomes"): Outcome,
    ("Operation", "inputs"): Argument,
    ("Operation", "outputs"): Argument,
    ("Node", "triggers"): Trigger,
    ("Node", "form"): Form,
    ("Node", "operation"): Operation,
    ("Node", "call"): Call,
    ("Node", "repeat"): Repeat,
    ("Node", "inputs"): Argument,
    ("Node", "outputs"): Argument,
    ("Node", "sets"): Argument,
    ("Call", "inputs"): Argument,
    ("Call", "outputs"): Argument,
    ("Graph", "node_list"): Node,
    ("Graph", "flow_list"): Flow,
}
