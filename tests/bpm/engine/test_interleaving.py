"""Properties of every run: tokens are conserved, and the order of independent answers makes no difference."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.engine.advance import LIMITS, advance
from bpm.engine.books import Limits
from bpm.engine.checking import check
from bpm.engine.dryrun import dry_run
from bpm.engine.events import (
    CallDone,
    CancelJob,
    Cancelled,
    CancelProcess,
    CancelTimer,
    CloseUserTask,
    Finished,
    Incident,
    JobDone,
    MessageReceived,
    NodeEntered,
    NodeLeft,
    OpenUserTask,
    SetTimer,
    StartJob,
    StartProcess,
    Subscribe,
    TaskDone,
    TimerDue,
    Unsubscribe,
)
from tests.factories.blocks import ANSWERED, BLOCKS, WILD_BLOCKS, answer, drawn
from tests.factories.diagrams import (
    Player,
    both,
    diagram,
    end,
    flow,
    graph_of,
    pause,
    service,
    some,
    start,
    user,
    xor,
)

SEEDS = st.integers(0, 10_000)


def play_out(graph, seed, limits=LIMITS, most=400):
    """Everything that is asked comes to pass, in an order that the seed decides."""
    random = Random(seed)
    play = Player(graph, limits)
    play.go_on()
    for _step in range(most):
        asked = sorted({node for node, kind in play.waiting if kind in ANSWERED})
        if not asked:
            break
        answer(play, random.choice(asked))
        play.go_on()
    return play


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(BLOCKS, SEEDS, SEEDS)
def test_any_order_of_answers_gives_the_same_result(block, one_order, other_order):
    graph = graph_of(*drawn(block))
    one, other = play_out(graph, one_order), play_out(graph, other_order)
    assert one.status == other.status == "completed"
    assert sorted(one.ends) == sorted(other.ends)
    assert one.ends.count("e") == 1
    assert Counter(one.visited) == Counter(other.visited)
    assert one.state.variables == other.state.variables


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(BLOCKS, SEEDS)
def test_one_visit_a_transaction_gives_the_same_result(block, seed):
    """However a step is cut into transactions, and the state saved between them."""
    graph = graph_of(*drawn(block))
    whole, cut = play_out(graph, seed), play_out(graph, seed, Limits(visits=1))
    assert (whole.status, sorted(whole.ends)) == (cut.status, sorted(cut.ends))
    assert Counter(whole.visited) == Counter(cut.visited)
    assert whole.state.variables == cut.state.variables


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(WILD_BLOCKS, SEEDS, st.integers(0, 12))
def test_tokens_are_conserved_also_when_cancelled(block, seed, stop_after):
    play = play_out(graph_of(*drawn(block)), seed, most=stop_after)
    if play.status == "running":
        play.send(Cancelled())
    of = lambda *kinds: Counter(each.token for each in play.effects if isinstance(each, kinds))  # noqa: E731
    assert of(NodeEntered) == of(NodeLeft)
    assert set(of(NodeEntered).values()) == {1}
    assert play.state.tokens == {} and play.state.scopes == {}
    assert sum(isinstance(each, Finished) for each in play.effects) == 1
    assert isinstance(play.effects[-1], Finished)
    opened = of(OpenUserTask, StartJob, SetTimer, Subscribe, StartProcess)
    assert set(of(CloseUserTask, CancelJob, CancelTimer, Unsubscribe, CancelProcess)) <= set(opened)
    assert set(of(OpenUserTask, StartJob, Subscribe, StartProcess).values()) <= {1}
    assert of(Subscribe) == of(Unsubscribe)


EVENTS = {
    "task": TaskDone, "job": JobDone, "timer": TimerDue, "message": MessageReceived, "call": CallDone,
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(WILD_BLOCKS, SEEDS)
def test_a_step_lost_in_a_crash_is_taken_again_alike(block, seed):
    """The same state and event give the same effects and state, however often they are tried."""
    random = Random(seed)
    play = Player(graph_of(*drawn(block)))
    for _step in range(12):
        asked = [each for each in play.state.waiting() if each.kind in EVENTS]
        if not asked:
            return
        one = random.choice(asked)
        event = EVENTS[one.kind](one.token)
        lost = advance(play.graph, play.state, event, play.now)
        again = play.send(event)
        assert lost.effects == again.effects
        assert lost.state == again.state


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(BLOCKS)
def test_sound_drawings_are_publishable_and_rehearse_to_the_end(block):
    report = check(diagram(*drawn(block)))
    assert [each.code for each in report.findings if each.severity == "error"] == []
    assert dry_run(report.graphs[0], 1).outcome == "completed"


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_drawings_never_crash_hang_or_end_in_silence(data):
    """Whatever is drawn: a verdict comes, and a run ends, waits for somebody or is held with a reason."""
    makers = [user, xor, both, some, service, pause, end]
    names = [f"n{number}" for number in range(data.draw(st.integers(1, 7)))]
    parts = [start(), *(data.draw(st.sampled_from(makers))(name) for name in names)]
    pairs = st.tuples(st.sampled_from(["s", *names]), st.sampled_from(names))
    parts += [flow(f"{source} > {target}") for source, target in data.draw(st.sets(pairs, max_size=14))]
    report = check(diagram(*parts))
    assert report.verdict in ("draft", "publishable")
    played = dry_run(report.graphs[0], 0)
    assert played.outcome in ("completed", "stuck", "error")
    if report.verdict == "publishable":
        assert played.outcome == "completed"


def test_incidents_are_no_end():
    play = Player(graph_of(start(), xor("x"), end(), flow("s > x"), flow("x > e", "false")))
    assert isinstance(play.effects[-1], Incident)
    assert play.status == "running"
