"""The words expressions of a process can use: its variables and the fields of its cards, with their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bpm.engine.activities import outcome_variable
from bpm.engine.expressions import Path
from bpm.engine.model import Graph, Node
from bpm.engine.repeating import COUNTER

ANY, NUMBER, TEXT, DATE, BOOL, LIST, CARD = "any", "number", "text", "date", "bool", "list", "card"

Cards = Mapping[str, Mapping[str, str]]

# what the surroundings put into the variables when a process starts
GIVEN = frozenset((
    "deal", "lead", "counterparty", "contact", "plan", "document", "requester", "owner", "head", "request",
    "request_id", "from_stage", "to_stage", "outcome", "comment",
))  # fmt: skip
COUNTERS = (COUNTER, "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances")
_OF_FIELD = {"number": NUMBER, "money": NUMBER, "date": DATE, "bool": BOOL, "file": CARD}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`kinds` by path; `is_open` when what comes from outside may bring any variable; `cards`: fields by card."""

    kinds: Mapping[Path, str]
    is_open: bool
    cards: Cards

    def knows(self, name: str) -> bool:
        return self.is_open or name in GIVEN or (name,) in self.kinds


def vocabulary(graph: Graph, cards: Cards) -> Vocabulary:
    kinds: dict[Path, str] = {("outcome",): TEXT}
    for node in graph.node_list:
        for name, kind in set_by(node):
            kinds[(name,)] = kind if kinds.get((name,), kind) == kind else ANY
    for card, fields in cards.items():
        kinds[(card,)] = CARD
        kinds |= {(card, field): kind for field, kind in fields.items()}
    return Vocabulary(kinds, any(_brings_anything(node) for node in graph.node_list), cards)


def set_by(node: Node) -> Iterator[tuple[str, str]]:
    """The variables that a visit to the node may set, with their kinds."""
    yield outcome_variable(node.id), TEXT
    yield f"{node.id}_comment", TEXT
    for field in node.form.fields if node.form else ():
        yield field.key, _OF_FIELD.get(field.type, TEXT)
    for output in (node.operation.outputs if node.operation else ()) + (
        node.call.outputs if node.call else ()
    ):
        yield output.value, ANY
    for output in node.outputs:
        yield output.value, ANY
    for each in node.sets:
        yield each.name, ANY
    if node.repeat:
        yield from ((name, NUMBER) for name in COUNTERS)
        yield from ((name, ANY) for name in (node.repeat.element,) if name)
        yield from ((name, LIST) for name in (node.repeat.output,) if name)


def _brings_anything(node: Node) -> bool:
    """A message or signal without named outputs, or a call that brings everything back."""
    if node.call:
        return any(each.name == "*" for each in node.call.outputs)
    kind = node.trigger.kind if node.trigger else ""
    catches = node.kind in ("receiveTask", "intermediateCatchEvent", "boundaryEvent", "startEvent")
    return catches and kind in ("message", "signal") and not node.outputs
