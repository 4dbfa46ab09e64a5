"""Activities done several times (BPMN 2.0.2, 13.3.6 loop, 13.3.7 multi-instance)."""

import pytest

from bpm.engine.books import Limits
from bpm.engine.events import CancelJob, CloseUserTask, JobFailed, NodeEntered, Retry, Skip
from tests.factories.diagrams import (
    Player,
    border,
    declared,
    element,
    end,
    error,
    flow,
    outcomes,
    service,
    start,
    sub,
    timer,
    user,
)


def multi(inner="", **attributes):
    return element("multiInstanceLoopCharacteristics", "mi", inner, **attributes)


def loop(condition="", **attributes):
    inner = f"<loopCondition>{condition}</loopCondition>" if condition else ""
    return element("standardLoopCharacteristics", "lo", inner, **attributes)


def until(text):
    return f"<completionCondition>{text}</completionCondition>"


ASKED = {
    "crm_collection": "people", "crm_element": "person", "crm_outputCollection": "answers",
    "crm_outputElement": "outcome",
}  # fmt: skip


def asked(inner="", *more, people=("ann", "bob", "eve"), **attributes):
    task = user("u", outcomes("yes", "no") + multi(inner, **ASKED, **attributes), crm_assignee="${person}")
    return Player(declared(start(), task, end(), *more, flow("s > u > e")), people=list(people))


def assignees(play):
    return [effect.assignee for effect in play.latest if type(effect).__name__ == "OpenUserTask"]


def test_everybody_is_asked_at_once_and_all_answers_are_gathered_in_order():
    """13.3.7: parallel instances; the activity completes with the last of them."""
    play = asked()
    assert assignees(play) == ["ann", "bob", "eve"]
    assert play.waiting == [("u", "loop")] + [("u", "task")] * 3
    first, second, third = play.tokens("u")
    play.done_by(third, "no")
    play.done_by(first, "yes")
    assert play.ends == []
    play.done_by(second, "no")
    assert play.ends == ["e"]
    assert play.state.variables["answers"] == ["yes", "no", "no"]
    assert [effect.loop for effect in play.effects if isinstance(effect, NodeEntered)] == [
        None,
        None,
        0,
        1,
        2,
        None,
    ]
    assert play.state.scopes == {}


def test_one_after_the_other():
    """13.3.7: sequential instances, each begins when the one before has ended."""
    play = asked(isSequential="true")
    for person in ("ann", "bob", "eve"):
        assert assignees(play) == [person]
        play.done_by(play.tokens("u")[0], "yes")
    assert play.ends == ["e"]


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_two_refusals_are_enough(sequential):
    """13.3.7: the completion condition is asked after each instance and cancels those that are left."""
    play = asked(until("count(answers, 'no') >= 2"), isSequential=sequential)
    play.done_by(play.tokens("u")[0], "no")
    assert play.ends == []
    play.done_by(play.tokens("u")[0], "no")
    assert play.ends == ["e"]
    assert sum(isinstance(effect, CloseUserTask) for effect in play.latest) == (sequential == "false")
    assert play.state.variables["answers"] == ["no", "no"]


@pytest.mark.parametrize(
    "condition", ["nrOfCompletedInstances/nrOfInstances >= 0.5", "nrOfActiveInstances == 1"]
)
def test_the_counters_of_the_standard(condition):
    play = asked(until(condition))
    play.done_by(play.tokens("u")[0], "yes")
    assert play.ends == []
    play.done_by(play.tokens("u")[0], "yes")
    assert play.ends == ["e"]


def test_nobody_to_ask_passes_at_once():
    play = asked(people=())
    assert (play.ends, play.state.variables["answers"]) == (["e"], [])


def test_a_number_of_times_and_the_round_knows_its_number():
    task = service("j", "<extensionElements><crm:input name='n' value='${loopCounter}'/></extensionElements>"
                   + multi("<loopCardinality>${n}</loopCardinality>"))  # fmt: skip
    play = Player(declared(start(), task, end(), flow("s > j > e")), n=3)
    jobs = [effect.arguments["n"] for effect in play.latest if type(effect).__name__ == "StartJob"]
    assert jobs == [0, 1, 2]
    for token in play.tokens("j"):
        play.done_by(token)
    assert play.ends == ["e"]


