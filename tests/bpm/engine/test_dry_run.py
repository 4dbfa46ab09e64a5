"""The rehearsal: what it visits, and how it names what goes wrong."""

import pytest

from bpm.engine.dryrun import dry_run
from bpm.engine.reading import read
from tests.factories.diagrams import (
    border,
    both,
    document,
    element,
    end,
    flow,
    graph_of,
    pause,
    process,
    service,
    start,
    sub,
    timer,
    user,
    xor,
)


def run(*parts, seed=0):
    return dry_run(graph_of(*parts), seed)


def test_visits_in_order_with_a_join_once():
    played = run(
        start(), both("f"), user("a"), service("b"), both("j"), pause("t"), end(),
        flow("s > f > a > j > t > e"), flow("f > b > j"),
    )  # fmt: skip
    assert (played.outcome, played.message) == ("completed", "")
    assert played.visited[:2] == ("s", "f")
    assert sorted(played.visited[2:4]) == ["a", "b"]
    assert played.visited[4:] == ("j", "t", "e")


def test_same_seed_same_run_and_seeds_differ():
    parts = (start(), xor("x"), end("a"), end("b"), flow("s > x > a"), flow("x > b"))
    runs = {run(*parts, seed=seed) for seed in range(8)}
    assert {each.visited[-1] for each in runs} == {"a", "b"}
    assert run(*parts, seed=3) == run(*parts, seed=3)


def test_conditions_are_tried_on_both_sides():
    parts = (
        start(), xor("x", default="x-b"), end("a"), end("b"), flow("s > x > b"),
        flow("x > a", "deal.amount > 500 and kind in ['p', 'q'] and approved"),
    )  # fmt: skip
    assert {run(*parts, seed=seed).visited[-1] for seed in range(40)} == {"a", "b"}


def test_loop_with_a_question_is_left():
    parts = (start(), user("u"), xor("x"), end(), flow("s > u > x > e"), flow("x > u"))
    assert {run(*parts, seed=seed).outcome for seed in range(20)} == {"completed"}


def test_deadlock_is_stuck():
    played = run(
        start(),
        xor("x"),
        user("a"),
        user("b"),
        both("j"),
        end(),
        flow("s > x > a > j > e"),
        flow("x > b > j"),
    )
    assert (played.outcome, played.message) == ("stuck", "“j” waits for a branch that can no longer arrive.")


def test_endless_circle_is_stuck():
    assert run(start(), xor("x"), xor("y"), flow("s > x > y > x")).outcome == "stuck"
    assert run(start(), user("x"), user("y"), flow("s > x > y > x")).outcome == "stuck"


@pytest.mark.parametrize(
    "part",
    [element("scriptTask", "k"), user("k", crm_due="soon")],
)
def test_what_cannot_run_is_an_error(part):
    played = run(start(), part, end(), flow("s > k > e"))
    assert played.outcome == "error"
    assert "“k”" in played.message
    assert played.visited == ("s", "k")


def test_nothing_to_begin_with():
    assert run(sub("p1", user("u"), flow("u > u")), flow("p1 > p1")).outcome == "error"


def test_repeating_timer_beside_a_task_does_not_hang():
    played = run(
        start(), user("u"), border("b", "u", timer("R/PT1H", "timeCycle"), cancelActivity="false"), end(), end("t"),
        flow("s > u > e"), flow("b > t"),
    )  # fmt: skip
    assert played.outcome == "completed"


def test_forms_are_filled_with_what_conditions_look_for():
    form = (
        "<extensionElements><crm:form>"
        '<crm:field key="kind" type="choice"><crm:choice value="a"/><crm:choice value="b"/></crm:field>'
        '<crm:field key="n" type="number"/><crm:field key="day" type="date"/><crm:field key="free"/>'
        "</crm:form></extensionElements>"
    )
    parts = (
        start(), user("u", form), xor("x", default="x-b"), end("a"), end("b"), flow("s > u > x > b"),
        flow("x > a", "kind == 'a' and n > 7 and ok == true and days_between(day, today()) != 1000000 and free != ''"),
    )  # fmt: skip
    assert {run(*parts, seed=seed).visited[-1] for seed in range(60)} == {"a", "b"}


def test_conditions_and_arguments_that_cannot_be_read_are_errors_of_the_run():
    assert run(start(), xor("x"), end("a"), flow("s > x"), flow("x > a", "(((")).outcome == "error"
    assert run(start(), user("u", crm_assignee="${(((}"), end(), flow("s > u > e")).outcome == "error"
    assert (
        run(start(), user("u", crm_assignee="${deal.owner}"), end(), flow("s > u > e")).outcome == "completed"
    )


def called(*parts, id_="other"):
    return read(document(process(*parts, id_=id_))).graphs[0]


def caller(inner=""):
    return graph_of(
        start(), element("callActivity", "k", inner, calledElement="other"), end(), flow("s > k > e")
    )


def test_what_is_called_is_rehearsed_when_it_is_at_hand():
    fine = called(start(), user("u"), end(), flow("s > u > e"))
    assert dry_run(caller(), 0, {"other": fine}).outcome == "completed"
    assert dry_run(caller()).outcome == "completed"
    stuck = called(start(), xor("x"), xor("y"), flow("s > x > y > x"))
    played = dry_run(caller(), 0, {"other": stuck})
    assert (played.outcome, played.message) == (
        "stuck",
        "In the process it calls (other): It still runs after 6000 steps.",
    )


def test_what_comes_back_from_a_call_has_values():
    inner = '<extensionElements><crm:output name="a.b > 1" variable="x"/></extensionElements>'
    assert dry_run(caller(inner)).outcome == "completed"
    everything = '<extensionElements><camunda:out variables="all"/></extensionElements>'
    assert dry_run(caller(everything)).outcome == "completed"
    broken = '<extensionElements><crm:output name="(((" variable="x"/></extensionElements>'
    assert dry_run(caller(broken)).outcome == "error"


def test_processes_that_call_each_other_come_to_an_end():
    one = caller()
    other = called(start(), element("callActivity", "k", calledElement="p"), end(), flow("s > k > e"))
    played = dry_run(one, 0, {"p": one, "other": other})
    assert (played.outcome, "call each other in a circle" in played.message) == ("error", True)
    wide = called(
        start(), element("callActivity", "k", calledElement="other"),
        element("callActivity", "l", calledElement="other"),
        end(), flow("s > k > e"), flow("s > l > e"),
    )  # fmt: skip
    assert dry_run(caller(), 0, {"other": wide}).outcome in ("error", "stuck")
    many = [element("callActivity", f"k{number}", calledElement="other") for number in range(60)]
    path = " > ".join(["s", *(f"k{number}" for number in range(60)), "e"])
    fine = called(start(), end(), flow("s > e"))
    played = dry_run(graph_of(start(), *many, end(), flow(path)), 0, {"other": fine})
    assert (played.outcome, played.message) == (
        "stuck", "In the process it calls (other): It is called again and again.",
    )  # fmt: skip


def test_messages_and_signals_come_to_pass():
    parts = (
        start(), element("intermediateCatchEvent", "m", "<messageEventDefinition/>"),
        element("intermediateCatchEvent", "x", "<signalEventDefinition/>"), end(), flow("s > m > x > e"),
    )  # fmt: skip
    assert run(*parts).outcome == "completed"
