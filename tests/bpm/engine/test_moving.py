"""Where an operator may put a token, and what happens to what it leaves behind."""

from random import Random

import pytest
from hypothesis import given, settings

from bpm.engine import moving
from bpm.engine.advance import UnsoundMoveError
from bpm.engine.books import Limits
from bpm.engine.events import CloseUserTask, Moved, NodeLeft, StaleEventError
from bpm.engine.moving import is_movable, targets
from tests.bpm.engine.test_interleaving import SEEDS, play_out
from tests.factories.blocks import ANSWERED, BLOCKS, answer, drawn
from tests.factories.diagrams import (
    Player,
    border,
    both,
    end,
    flow,
    graph_of,
    some,
    start,
    sub,
    user,
    xor,
)


def offered(play, node):
    state = play.state
    return [each.id for each in targets(play.graph, state, state.tokens[play.token(node)])]


def move(play, node, target):
    play.send(Moved(play.token(node), target))


ROW = (start(), user("a"), user("b"), user("c"), end(), flow("s > a > b > c > e"))
SPLIT = (
    start(), user("a"), both("f"), user("b"), user("c"), both("j"), user("d"), end(),
    flow("s > a > f > b > j > d > e"), flow("f > c > j"),
)  # fmt: skip


def test_forwards_and_back_in_a_row():
    play = Player(graph_of(*ROW))
    assert offered(play, "a") == ["b", "c", "e"]
    move(play, "a", "c")
    assert play.waiting == [("c", "task")]
    assert [type(each) for each in play.latest[:2]] == [CloseUserTask, NodeLeft]
    assert play.latest[1].cancelled
    move(play, "c", "a")
    assert play.waiting == [("a", "task")]
    move(play, "a", "e")
    assert (play.status, play.ends) == ("completed", ["e"])


def test_not_past_a_join_from_one_branch_nor_into_one_branch():
    play = Player(graph_of(*SPLIT))
    assert offered(play, "a") == ["f", "d", "e"]
    play.done("a")
    assert offered(play, "b") == []
    with pytest.raises(UnsoundMoveError):
        move(play, "b", "d")


def test_what_waits_at_a_join_may_only_go_back_into_its_own_branch():
    play = Player(graph_of(*SPLIT))
    play.done("a")
    play.done("b")
    assert offered(play, "c") == []
    assert offered(play, "j") == ["b"]
    move(play, "j", "b")
    play.done("c")
    play.done("b")
    assert play.waiting == [("d", "task")]


def test_a_run_that_could_never_end_is_set_free():
    """The other branch is gone, so the join waits in vain: past it is the only way."""
    graph = graph_of(
        start(), user("a"), both("f"), xor("x"), user("b"), both("j"), user("d"), end(), end("e2"),
        flow("s > a > f > x"), flow("x > j", "n > 1"), flow("x > e2", "n < 2"), flow("f > b > j > d > e"),
    )  # fmt: skip
    play = Player(graph, n=1)
    play.done("a")
    play.done("b")
    assert play.waiting == [("j", "incident")]
    assert offered(play, "j") == ["d", "e", "e2"]
    move(play, "j", "d")
    play.done("d")
    assert play.status == "completed"


def test_only_within_the_scope():
    inner = sub("k", start("s1"), user("b"), user("c"), end("e1"), flow("s1 > b > c > e1"))
    play = Player(graph_of(start(), inner, user("a"), end(), flow("s > k > a > e")))
    assert offered(play, "b") == ["c", "e1"]
    assert offered(play, "k") == ["a", "e"]
    move(play, "k", "a")
    assert play.waiting == [("a", "task")]


def test_a_round_of_a_repetition_and_a_watcher_stay():
    many = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
    play = Player(
        graph_of(
            start(), user("a", many), border("t", "a"), user("b"), end(), flow("s > a > b > e"), flow("t > e")
        )
    )
    state = play.state
    able = {(token.node, token.loop is not None): is_movable(state, token) for token in state.tokens.values()}
    assert able == {("a", False): True, ("a", True): False, ("t", False): False}
    host = next(token for token in state.tokens.values() if token.rounds)
    assert [each.id for each in targets(play.graph, state, host)] == ["b", "e"]
    play.send(Moved(host.id, "b"))
    assert play.waiting == [("b", "task")]


def test_a_token_that_is_gone_or_under_way():
    play = Player(graph_of(*ROW))
    gone = play.token("a")
    play.done("a")
    with pytest.raises(StaleEventError):
        play.send(Moved(gone, "c"))
    assert not is_movable(play.state, None)
    cut = Player(graph_of(*SPLIT), Limits(visits=1))
    cut.go_on()
    cut.done("a")
    state = cut.state
    assert state.ready
    assert list(targets(cut.graph, state, next(iter(state.tokens.values())))) == []


def test_where_the_search_gives_up_nothing_is_offered(monkeypatch):
    monkeypatch.setattr(moving, "MAX_WORK", 3)
    assert offered(Player(graph_of(*ROW)), "a") == ["b"]


def test_a_join_that_may_wait_if_conditions_disagree_does_not_bar_the_way():
    graph = graph_of(
        start(), user("a"), some("f"), user("b"), user("c"), both("j"), user("d"), end(),
        flow("s > a > f"), flow("f > b", "n > 1"), flow("f > c", "n > 1"), flow("b > j"), flow("c > j > d > e"),
    )  # fmt: skip
    play = Player(graph, n=2)
    assert "d" in offered(play, "a")


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(BLOCKS, SEEDS)
def test_after_a_move_that_is_offered_every_run_still_ends(block, seed):
    """At any moment, with any token, to any target: what is left comes to its end, whatever is answered."""
    random = Random(seed)
    play = play_out(graph_of(*drawn(block)), seed, most=random.randint(0, 8))
    for _turn in range(2):
        state = play.state
        able = [each for each in state.tokens.values() if is_movable(state, each)]
        if play.status != "running" or not able:
            return
        token = random.choice(able)
        places = list(targets(play.graph, state, token))
        if places:
            play.send(Moved(token.id, random.choice(places).id))
            play.go_on()
    for _step in range(400):
        asked = sorted({node for node, kind in play.waiting if kind in ANSWERED})
        if not asked:
            break
        answer(play, random.choice(asked))
        play.go_on()
    assert (play.status, play.waiting) == ("completed", [])
