"""Errors and escalations: who catches them, and what is left standing (BPMN 2.0.2, 10.5.6, 10.5.7, 13.5.4)."""

import pytest

from bpm.engine.events import Escalated, EscalationRaised, Finished, JobFailed, StaleEventError
from tests.factories.diagrams import (
    Player,
    border,
    both,
    declared,
    end,
    error,
    escalation,
    flow,
    handler,
    pause,
    service,
    start,
    sub,
    throw,
    timer,
    user,
)


def handled(id_, trigger, **attributes):
    """An event subprocess with one user task inside."""
    return handler(
        id_, start(f"{id_}_s", trigger, **attributes), user(f"{id_}_u"), end(f"{id_}_e"),
        flow(f"{id_}_s > {id_}_u > {id_}_e"),
    )  # fmt: skip


def test_a_code_that_is_named_goes_before_one_that_catches_everything():
    play = Player(
        declared(
            start(), service("j"), border("any", "j", error()), border("one", "j", error("E")),
            end(), end("a"), end("b"),
            flow("s > j > e"), flow("any > a"), flow("one > b"),
        )
    )  # fmt: skip
    play.send(JobFailed(play.token("j"), "E", "x"))
    assert play.ends == ["b"]


def test_an_uncaught_error_end_gives_its_code_away():
    play = Player(declared(start(), end("x", error("E")), flow("s > x")))
    assert play.effects[-1] == Finished("error", ("x",), "E")


def test_an_error_event_subprocess_takes_the_place_of_the_process():
    """13.5.4: it interrupts everything else in its scope, then the process ends with it."""
    play = Player(
        declared(
            start(), both("f"), user("a"), service("j"), pause("t"), end(), handled("h", error("E")),
            flow("s > f > a > e"), flow("f > j > e"), flow("f > t > e"),
        )
    )  # fmt: skip
    play.send(JobFailed(play.token("j"), "E", "x"))
    assert play.waiting == [("h", "scope"), ("h_u", "task")]
    assert play.state.interrupted
    play.done("h_u")
    assert (play.status, play.ends) == ("completed", [])


def test_the_handler_inside_comes_before_the_border_outside():
    inside = sub("box", start("s1"), service("j"), end("e1"), handled("h", error()), flow("s1 > j > e1"))
    play = Player(
        declared(
            start(),
            inside,
            border("b", "box", error()),
            end(),
            end("out"),
            flow("s > box > e"),
            flow("b > out"),
        )
    )
    play.send(JobFailed(play.token("j"), "E", "x"))
    assert ("h_u", "task") in play.waiting
    play.done("h_u")
    assert play.ends == ["e"]


def test_an_error_inside_the_handler_rises_past_it():
    """13.5.4: the scope is interrupted already; its handlers catch nothing more."""
    broken = handler("h", start("hs", error()), service("k"), flow("hs > k"))
    inside = sub("box", start("s1"), service("j"), end("e1"), broken, flow("s1 > j > e1"))
    play = Player(
        declared(
            start(),
            inside,
            border("b", "box", error()),
            end(),
            end("out"),
            flow("s > box > e"),
            flow("b > out"),
        )
    )
    play.send(JobFailed(play.token("j"), "E", "x"))
    play.send(JobFailed(play.token("k"), "F", "x"))
    assert play.ends == ["out"]
    assert play.state.scopes == {}


def test_an_error_of_another_code_is_not_caught():
    play = Player(
        declared(start(), service("j"), border("b", "j", error("F")), end(), flow("s > j > e"), flow("b > e"))
    )
    play.send(JobFailed(play.token("j"), "E", "x"))
    assert play.waiting == [("j", "incident")]


def escalating(thrower, *more, **attributes):
    inside = sub(
        "box", start("s1"), both("f"), user("a"), thrower, end("e1"),
        flow("s1 > f > a > x"), flow("f > w > e1"), user("w"), *more,
    )  # fmt: skip
    return Player(
        declared(
            start(), inside, border("b", "box", escalation("H"), **attributes), end(), end("up"),
            flow("s > box > e"), flow("b > up"),
        )
    )  # fmt: skip


@pytest.mark.parametrize("is_end", [True, False])
def test_an_escalation_that_interrupts_cuts_its_subprocess_short(is_end):
    """10.5.7: escalations rise like errors; the boundary event ends the activity it sits on."""
    play = escalating(end("x", escalation("H")) if is_end else throw("x", escalation("H")))
    play.done("a")
    assert (play.ends, play.waiting) == (["up"], [])
    assert play.status == "completed"


@pytest.mark.parametrize("is_end", [True, False])
def test_an_escalation_that_does_not_interrupt_leaves_everything_running(is_end):
    play = escalating(
        end("x", escalation("H")) if is_end else throw("x", escalation("H")) + flow("x > e1"),
        cancelActivity="false",
    )
    play.done("a")
    assert (play.ends, play.waiting) == (["up"], [("box", "scope"), ("w", "task")])
    play.done("w")
    assert play.ends == ["up", "e"]


