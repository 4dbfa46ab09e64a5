"""Call activities, rules, and where a process begins (BPMN 2.0.2, 13.3.5, 10.3.5, 10.5.2)."""

import pytest

from bpm.engine.advance import UnknownOutcomeError, advance
from bpm.engine.books import Limits
from bpm.engine.events import (
    CallDone,
    CallFailed,
    CancelProcess,
    Escalated,
    Retry,
    Skip,
    StaleEventError,
    Started,
    StartProcess,
    TaskDone,
)
from bpm.engine.state import State
from tests.factories.diagrams import (
    NOW,
    Player,
    border,
    declared,
    element,
    end,
    error,
    escalation,
    flow,
    graph_of,
    handler,
    message,
    start,
    sub,
    timer,
    user,
    xor,
)


def given(*parts):
    return f"<extensionElements>{''.join(parts)}</extensionElements>"


def call(inner="", **attributes):
    return element("callActivity", "k", inner, **{"calledElement": "other", **attributes})


def calling(inner="", *more, limits=Limits(), **attributes):  # noqa: B008
    return Player(
        declared(start(), call(inner, **attributes), end(), *more, flow("s > k > e")), limits, deal=1, n=2
    )


def test_a_call_starts_a_process_with_every_variable_and_waits_for_it():
    play = calling()
    assert play.latest[-1] == StartProcess(2, "k", "other", {"deal": 1, "n": 2}, 1)
    assert play.waiting == [("k", "call")]
    play.send(CallDone(2, {"noise": 1}))
    assert (play.ends, play.state.variables) == (["e"], {"deal": 1, "n": 2})
    with pytest.raises(StaleEventError):
        play.send(CallDone(2))


def test_only_what_is_drawn_goes_in_and_comes_out():
    inner = given('<crm:input name="a" value="${n * 2}"/>', '<crm:output name="x + 1" variable="y"/>')
    play = calling(inner)
    assert play.latest[-1].variables == {"a": 4}
    play.send(CallDone(2, {"x": 5}))
    assert play.state.variables["y"] == 6


def test_everything_comes_out_when_the_drawing_says_so():
    play = calling(given('<camunda:in source="n" target="m"/>', '<camunda:out variables="all"/>'))
    assert play.latest[-1].variables == {"m": 2}
    play.send(CallDone(2, {"x": 5}))
    assert play.state.variables["x"] == 5


def test_what_cannot_come_out_is_held():
    play = calling(given('<crm:output name="gone" variable="y"/>'))
    play.send(CallDone(2, {}))
    assert play.waiting == [("k", "incident")]
    play.send(Skip(2))
    assert play.ends == ["e"]


def test_the_process_may_be_named_by_an_expression():
    assert calling(calledElement="${'pro' + 'cess'}").latest[-1].process == "process"
    assert calling(calledElement="${n}").latest[-1].code == "call"
    assert calling(calledElement="").latest[-1].code == "call"


def test_a_failed_call_is_an_error():
    play = calling("", border("b", "k", error("E")), end("sorry"), flow("b > sorry"))
    play.send(CallFailed(2, "E", "it broke"))
    assert play.ends == ["sorry"]
    play = calling()
    play.send(CallFailed(2, "", "it broke"))
    assert play.latest[-1].message == "The process that “k” called failed: it broke"
    play.send(Retry(2))
    assert play.waiting == [("k", "call")]


def test_an_escalation_of_the_called_process_reaches_the_border():
    play = calling("", border("b", "k", escalation("H"), cancelActivity="false"), end("up"), flow("b > up"))
    play.send(Escalated(2, "H"))
    assert (play.ends, play.waiting) == (["up"], [("k", "call")])


def test_a_call_that_is_cut_short_is_called_off():
    play = calling("", border("b", "k", timer()), end("late"), flow("b > late"))
    play.done("b")
    assert CancelProcess(2) in play.latest


def test_processes_that_call_each_other_too_deep_are_held():
    graph = declared(start(), call(), end(), flow("s > k > e"))
    result = advance(graph, State.start(graph, {}, depth=10), Started(), NOW)
    assert result.effects[-1].code == "depth"
    assert State.from_json(result.state.to_json(), {}).depth == 10


# Rules


@pytest.mark.parametrize("kind", ["businessRuleTask", "serviceTask"])
def test_a_rule_sets_variables_and_goes_on(kind):
    inner = given('<crm:set variable="a" value="${n * 2}"/>', '<crm:set variable="b">${a + 1}</crm:set>')
    play = Player(declared(start(), element(kind, "k", inner), end(), flow("s > k > e")), n=3)
    assert (play.ends, play.state.variables) == (["e"], {"n": 3, "a": 6, "b": 7})


def test_a_rule_in_the_words_of_camunda():
    task = element("businessRuleTask", "k", camunda_expression="${n > 1}", camunda_resultVariable="big")
    play = Player(declared(start(), task, end(), flow("s > k > e")), n=3)
    assert play.state.variables["big"] is True


# Beginnings


def test_several_starts_become_a_persons_choice():
    graph = graph_of(start("a"), start("b"), end("x"), end("y"), flow("a > x"), flow("b > y"))
    play = Player(graph)
    assert play.waiting == [("a", "choice")]
    with pytest.raises(UnknownOutcomeError):
        play.send(TaskDone(1, "x"))
    play.done("a", "b")
    assert (play.ends, play.visited) == (["y"], ["a", "b", "y"])
    play = Player(graph)
    play.send(Skip(1, "a"))
    assert play.ends == ["x"]


def test_a_start_that_waits_for_something_is_no_choice_beside_a_plain_one():
    parts = (start("a"), start("b", message()), end("x"), end("y"), flow("a > x"), flow("b > y"))
    graph = declared(*parts)
    assert Player(graph).ends == ["x"]
    result = advance(graph, State.start(graph, {}), Started("b"), NOW)
    assert result.state.ends == ["y"]
    with pytest.raises(UnknownOutcomeError):
        advance(graph, State.start(graph, {}), Started("x"), NOW)


def test_a_start_that_is_named_can_be_held_like_any_other():
    graph = declared(
        start("a"), xor("g"), end("x"), handler("h", start("hs", timer("${gone}")), user("v"), flow("hs > v")),
        flow("a > g"), flow("g > x", "false"),
    )  # fmt: skip
    result = advance(graph, State.start(graph, {}), Started("a"), NOW)
    assert result.effects[-1].code == "time" or result.effects[-1].code == "value"


def test_without_a_start_everything_begins_to_which_nothing_leads():
    """10.5.2: all flow objects without an incoming flow are instantiated."""
    play = Player(graph_of(user("a"), user("b"), user("c"), end(), flow("a > e"), flow("b > c")))
    assert play.waiting == [("a", "task"), ("b", "task")]
    inside = Player(graph_of(start(), sub("box", user("a"), user("b"), end("x"), flow("a > x"), flow("b > x")), end(),
                             flow("s > box > e")))  # fmt: skip
    assert inside.waiting == [("a", "task"), ("b", "task"), ("box", "scope")]
    inside.done("a")
    inside.done("b")
    assert inside.ends == ["e"]


def test_a_send_task_may_call_an_operation():
    play = Player(
        declared(start(), element("sendTask", "k", crm_operation="notify.user"), end(), flow("s > k > e"))
    )
    assert play.waiting == [("k", "job")]


def test_an_exclusive_gateway_that_leads_nowhere_ends_the_way():
    assert Player(declared(start(), xor("g"), flow("s > g"))).ends == ["g"]
