"""A rehearsal without side effects: people answer at random, jobs succeed, timers come due.

The same seed gives the same run. Ways not taken yet are preferred, so that circles are left in the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bpm.engine import state as waits
from bpm.engine.advance import advance
from bpm.engine.books import Limits
from bpm.engine.events import (
    CallDone,
    CancelJob,
    CancelProcess,
    CancelTimer,
    CloseUserTask,
    Continue,
    Effect,
    Event,
    Incident,
    JobDone,
    MessageReceived,
    NodeEntered,
    NodeLeft,
    OpenUserTask,
    Result,
    SetTimer,
    SignalReceived,
    Started,
    StartJob,
    StartProcess,
    Subscribe,
    TaskDone,
    TimerDue,
    Unsubscribe,
)
from bpm.engine.expressions import ExpressionError, Path, parse, parse_template, probes
from bpm.engine.model import Field, Graph
from bpm.engine.routes import is_join
from bpm.engine.state import State
from bpm.engine.values import Value
from bpm.engine.vocabulary import set_by

MAX_EVENTS = 1_000
MAX_VISITED = 5_000
MAX_CALLS = 50
LIMITS = Limits(tokens=100, rounds=50)
BEGINNING = datetime.fromisoformat("2026-01-05T09:00:00+01:00")

COMPLETED, WAITING, STUCK, ERROR = "completed", "waiting", "stuck", "error"


@dataclass(frozen=True, slots=True)
class DryRun:
    """outcome: completed, stuck (nothing more can happen), error, or waiting for what cannot happen here."""

    id: str
    outcome: str
    message: str
    visited: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "outcome": self.outcome,
            "message": self.message,
            "visited": list(self.visited),
        }


ALONE: Mapping[str, Graph] = {}


def dry_run(graph: Graph, seed: int = 0, others: Mapping[str, Graph] = ALONE) -> DryRun:
    """Rehearses a process; what it calls is rehearsed as well when it is among the `others`, by process id."""
    return _rehearsed(graph, Random(seed), others, 0, Counter())


def _rehearsed(
    graph: Graph, random: Random, others: Mapping[str, Graph], depth: int, calls: Counter[str]
) -> DryRun:
    if not graph.start:
        return DryRun(graph.id, ERROR, "There is no step at which it could begin.", ())
    return _Rehearsal(graph, random, others, depth, calls).play()


@dataclass(slots=True)
class _Rehearsal:
    graph: Graph
    random: Random
    others: Mapping[str, Graph]
    depth: int
    calls: Counter[str]
    now: datetime = BEGINNING
    open: dict[int, Effect] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    tried: dict[Path, list[Value]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)

    def play(self) -> DryRun:
        self.tried = _tried(self.graph)
        self.own = set(_set_by_process(self.graph))
        given = {"outcome": None, "comment": None} | self.surroundings()
        state = State.start(self.graph, given, self.depth)
        result = advance(self.graph, state, Started(), self.now, LIMITS)
        for _round in range(MAX_EVENTS):
            incident = self.note(result)
            if incident:
                return self.over(STUCK if incident.code in ("deadlock", "loop") else ERROR, incident.message)
            if result.state.status != waits.RUNNING:
                return self.over(COMPLETED, "")
            if len(self.visited) > MAX_VISITED or not (result.more or self.open):
                break
            event = Continue() if result.more else self.happening()
            if isinstance(event, DryRun):
                return self.over(event.outcome, f"In the process it calls ({event.id}): {event.message}")
            result = advance(self.graph, result.state, event, self.now, LIMITS)
        return self.over(STUCK, f"It still runs after {len(self.visited)} steps.")

    def over(self, outcome: str, message: str) -> DryRun:
        return DryRun(self.graph.id, outcome, message, tuple(self.visited))

    def note(self, result: Result) -> Incident | None:
        """Keeps the books on what is open; the first incident ends the rehearsal."""
        for effect in result.effects:
            if isinstance(effect, Incident):
                return effect
            if (isinstance(effect, NodeEntered) and not is_join(self.graph.nodes[effect.node])) or (
                isinstance(effect, NodeLeft) and effect.flows and is_join(self.graph.nodes[effect.node])
            ):
                self.visited.append(effect.node)
            elif isinstance(effect, _OPENING):
                self.open[effect.token] = effect
            elif isinstance(effect, _CLOSING):
                self.open.pop(effect.token, None)
        return None

    def happening(self) -> Event | DryRun:
        """Something that is open comes to pass; a called process that fails is the answer itself."""
        token = self.random.choice(sorted(self.open))
        effect = self.open.pop(token)
        if isinstance(effect, OpenUserTask):
            return self.answer(effect)
        self.now += timedelta(minutes=1)
        if isinstance(effect, SetTimer):
            self.now = max(self.now, effect.due_at)
            return TimerDue(token)
        if isinstance(effect, Subscribe):
            values = self.surroundings()
            return (
                MessageReceived(token, values)
                if effect.kind == "message"
                else SignalReceived(effect.name, values)
            )
        if isinstance(effect, StartProcess):
            return self.called(effect)
        operation = self.graph.nodes[effect.node].operation if isinstance(effect, StartJob) else None
        outputs = operation.outputs if operation else ()
        return JobDone(token, {each.name: self.value((each.value,)) for each in outputs})

    def called(self, effect: StartProcess) -> Event | DryRun:
        """The called process is rehearsed on the spot; one that is not at hand is taken to succeed."""
        graph = self.others.get(effect.process)
        if graph is not None:
            self.calls["all"] += 1
            if self.calls["all"] > MAX_CALLS:
                return DryRun(graph.id, STUCK, "It is called again and again.", ())
            run = _rehearsed(graph, self.random, self.others, effect.depth, self.calls)
            if run.outcome != COMPLETED:
                return run
        call = self.graph.nodes[effect.node].call
        read: dict[Path, list[Value]] = {}
        for each in call.outputs if call else ():
            if each.name != "*":
                _note(read, each.name)
        self.tried |= {path: _around(literals) for path, literals in read.items()}
        return CallDone(effect.token, self.values_at(read))

    def answer(self, task: OpenUserTask) -> TaskDone:
        self.now += timedelta(hours=1)
        outcome = ""
        if task.form.outcomes:
            keys = [each.key for each in task.form.outcomes]
            fewest = min(self.answers[task.node, key] for key in keys)
            outcome = self.random.choice([key for key in keys if self.answers[task.node, key] == fewest])
            self.answers[task.node, outcome] += 1
        values = {each.key: self.filled(each) for each in task.form.fields}
        return TaskDone(task.token, outcome, self.surroundings() | values)

    def surroundings(self) -> dict[str, Value]:
        """Values for whatever the process reads but does not set itself."""
        return self.values_at(path for path in self.tried if path[0] not in self.own)

    def values_at(self, paths: Iterable[Path]) -> dict[str, Value]:
        """Something at each of the paths, in dicts within dicts."""
        values: dict[str, Value] = {}
        for path in paths:
            place = values
            for name in path[:-1]:
                inner = place.setdefault(name, {})
                place = inner if isinstance(inner, dict) else place.setdefault(name, {})
            place.setdefault(path[-1], self.value(path))
        return values

    def value(self, path: Path) -> Value:
        return self.random.choice(self.tried.get(path) or [True, False])

    def filled(self, each: Field) -> Value:
        if each.choices:
            return self.random.choice(each.choices).value
        if self.tried.get((each.key,)):
            return self.value((each.key,))
        return self.random.choice(_ANSWERS.get(each.type, ["text"]))


_OPENING = (OpenUserTask, StartJob, SetTimer, Subscribe, StartProcess)
_CLOSING = (CloseUserTask, CancelJob, CancelTimer, Unsubscribe, CancelProcess)
_ANSWERS: dict[str, list[Value]] = {
    "number": [1, 100],
    "money": [Decimal("1.00"), Decimal("100000.00")],
    "date": ["2026-01-05", "2026-12-31"],
    "bool": [True, False],
    "user": ["someone"],
    "file": [{"file": 1, "name": "file.pdf"}],
}


def _set_by_process(graph: Graph) -> Iterator[str]:
    yield "outcome"
    for node in graph.node_list:
        if node.kind != "startEvent":  # what its form asks is given from outside
            yield from (name for name, _kind in set_by(node))


def _tried(graph: Graph) -> dict[Path, list[Value]]:
    """For every value the process reads, what is worth trying: both sides of each comparison."""
    found: dict[Path, list[Value]] = {}
    for flow in graph.flow_list:
        if flow.condition:
            _note(found, flow.condition)
    tried = {path: _around(literals) for path, literals in found.items()}
    for text, likely in _texts(graph):
        for path in _read_by(text):
            tried.setdefault(path, [likely])
    for text, likely in _expressions(graph):
        for path in _read(text):
            tried.setdefault(path, [likely])
    return dict(sorted(tried.items(), key=lambda item: (-len(item[0]), item[0])))


def _note(found: dict[Path, list[Value]], condition: str) -> None:
    try:
        for path, literals in probes(parse(condition)).items():
            found.setdefault(path, []).extend(literals)
    except ExpressionError:
        return


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _around(literals: list[Value]) -> list[Value]:
    values: list[Value] = []
    for literal in literals:
        if isinstance(literal, (int, Decimal)) and not isinstance(literal, bool):
            values += [literal - 1, literal, literal + 1]
        elif isinstance(literal, bool):
            values += [True, False]
        elif isinstance(literal, str) and _DAY.fullmatch(literal):
            values += ["2000-01-01", literal, "2099-12-31"]
        else:
            values += [literal, "other"]
    return values or [True, False]


def _texts(graph: Graph) -> Iterator[tuple[str, Value]]:
    """Every text of the drawing in which an expression may stand, with a likely value for what it reads."""
    for node in graph.node_list:
        yield from ((each, "someone") for each in (node.assignee, node.candidate_role))
        handed = [*node.inputs, *node.sets, *(node.call.inputs if node.call else ())]
        yield from (
            (each.value, "text") for each in handed + list(node.operation.inputs if node.operation else ())
        )
        yield from ((each, "P1D") for each in (node.due, node.remind, node.escalate))
        yield node.call.process if node.call else "", "process"
        for trigger in node.triggers:
            yield from ((each, "P1D") for each in (trigger.duration, trigger.date))
            yield trigger.cycle, "R3/PT1H"
            yield from ((each, "text") for each in (trigger.name, trigger.key))


def _expressions(graph: Graph) -> Iterator[tuple[str, Value]]:
    """The same for what is an expression in any spelling."""
    for repeat in (node.repeat for node in graph.node_list if node.repeat):
        yield repeat.collection, ["someone", "somebody else"]
        yield from ((each, 2) for each in (repeat.cardinality, repeat.maximum))
        yield from ((each, True) for each in (repeat.condition, repeat.output_element))


def _read_by(text: str) -> Iterator[Path]:
    try:
        parts = parse_template(text)
    except ExpressionError:
        return
    for part in parts:
        if not isinstance(part, str):
            yield from probes(part)


def _read(expression: str) -> Iterator[Path]:
    try:
        yield from probes(parse(expression))
    except ExpressionError:
        return
