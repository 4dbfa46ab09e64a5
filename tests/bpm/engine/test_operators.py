"""What an operator may do, what comes twice, and what is bounded."""

import json

import pytest

from bpm.engine.advance import UnknownOutcomeError, advance
from bpm.engine.books import Limits
from bpm.engine.events import (
    Cancelled,
    Finished,
    JobDone,
    JobFailed,
    OpenUserTask,
    Retry,
    Skip,
    StaleEventError,
    Started,
    StartJob,
    TaskDone,
)
from bpm.engine.state import State
from tests.factories.diagrams import (
    NOW,
    Player,
    border,
    both,
    element,
    end,
    flow,
    graph_of,
    outcomes,
    pause,
    service,
    start,
    sub,
    timer,
    user,
    xor,
)


def test_retry_starts_the_operation_again_on_the_same_visit():
    play = Player(graph_of(start(), service("j"), border("t", "j"), end(), flow("s > j > e"), flow("t > e")))
    token = play.token("j")
    play.send(JobFailed(token, "", "no answer"))
    play.send(Retry(token, {"corrected": True}))
    assert play.latest == (StartJob(token, "j", "notify.user", "1", {}),)
    play.done("j")
    assert play.status == "completed"
    assert play.state.variables == {"corrected": True}


def test_retry_after_correcting_a_variable_decides_again():
    graph = graph_of(
        start(), xor("x"), end("a"), end("b"), flow("s > x"), flow("x > a", "n > 1"), flow("x > b", "n < 0")
    )
    play = Player(graph, n=0)
    play.send(Retry(play.token("x"), {"n": 5}))
    assert play.ends == ["a"]


def test_retry_of_a_way_that_was_blocked_does_not_ask_again():
    graph = graph_of(start(), user("u"), end("a"), flow("s > u"), flow("u > a", "n > 1"))
    play = Player(graph, n=0)
    play.done("u")
    assert play.waiting == [("u", "incident")]
    play.send(Retry(play.token("u"), {"n": 2}))
    assert play.ends == ["a"]
    assert sum(isinstance(effect, OpenUserTask) for effect in play.effects) == 1


def test_skip_withdraws_what_is_open_and_goes_on():
    graph = graph_of(start(), service("j"), user("u", outcomes("yes")), end(), flow("s > j > u > e"))
    play = Player(graph)
    play.send(Skip(play.token("j")))
    assert "CancelJob" in play.kinds()
    with pytest.raises(UnknownOutcomeError):
        play.send(Skip(play.token("u"), "no"))
    play.send(Skip(play.token("u"), "yes"))
    assert play.status == "completed"
    assert play.state.variables["outcome"] == "yes"


def test_skip_of_a_gateway_names_the_flow():
    graph = graph_of(
        start(), xor("x"), end("a"), end("b"), flow("s > x"), flow("x > a", "n > 1"), flow("x > b", "n > 2")
    )
    play = Player(graph, n=0)
    token = play.token("x")
    with pytest.raises(UnknownOutcomeError):
        play.send(Skip(token))
    play.send(Skip(token, "x-b"))
    assert play.ends == ["b"]


def test_skip_of_a_subprocess_clears_its_inside():
    graph = graph_of(start(), sub("p1", start("s1"), user("u"), flow("s1 > u")), end(), flow("s > p1 > e"))
    play = Player(graph)
    play.send(Skip(play.token("p1")))
    assert play.ends == ["e"]
    assert play.state.tokens == {}


def test_cancelling_withdraws_everything():
    graph = graph_of(
        start(), both("f"), user("u"), service("j"), pause("t"), sub("p1", start("s1"), user("v"), flow("s1 > v")),
        flow("s > f > u"), flow("f > j"), flow("f > t"), flow("f > p1"),
    )  # fmt: skip
    play = Player(graph)
    play.send(Cancelled())
    assert sorted(play.kinds()) == [
        "CancelJob", "CancelTimer", "CloseUserTask", "CloseUserTask", "Finished", "NodeLeft", "NodeLeft",
        "NodeLeft", "NodeLeft", "NodeLeft",
    ]  # fmt: skip
    assert play.latest[-1] == Finished("cancelled", ())
    with pytest.raises(StaleEventError):
        play.send(Cancelled())


@pytest.mark.parametrize("event", [TaskDone(1), TaskDone(99), JobDone(2), Skip(99), Retry(2)])
def test_events_for_other_tokens_are_stale(event):
    play = Player(graph_of(start(), user("u"), end(), flow("s > u > e")))
    before = play.text
    with pytest.raises(StaleEventError):
        play.send(event)
    assert play.text == before


def test_answer_delivered_twice_counts_once():
    play = Player(graph_of(start(), user("u"), user("v"), end(), flow("s > u > v > e")))
    token = play.token("u")
    play.send(TaskDone(token))
    with pytest.raises(StaleEventError):
        play.send(TaskDone(token))
    assert play.waiting == [("v", "task")]


def test_state_given_in_is_never_changed():
    graph = graph_of(start(), user("u"), end(), flow("s > u > e"))
    state = advance(graph, State.start(graph, {}), Started(), NOW).state
    before = json.dumps(state.to_json())
    advance(graph, state, TaskDone(2, values={"a": 1}), NOW)
    assert json.dumps(state.to_json()) == before
    assert state.variables == {}


def test_long_run_is_cut_into_several_calls():
    chain = [element("task", f"t{number}") for number in range(50)]
    path = " > ".join(["s", *(f"t{number}" for number in range(50)), "e"])
    play = Player(graph_of(start(), *chain, end(), flow(path)), limits=Limits(visits=20))
    assert play.more
    assert len(play.visited) == 20
    play.go_on()
    assert play.status == "completed"
    assert len(play.visited) == 52


