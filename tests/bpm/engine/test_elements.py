"""Each element by itself, worked out by hand from the BPMN 2.0.2 standard (paragraphs in the docstrings)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bpm.engine.advance import UnknownOutcomeError
from bpm.engine.events import (
    Ended,
    Finished,
    Incident,
    NodeEntered,
    NodeLeft,
    OpenUserTask,
    SetTimer,
    StartJob,
    TaskDone,
)
from tests.factories.diagrams import (
    NOW,
    TERMINATE,
    Player,
    both,
    element,
    end,
    flow,
    graph_of,
    outcomes,
    pause,
    service,
    some,
    start,
    user,
    xor,
)


def test_start_to_end_is_told_step_by_step():
    """13.2: a start event sends one token along its outgoing flow; 13.5.6: a none end consumes it."""
    play = Player(graph_of(start(), end(), flow("s > e")))
    assert play.effects == [
        NodeEntered(1, "s", ""),
        NodeLeft(1, "s", ("s-e",)),
        NodeEntered(2, "e", "s-e"),
        Ended("e", "none"),
        NodeLeft(2, "e"),
        Finished("completed", ("e",)),
    ]
    assert play.state.tokens == {}


def test_when_a_task_is_reminded_of_and_escalated():
    """Counted back and on from the due moment; without a calendar every hour is worked."""
    ask = user("u", crm_due="P2D", crm_remind="PT4H", crm_escalate="work PT8H")
    task = Player(graph_of(start(), ask, end(), flow("s > u > e"))).latest[-1]
    due = NOW + timedelta(days=2)
    assert (task.remind, task.escalate) == (due - timedelta(hours=4), due + timedelta(hours=8))


def test_user_task_asks_and_goes_on_with_the_answer():
    """13.3.3: a user task completes when the person says so."""
    play = Player(graph_of(start(), user("u", crm_due="P2D", name="Ask"), end(), flow("s > u > e")))
    task = next(effect for effect in play.effects if isinstance(effect, OpenUserTask))
    assert (task.token, task.name, task.assignee, task.due) == (
        2,
        "Ask",
        "requester",
        NOW + timedelta(days=2),
    )
    assert play.waiting == [("u", "task")]
    assert play.state.waiting()[0].until == NOW + timedelta(days=2)
    play.done("u", answer=Decimal("1.50"))
    assert play.ends == ["e"]
    assert play.state.variables == {"answer": Decimal("1.50")}


def test_outcome_becomes_a_variable_and_decides():
    play = Player(
        graph_of(
            start(), user("u-1", outcomes("yes", "no")), xor("x", default="x-a"), end("a"), end("b"),
            flow("s > u-1 > x > a"), flow("x > b", "${u_1_outcome == 'no' and outcome == 'no'}"),
        )
    )  # fmt: skip
    play.done("u-1", "no")
    assert play.ends == ["b"]
    assert play.state.variables == {"u_1_outcome": "no", "outcome": "no"}


def test_outcome_that_is_not_offered_changes_nothing():
    play = Player(graph_of(start(), user("u", outcomes("yes", "no")), end(), flow("s > u > e")))
    before = play.text
    with pytest.raises(UnknownOutcomeError):
        play.send(TaskDone(play.token("u"), "maybe"))
    with pytest.raises(UnknownOutcomeError):
        play.send(TaskDone(play.token("u")))
    assert play.text == before


@pytest.mark.parametrize("kind", ["task", "manualTask", "intermediateThrowEvent"])
def test_steps_outside_the_system_are_passed(kind):
    """13.3.3: manual and abstract tasks are not carried out by the engine."""
    play = Player(graph_of(start(), element(kind, "m"), end(), flow("s > m > e")))
    assert play.visited == ["s", "m", "e"]
    assert play.status == "completed"


def test_service_task_calls_its_operation_with_filled_arguments():
    inputs = (
        '<extensionElements><crm:input name="user" value="head"/>'
        '<crm:input name="text" value="About ${deal.name}: ${deal.amount}"/>'
        '<crm:input name="amount" value="${deal.amount * 2}"/>'
        '<crm:output name="number" variable="sent"/></extensionElements>'
    )
    graph = graph_of(start(), service("j", inputs, crm_operationVersion="3"), end(), flow("s > j > e"))
    play = Player(graph, deal={"name": "Żuraw", "amount": Decimal("10.50")})
    job = next(effect for effect in play.effects if isinstance(effect, StartJob))
    assert (job.operation, job.version) == ("notify.user", "3")
    assert job.arguments == {"user": "head", "text": "About Żuraw: 10.50", "amount": Decimal("21.00")}
    play.done("j", number=7, noise="dropped")
    assert play.status == "completed"
    assert play.state.variables == {"deal": {"name": "Żuraw", "amount": Decimal("10.50")}, "sent": 7}


def test_intermediate_timer_waits_until_it_is_due():
    """13.5.2: the token stays at the event until it occurs."""
    play = Player(graph_of(start(), pause("t", "P1DT2H"), end(), flow("s > t > e")))
    assert SetTimer(2, "t", NOW + timedelta(days=1, hours=2)) in play.effects
    assert play.state.waiting()[0].until == NOW + timedelta(days=1, hours=2)
    play.done("t")
    assert play.status == "completed"


def exclusive(**variables):
    return Player(
        graph_of(
            start(), xor("x", default="x-c"), end("a"), end("b"), end("c"), flow("s > x"),
            flow("x > a", "amount > 100"), flow("x > b", "amount > 10"), flow("x > c"),
        ),
        **variables,
    )  # fmt: skip


@pytest.mark.parametrize(("amount", "way"), [(500, "a"), (50, "b"), (5, "c")])
def test_exclusive_gateway_takes_the_first_condition_that_holds(amount, way):
    """13.4.2: conditions in order, the default when none holds, exactly one token out."""
    assert exclusive(amount=amount).ends == [way]


def test_exclusive_gateway_without_a_way_on_is_held():
    play = Player(
        graph_of(
            start(),
            xor("x"),
            end("a"),
            end("b"),
            flow("s > x"),
            flow("x > a", "n > 1"),
            flow("x > b", "n > 2"),
        ),
        n=0,
    )
    assert play.waiting == [("x", "incident")]
    assert play.status == "running"
    incident = play.effects[-1]
    assert (incident.code, incident.message) == ("no_flow", "No way on: no condition behind “x” is met.")


def test_condition_that_cannot_be_decided_names_the_flow():
    graph = graph_of(
        start(), xor("x"), end("a"), end("b"), flow("s > x"), flow("x > a", "amount > 1", "big"),
        flow("x > b", "true"),
    )  # fmt: skip
    incident = Player(graph).effects[-1]
    assert isinstance(incident, Incident)
    assert incident.code == "condition"
    assert incident.message == "The condition of the flow “big” cannot be decided: “amount” has no value yet."


def test_single_flow_without_condition_means_otherwise():
    graph = graph_of(start(), xor("x"), end("a"), end("b"), flow("s > x > a"), flow("x > b", "n > 5"))
    assert Player(graph, n=9).ends == ["b"]
    assert Player(graph, n=1).ends == ["a"]


def test_flows_without_conditions_become_a_persons_choice():
    graph = graph_of(start(), xor("x"), end("a"), end("b", name="Bee"), flow("s > x > a"), flow("x > b"))
    play = Player(graph)
    task = play.effects[-1]
    assert (task.choice, task.assignee) == (True, "requester")
    assert [(each.key, each.label) for each in task.form.outcomes] == [("x-a", "a"), ("x-b", "Bee")]
    assert play.waiting == [("x", "choice")]
    with pytest.raises(UnknownOutcomeError):
        play.send(TaskDone(play.token("x"), "s-x"))
    play.done("x", "x-b")
    assert play.ends == ["b"]


def test_parallel_gateways_split_and_wait_for_all():
    """13.4.1: a token on every outgoing flow; a join fires when each incoming flow has one."""
    graph = graph_of(
        start(), both("f"), user("a"), user("b"), both("j"), end(),
        flow("s > f > a > j > e"), flow("f > b > j"),
    )  # fmt: skip
    play = Player(graph)
    assert play.waiting == [("a", "task"), ("b", "task")]
    play.done("b")
    assert play.waiting == [("a", "task"), ("j", "join")]
    play.done("a")
    assert play.ends == ["e"]
    assert play.visited.count("e") == 1


def test_join_takes_one_token_of_each_flow_and_keeps_the_rest():
    """13.4.1: a surplus token on one flow stays for the next round."""
    graph = graph_of(
        start(), both("f"), user("a"), user("b"), xor("m"), user("c"), both("j"), end(),
        flow("s > f > a > m > j > e"), flow("f > b > m"), flow("f > c > j"),
    )  # fmt: skip
    play = Player(graph)
    play.done("a")
    play.done("b")
    assert play.waiting == [("c", "task"), ("j", "join"), ("j", "join")]
    play.done("c")
    assert play.ends == ["e"]
    assert play.waiting == [("j", "incident")]
    assert play.status == "running"


def inclusive(**variables):
    graph = graph_of(
        start(), some("f", default="f-c"), user("a"), user("b"), user("c"), some("j"), end(),
        flow("s > f"), flow("f > a", "n > 1"), flow("f > b", "n > 5"), flow("f > c"),
        flow("a > j > e"), flow("b > j"), flow("c > j"),
    )  # fmt: skip
    return Player(graph, **variables)


@pytest.mark.parametrize(("n", "asked"), [(9, ["a", "b"]), (3, ["a"]), (0, ["c"])])
def test_inclusive_gateway_takes_every_condition_that_holds(n, asked):
    """13.4.3: all true conditions, the default only when none is."""
    play = inclusive(n=n)
    assert [node for node, _kind in play.waiting] == asked
    for node in asked:
        assert play.ends == []
        play.done(node)
    assert play.ends == ["e"]
    assert play.visited.count("e") == 1


def test_event_gateway_follows_the_first_event():
    """13.4.4: the event that occurs first takes the way and withdraws the others."""
    graph = graph_of(
        start(), element("eventBasedGateway", "g"), pause("soon", "PT1H"), pause("late"), end("a"), end("b"),
        flow("s > g > soon > a"), flow("g > late > b"),
    )  # fmt: skip
    play = Player(graph)
    assert play.waiting == [("g", "event"), ("late", "timer"), ("soon", "timer")]
    play.done("soon")
    assert play.ends == ["a"]
    assert play.kinds()[:3] == ["CancelTimer", "NodeLeft", "NodeEntered"]
    assert play.visited == ["s", "g", "soon", "a"]


def test_link_goes_on_at_its_other_half():
    """10.5.1: a link is the flow drawn in two pieces."""
    link = '<linkEventDefinition name="L"/>'
    graph = graph_of(
        start(), element("intermediateThrowEvent", "out", link),
        element("intermediateCatchEvent", "in", link), end(),
        flow("s > out"), flow("in > e"),
    )  # fmt: skip
    play = Player(graph)
    assert play.visited == ["s", "out", "in", "e"]
    assert play.status == "completed"


def test_terminate_end_stops_everything_else():
    """13.5.6: a terminate end consumes every token of its scope."""
    graph = graph_of(
        start(), both("f"), user("a"), user("b"), pause("t"), end("stop", TERMINATE), end(),
        flow("s > f > a > stop"), flow("f > b > e"), flow("f > t > e"),
    )  # fmt: skip
    play = Player(graph)
    play.done("a")
    assert play.ends == ["stop"]
    assert play.status == "completed"
    assert play.kinds() == [
        "NodeLeft", "NodeEntered", "Ended", "CloseUserTask", "NodeLeft", "CancelTimer", "NodeLeft",
        "NodeLeft", "Finished",
    ]  # fmt: skip
    assert play.state.tokens == {}


def test_several_flows_out_of_a_task_are_all_taken():
    """13.2.1: implicit parallel split."""
    play = Player(graph_of(start(), user("a"), user("b"), end(), flow("s > a > e"), flow("s > b > e")))
    assert play.waiting == [("a", "task"), ("b", "task")]


def test_conditional_flows_out_of_a_task():
    """10.3.1: every flow whose condition holds, else the default."""
    graph = graph_of(
        start(), user("u", default="u-c"), end("a"), end("b"), end("c"), flow("s > u"),
        flow("u > a", "n > 1"), flow("u > b", "n > 2"), flow("u > c"),
    )  # fmt: skip
    for n, ends in ((5, ["a", "b"]), (2, ["a"]), (0, ["c"])):
        play = Player(graph)
        play.done("u", n=n)
        assert play.ends == ends


def test_node_without_a_way_on_ends_implicitly():
    play = Player(graph_of(start(), user("u"), flow("s > u")))
    play.done("u")
    assert Ended("u", "implicit") in play.effects
    assert play.effects[-1] == Finished("completed", ("u",))