def test_an_escalation_that_nobody_catches_is_told_and_goes_on():
    """10.5.7: unlike an error it is not critical: the process continues where it was thrown."""
    play = escalating(throw("x", escalation("I")) + flow("x > e1"))
    play.done("a")
    raised = [effect for effect in play.latest if isinstance(effect, EscalationRaised)]
    assert [(effect.node, effect.code, effect.caught) for effect in raised] == [("x", "I", False)]
    play.done("w")
    assert play.ends == ["e"]


def test_an_escalation_caught_inside_does_not_reach_the_border():
    """The nearest catcher keeps it."""
    play = escalating(
        throw("x", escalation("H")) + flow("x > e1"), handled("h", escalation("H"), isInterrupting="false")
    )
    play.done("a")
    assert (play.ends, play.waiting) == (
        [],
        [("box", "scope"), ("h", "scope"), ("h_u", "task"), ("w", "task")],
    )
    play.done("w")
    assert play.ends == []
    play.done("h_u")
    assert play.ends == ["e"]


def test_help_is_called_for_from_outside_while_a_task_is_open():
    play = Player(
        declared(
            start(), user("u"), border("b", "u", escalation(), cancelActivity="false"), end(), end("up"),
            flow("s > u > e"), flow("b > up"),
        )
    )  # fmt: skip
    play.send(Escalated(play.token("u"), "late"))
    assert (play.ends, play.waiting) == (["up"], [("u", "task")])
    with pytest.raises(StaleEventError):
        play.send(Escalated(99))


def test_an_interrupting_escalation_handler_removes_the_thrower():
    play = Player(
        declared(start(), throw("x", escalation("H")), user("u"), end(), handled("h", escalation()),
                 flow("s > x > u > e"))
    )  # fmt: skip
    assert play.waiting == [("h", "scope"), ("h_u", "task")]
    play.done("h_u")
    assert play.status == "completed"


# Event subprocesses started by something that is waited for


def scoped(trigger, **attributes):
    return Player(declared(start(), user("u"), end(), handled("h", trigger, **attributes), flow("s > u > e")))


def test_a_timer_handler_is_armed_with_its_scope_and_disarmed_with_it():
    play = scoped(timer("PT1H"))
    assert play.waiting == [("h_s", "timer"), ("u", "task")]
    play.done("u")
    assert play.status == "completed"
    assert play.kinds()[-2:] == ["CancelTimer", "Finished"]


def test_a_timer_handler_interrupts():
    play = scoped(timer("PT1H"))
    play.done("h_s")
    assert play.waiting == [("h", "scope"), ("h_u", "task")]
    assert play.visited == ["s", "u", "h", "h_s", "h_u"]
    play.done("h_u")
    assert (play.status, play.state.tokens) == ("completed", {})


def test_a_handler_that_does_not_interrupt_runs_beside_and_keeps_the_scope_open():
    """13.5.4: the scope ends when neither it nor any of its handlers has a token left."""
    play = scoped(timer("R2/PT1H", "timeCycle"), isInterrupting="false")
    play.done("h_s")
    play.done("h_s")
    assert play.waiting == [("h", "scope"), ("h", "scope"), ("h_u", "task"), ("h_u", "task"), ("u", "task")]
    play.done("u")
    play.done("h_u")
    assert play.status == "running"
    play.done("h_u")
    assert play.status == "completed"


def test_a_plain_timer_handler_begins_once():
    play = scoped(timer("PT1H"), isInterrupting="false")
    play.done("h_s")
    assert play.waiting == [("h", "scope"), ("h_u", "task"), ("u", "task")]


def test_an_interrupting_handler_stops_the_others():
    play = Player(
        declared(
            start(), user("u"), end(), handled("h", timer("PT1H"), isInterrupting="false"), handled("i", timer("PT2H")),
            flow("s > u > e"),
        )
    )  # fmt: skip
    play.done("h_s")
    play.done("i_s")
    assert play.waiting == [("i", "scope"), ("i_u", "task")]


def test_a_handler_whose_time_cannot_be_worked_out_holds_the_first_step():
    play = scoped(timer("${when}"))
    assert play.waiting == [("s", "incident")]
    from bpm.engine.events import Retry

    play.send(Retry(play.token("s"), {"when": "PT1H"}))
    assert play.waiting == [("h_s", "timer"), ("u", "task")]


def test_the_same_inside_a_subprocess_and_inside_a_handler():
    inner = handled("h", timer("${when}"))
    play = Player(
        declared(
            start(), sub("box", start("s1"), user("u"), inner, flow("s1 > u")), end(), flow("s > box > e")
        )
    )
    assert (play.waiting, play.state.scopes) == ([("box", "incident")], {})
    outer = handler("o", start("os", timer()), user("v"), inner, flow("os > v"))
    play = Player(declared(start(), user("u"), end(), outer, flow("s > u > e")))
    play.done("os")
    assert play.waiting == [("o", "incident")]


def test_terminate_in_a_handler_ends_only_the_handler():
    stop = "<terminateEventDefinition/>"
    mine = handler("h", start("hs", timer(), isInterrupting="false"), end("he", stop), flow("hs > he"))
    play = Player(declared(start(), user("u"), end(), mine, flow("s > u > e")))
    play.done("hs")
    assert play.waiting == [("u", "task")]