def test_loop_of_gateways_becomes_an_incident():
    play = Player(graph_of(start(), xor("a"), xor("b"), flow("s > a > b > a")))
    assert play.more
    play.go_on()
    assert play.effects[-1].code == "loop"
    assert play.state.visits == 10_001
    assert play.status == "running"


def test_loop_back_into_a_split_is_capped():
    play = Player(graph_of(start(), xor("m"), both("f"), xor("n"), flow("s > m > f > m"), flow("f > n > m")))
    play.go_on()
    held = {each.code for each in play.state.waiting()}
    assert held == {"tokens"} or held == {"tokens", "loop"}
    assert len(play.state.tokens) <= 1_100


def test_lifetime_is_capped():
    graph = graph_of(start(), xor("m"), user("u"), flow("s > m > u > m"))
    play = Player(graph, limits=Limits(lifetime=20))
    for _round in range(30):
        if play.waiting[0][1] == "incident":
            break
        play.done("u")
    assert play.effects[-1].code == "lifetime"


def test_join_that_can_never_complete_is_seen():
    graph = graph_of(
        start(), xor("x"), element("task", "a"), element("task", "b"), both("j"), end(),
        flow("s > x"), flow("x > a", "true"), flow("x > b", "false"), flow("a > j > e"), flow("b > j"),
    )  # fmt: skip
    play = Player(graph)
    assert play.effects[-1].code == "deadlock"
    token = play.token("j")
    play.send(Retry(token))
    assert play.effects[-1].code == "deadlock"
    play.send(Skip(token))
    assert play.ends == ["e"]


@pytest.mark.parametrize("due", ["${when}", "${missing}"])
def test_due_that_cannot_be_worked_out_is_an_incident(due):
    play = Player(graph_of(start(), user("u", crm_due=due), end(), flow("s > u > e")), when=12)
    assert play.waiting == [("u", "incident")]
    assert play.effects[-1].code in ("time", "value")
    play.send(Retry(play.token("u"), {"when": "P1D", "missing": "2026-12-01"}))
    assert play.waiting == [("u", "task")]


@pytest.mark.parametrize("attribute", ["crm_remind", "crm_escalate"])
def test_a_reminder_that_cannot_be_worked_out_is_an_incident(attribute):
    ask = user("u", crm_due="P1D", **{attribute: "${when}"})
    play = Player(graph_of(start(), ask, end(), flow("s > u > e")), when="soon")
    assert (play.waiting, play.effects[-1].code) == ([("u", "incident")], "time")


def test_assignee_by_expression():
    play = Player(
        graph_of(start(), user("u", crm_assignee="${deal.owner}"), flow("s > u")), deal={"owner": "rep"}
    )
    assert play.effects[-1].assignee == "rep"
    nobody = Player(
        graph_of(start(), user("u", crm_assignee="${deal}"), flow("s > u")), deal={"owner": "rep"}
    )
    assert nobody.effects[-1].message == "“u” does not say who is to do it."


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((element("intermediateThrowEvent", "k", '<linkEventDefinition name="L"/>'),), "no_flow"),
        ((element("serviceTask", "k"),), "operation"),
        ((sub("k"),), "unsupported"),
        ((element("eventBasedGateway", "k"),), "unsupported"),
        ((element("complexGateway", "k"),), "unsupported"),
        ((element("intermediateCatchEvent", "k", timer("${n}")),), "time"),
        ((user("k"), border("b", "k", timer("${text}", "timeCycle"))), "time"),
    ],
)
def test_what_was_never_meant_to_run_is_held_not_passed(parts, code):
    play = Player(graph_of(start(), *parts, end(), flow("s > k > e")), n=5, text="soon")
    assert play.waiting == [("k", "incident")]
    assert play.effects[-1].code == code


def test_deeply_nested_argument_is_held():
    """A value that no argument may have; the engine says so instead of breaking off."""
    deep = []
    for _level in range(12):
        deep = [deep]
    inner = '<extensionElements><crm:input name="a" value="${[[[[[[[[[[deep]]]]]]]]]]}"/></extensionElements>'
    play = Player(graph_of(start(), service("k", inner), end(), flow("s > k > e")), deep=deep)
    assert play.effects[-1].message == "A value of “k” has no usable kind."


def test_branch_that_had_not_begun_is_removed_without_a_trace():
    """A terminate end inside the same call: tokens still on their way were never visits."""
    graph = graph_of(
        start(), both("f"), end("stop", "<terminateEventDefinition/>"), element("task", "a"),
        element("task", "b"), end(),
        flow("s > f > a > b > e"), flow("f > stop"),
    )  # fmt: skip
    play = Player(graph)
    assert play.ends == ["stop"]
    assert play.visited == ["s", "f", "a", "stop"]


@pytest.mark.parametrize(
    "part",
    [
        border("k", "u", timer()),
        sub("k", start("s1", timer()), user("v"), flow("s1 > v"), triggeredByEvent="true"),
    ],
)
def test_a_flow_into_what_begins_by_itself_is_held(part):
    """A draft may be rehearsed: what no flow may lead into is held there, not broken off."""
    play = Player(graph_of(start(), user("u"), part, end(), flow("s > k > e")))
    assert ("k", "incident") in play.waiting


def test_a_loop_marker_on_an_event_is_only_drawn():
    play = Player(graph_of(start("s", "<multiInstanceLoopCharacteristics/>"), end(), flow("s > e")))
    assert play.ends == ["e"]
