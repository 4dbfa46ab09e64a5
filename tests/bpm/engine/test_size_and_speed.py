"""Small states and quick steps, whatever the shape of the process."""

import json
import time
from decimal import Decimal

import pytest

from bpm.engine.advance import advance
from bpm.engine.events import Started, TaskDone
from bpm.engine.model import Graph
from bpm.engine.state import State
from bpm.engine.values import ValueKindError, decode, encode
from tests.factories.diagrams import NOW, Player, both, element, end, flow, graph_of, start, task_chain, user


def test_state_of_a_30_step_process_stays_under_1_kb():
    play = Player(graph_of(*task_chain(30)))
    for number in range(30):
        assert len(play.text) < 1_000
        play.done(f"t{number}", **{f"answer{number}": "x" * 1_000})
    assert play.status == "completed"


def test_step_of_a_30_step_process_takes_less_than_a_millisecond():
    graph = Graph.from_json(json.loads(json.dumps(graph_of(*task_chain(30)).to_json())))
    best = 1.0
    for _attempt in range(5):
        state = advance(graph, State.start(graph, {}), Started(), NOW).state
        started = time.process_time()
        for number in range(30):
            text = json.dumps(state.to_json())
            state = State.from_json(json.loads(text), state.variables)
            state = advance(graph, state, TaskDone(number + 2), NOW).state
        best = min(best, (time.process_time() - started) / 30)
    assert state.status == "completed"
    assert best < 0.001


def test_forty_parallel_diamonds_in_a_row_are_linear():
    parts, last = [start(), end()], "s"
    for number in range(40):
        fork, one, other, join = (f"{letter}{number}" for letter in "fabj")
        parts += [both(fork), element("task", one), element("task", other), both(join)]
        parts += [flow(f"{last} > {fork} > {one} > {join}"), flow(f"{fork} > {other} > {join}")]
        last = join
    play = Player(graph_of(*parts, flow(f"{last} > e")))
    assert play.status == "completed"
    assert len(play.visited) == 2 + 40 * 5
    assert not play.more


def test_a_hundred_branches_at_once():
    names = [f"u{number}" for number in range(100)]
    graph = graph_of(
        start(), both("f"), both("j"), end(), *(user(name) for name in names), flow("s > f"), flow("j > e"),
        *(flow(f"f > {name} > j") for name in names),
    )  # fmt: skip
    play = Player(graph)
    assert len(play.waiting) == 100
    for name in reversed(names):
        play.done(name)
    assert play.ends == ["e"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        Decimal("1.50"),
        "text",
        [1, [Decimal("2")]],
        {"file": 7, "name": "a.pdf", "size": Decimal("1")},
    ],
)
def test_values_survive_json(value):
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_other_values_are_normalised_or_refused():
    assert encode(NOW.date()) == "2026-11-23"
    assert encode(1.5) == {"$decimal": "1.5"}
    assert decode(1.5) == Decimal("1.5")
    for bad in (object(), Decimal("NaN"), float("inf"), {1, 2}):
        with pytest.raises(ValueKindError):
            encode(bad)
    deep = []
    for _level in range(30):
        deep = [deep]
    with pytest.raises(ValueKindError):
        encode(deep)