def test_without_a_list_or_number_it_is_done_once():
    play = Player(declared(start(), user("u", multi()), end(), flow("s > u > e")))
    play.done_by(play.tokens("u")[0])
    assert play.ends == ["e"]


def test_what_a_round_writes_is_its_own_until_it_is_over():
    inside = sub(
        "box", multi(**ASKED, isSequential="false"), start("s1"), user("a"), user("b"), end("e1"),
        flow("s1 > a > b > e1"),
    )  # fmt: skip
    play = Player(declared(start(), inside, end(), flow("s > box > e")), people=["ann", "bob"])
    first, second = play.tokens("a")
    play.done_by(first, outcome="", note="from ann")
    play.done_by(second, outcome="", note="from bob")
    assert "note" not in play.state.variables
    rounds = [scope.local for scope in play.state.scopes.values() if scope.loop is not None]
    assert rounds == [
        {"loopCounter": 0, "person": "ann", "note": "from ann"},
        {"loopCounter": 1, "person": "bob", "note": "from bob"},
    ]
    later, sooner = play.tokens("b")
    play.done_by(sooner, outcome="x")
    play.done_by(later, outcome="y")
    assert play.state.variables == {
        "people": ["ann", "bob"], "note": "from ann", "answers": ["y", "x"], "outcome": "y", "b_outcome": "y",
    }  # fmt: skip


def test_a_repetition_inside_a_repetition():
    inner = user("u", multi(crm_collection="team", crm_element="person"), crm_assignee="${person}")
    outer = sub("box", multi(crm_collection="teams", crm_element="team"), start("s1"), inner, flow("s1 > u"))
    play = Player(declared(start(), outer, end(), flow("s > box > e")), teams=[["a", "b"], ["c"]])
    assert assignees(play) == ["a", "b", "c"]
    for token in reversed(play.tokens("u")):
        play.done_by(token)
    assert (play.ends, play.state.scopes) == (["e"], {})


def test_a_border_belongs_to_all_rounds_together():
    """13.5.3 with 13.3.7: an interrupting event ends every instance."""
    play = asked("", border("b", "u", timer()), end("late"), flow("b > late"))
    assert [kind for _node, kind in play.waiting].count("timer") == 1
    play.done("b")
    assert sum(isinstance(effect, CloseUserTask) for effect in play.latest) == 3
    assert (play.ends, play.state.scopes) == (["late"], {})


def test_an_error_in_one_round_reaches_the_border_and_ends_the_others():
    task = service("j", multi("<loopCardinality>3</loopCardinality>"))
    play = Player(
        declared(
            start(),
            task,
            border("b", "j", error()),
            end(),
            end("sorry"),
            flow("s > j > e"),
            flow("b > sorry"),
        )
    )
    play.send(JobFailed(play.tokens("j")[1], "E", "x"))
    assert play.ends == ["sorry"]
    assert sum(isinstance(effect, CancelJob) for effect in play.latest) == 2


def test_an_error_that_nobody_catches_holds_only_its_round():
    task = service("j", multi("<loopCardinality>2</loopCardinality>"))
    play = Player(declared(start(), task, end(), flow("s > j > e")))
    one, other = play.tokens("j")
    play.send(JobFailed(one, "", "x"))
    play.done_by(other)
    assert play.waiting == [("j", "incident"), ("j", "loop")]
    play.send(Retry(one))
    play.done_by(one)
    assert play.ends == ["e"]


def test_the_handler_of_a_repeated_subprocess_belongs_to_its_round():
    from tests.factories.diagrams import handler

    inside = sub(
        "box", multi("<loopCardinality>2</loopCardinality>"), start("s1"), service("j"), end("e1"),
        handler("h", start("hs", error()), user("v"), flow("hs > v")), flow("s1 > j > e1"),
    )  # fmt: skip
    play = Player(declared(start(), inside, end(), flow("s > box > e")))
    one, other = play.tokens("j")
    play.send(JobFailed(one, "E", "x"))
    assert [kind for node, kind in play.waiting if node == "j"] == ["job"]
    play.done("v")
    play.done_by(other)
    assert play.ends == ["e"]


