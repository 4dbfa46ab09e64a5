"""Properties of every run: tokens are conserved, and the order of independent answers makes no difference."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.engine.advance import advance
from bpm.engine.checking import check
from bpm.engine.dryrun import dry_run
from bpm.engine.events import (
    CancelJob,
    Cancelled,
    CancelTimer,
    CloseUserTask,
    Finished,
    Incident,
    JobDone,
    NodeEntered,
    NodeLeft,
    OpenUserTask,
    SetTimer,
    StartJob,
    TaskDone,
    TimerDue,
)
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
    sub,
    user,
    xor,
)

LEAVES = st.sampled_from(["user", "service", "pause"])
BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from(["row", "both", "xor", "some", "sub"]), inner, inner),
    max_leaves=8,
)


class Drawing:
    """Turns a tree of blocks into elements; every block has one way in and one way out."""

    def __init__(self):
        self.parts = []
        self.count = 0

    def name(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def draw(self, block):
        """(first node, last node) of the block."""
        if isinstance(block, str):
            name = self.name(block)
            self.parts.append({"user": user, "service": service, "pause": pause}[block](name))
            return name, name
        kind, one, other = block
        if kind == "sub":
            return self.draw_inside(one)
        first, last = self.draw(one), self.draw(other)
        if kind == "row":
            self.parts.append(flow(f"{first[1]} > {last[0]}"))
            return first[0], last[1]
        gateway = {"both": both, "xor": xor, "some": some}[kind]
        fork, join = self.name("f"), self.name("j")
        self.parts += [gateway(fork), gateway(join)]
        condition = "true" if kind == "some" else ""
        for begin, finish in (first, last):
            self.parts += [flow(f"{fork} > {begin}", condition), flow(f"{finish} > {join}")]
        return fork, join

    def draw_inside(self, block):
        outer, self.parts = self.parts, []
        first, last = self.draw(block)
        begin, finish, name = self.name("s"), self.name("e"), self.name("p")
        inside = [
            start(begin),
            *self.parts,
            end(finish),
            flow(f"{begin} > {first}"),
            flow(f"{last} > {finish}"),
        ]
        self.parts = [*outer, sub(name, *inside)]
        return name, name


def drawn(block):
    drawing = Drawing()
    first, last = drawing.draw(block)
    return [start(), *drawing.parts, end(), flow(f"s > {first}"), flow(f"{last} > e")]


def answer(play, node):
    """The same answer on a node whenever it is asked."""
    ways = play.graph.nodes[node].outgoing
    return play.done(
        node, ways[len(node) % len(ways)] if play.graph.nodes[node].kind == "exclusiveGateway" else ""
    )


def play_out(graph, picks):
    play = Player(graph)
    for pick in picks:
        asked = sorted({node for node, kind in play.waiting if kind in ("task", "choice", "job", "timer")})
        if not asked:
            break
        answer(play, asked[pick % len(asked)])
    return play


@settings(max_examples=60, deadline=None)
@given(
    BLOCKS,
    st.lists(st.integers(0, 7), min_size=40, max_size=40),
    st.lists(st.integers(0, 7), min_size=40, max_size=40),
)
def test_any_order_of_answers_gives_the_same_result(block, one_order, other_order):
    graph = graph_of(*drawn(block))
    one, other = play_out(graph, one_order), play_out(graph, other_order)
    assert one.status == other.status == "completed"
    assert one.ends == other.ends == ["e"]
    assert Counter(one.visited) == Counter(other.visited)
    assert one.state.variables == other.state.variables


@settings(max_examples=40, deadline=None)
@given(BLOCKS, st.lists(st.integers(0, 7), min_size=40, max_size=40), st.integers(0, 12))
def test_tokens_are_conserved_also_when_cancelled(block, order, stop_after):
    play = play_out(graph_of(*drawn(block)), order[:stop_after])
    if play.status == "running":
        play.send(Cancelled())
    of = lambda *kinds: Counter(each.token for each in play.effects if isinstance(each, kinds))  # noqa: E731
    assert of(NodeEntered) == of(NodeLeft)
    assert set(of(NodeEntered).values()) == {1}
    assert play.state.tokens == {} and play.state.scopes == {}
    assert sum(isinstance(each, Finished) for each in play.effects) == 1
    assert isinstance(play.effects[-1], Finished)
    opened = of(OpenUserTask, StartJob, SetTimer)
    assert set(of(CloseUserTask, CancelJob, CancelTimer)) <= set(opened)
    assert set(opened.values()) <= {1}


@settings(max_examples=40, deadline=None)
@given(BLOCKS, st.lists(st.integers(0, 7), min_size=12, max_size=12))
def test_a_step_lost_in_a_crash_is_taken_again_alike(block, order):
    """The same state and event give the same effects and state, however often they are tried."""
    play = Player(graph_of(*drawn(block)))
    for pick in order:
        asked = [each for each in play.state.waiting() if each.kind in ("task", "job", "timer")]
        if not asked:
            return
        token, kind = (lambda each: (each.token, each.kind))(asked[pick % len(asked)])
        event = {"task": TaskDone, "job": JobDone, "timer": TimerDue}[kind](token)
        lost = advance(play.graph, play.state, event, play.now)
        again = play.send(event)
        assert lost.effects == again.effects
        assert lost.state == again.state


@settings(max_examples=40, deadline=None)
@given(BLOCKS)
def test_sound_drawings_are_publishable_and_rehearse_to_the_end(block):
    report = check(diagram(*drawn(block)))
    assert [each.code for each in report.findings if each.severity == "error"] == []
    assert dry_run(report.graphs[0], 1).outcome == "completed"


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