def test_skipping_a_repeated_step_withdraws_every_round():
    play = asked()
    outer = next(token.id for token in play.state.tokens.values() if token.rounds)
    play.send(Skip(outer, "yes"))
    assert (play.ends, play.state.tokens) == (["e"], {})


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"crm_collection": "gone"}, "value"),
        ({"crm_collection": "number"}, "value"),
        ({"crm_collection": "many"}, "rounds"),
    ],
)
def test_lists_that_cannot_be_used_are_held(attributes, code):
    graph = declared(start(), user("u", multi(**attributes)), end(), flow("s > u > e"))
    play = Player(graph, number=5, many=list(range(1_001)))
    assert (play.waiting, play.effects[-1].code) == ([("u", "incident")], code)
    play.send(Retry(play.token("u"), {"gone": ["a"], "number": ["a"], "many": ["a"]}))
    play.done_by(play.tokens("u")[0])
    assert play.ends == ["e"]


@pytest.mark.parametrize(
    ("number", "code"), [(10**6, "rounds"), (-1, "value"), ("many", "value"), (True, "value")]
)
def test_numbers_that_cannot_be_used_are_held(number, code):
    graph = declared(
        start(), user("u", multi("<loopCardinality>n</loopCardinality>")), end(), flow("s > u > e")
    )
    play = Player(graph, n=number)
    assert (play.waiting, play.effects[-1].code) == ([("u", "incident")], code)


def test_a_border_whose_time_is_unknown_holds_the_step_before_anything_begins():
    play = asked("", border("b", "u", timer("${when}")), end("late"), flow("b > late"))
    assert play.waiting == [("u", "incident")]
    play.send(Retry(play.token("u"), {"when": "P1D"}))
    assert [kind for _node, kind in play.waiting] == ["timer", "loop", "task", "task", "task"]


@pytest.mark.parametrize("condition", ["gone > 1", "5"])
def test_a_completion_condition_that_cannot_be_decided_holds_the_step_and_is_asked_again(condition):
    play = asked(until(condition))
    one, two, three = play.tokens("u")
    play.done_by(one, "yes")
    assert ("u", "incident") in play.waiting
    play.send(Retry(next(each.id for each in play.state.tokens.values() if each.rounds), {"gone": 0}))
    play.done_by(two, "yes")
    play.done_by(three, "yes")
    assert play.ends == ["e"]


def test_a_result_that_cannot_be_worked_out_holds_the_step():
    task = user(
        "u", multi("<loopCardinality>1</loopCardinality>", crm_outputCollection="o", crm_outputElement="gone")
    )
    play = Player(declared(start(), task, end(), flow("s > u > e")))
    play.done_by(play.tokens("u")[0])
    assert play.waiting == [("u", "incident")]
    play.send(Skip(play.token("u")))
    assert play.ends == ["e"]


# Standard loops


def looping(condition="", **attributes):
    graph = declared(start(), user("u", loop(condition, **attributes)), end(), flow("s > u > e"))
    play = Player(graph, wanted=True)
    count = 0
    while play.status == "running" and count < 20:
        play.done_by(play.tokens("u")[0], wanted=count < 2)
        count += 1
    return count


@pytest.mark.parametrize(
    ("condition", "attributes", "times"),
    [
        ("wanted", {}, 3),
        ("wanted", {"testBefore": "true"}, 3),
        ("wanted", {"loopMaximum": "2"}, 2),
        ("loopCounter &lt; 4", {}, 4),
        ("false", {}, 1),
        ("false", {"testBefore": "true"}, 0),
        ("", {"loopMaximum": "4"}, 4),
        ("", {}, 1),
    ],
)
def test_a_loop_goes_on_while_its_condition_holds(condition, attributes, times):
    """13.3.6: tested before or after each round, at most as often as its maximum says."""
    assert looping(condition, **attributes) == times


def test_a_loop_in_which_nothing_is_waited_for_is_stopped():
    graph = declared(start(), element("task", "t", loop("true")), end(), flow("s > t > e"))
    play = Player(graph, limits=Limits(streak=50))
    play.go_on()
    assert play.effects[-1].code == "loop"


def test_the_state_of_rounds_survives_json_at_every_step():
    """Player sends the state through JSON before each event; here it is compared as well."""
    play = asked(isSequential="true")
    for _person in range(2):
        assert play.state.to_json() == type(play.state).from_json(play.state.to_json(), {}).to_json()
        play.done_by(play.tokens("u")[0], "yes")
