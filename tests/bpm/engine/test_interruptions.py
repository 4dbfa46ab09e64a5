"""Boundary events and subprocesses: who is cut short by what, in every order."""

from datetime import timedelta

import pytest

from bpm.engine.events import (
    CancelJob,
    CancelTimer,
    CloseUserTask,
    Ended,
    Finished,
    JobFailed,
    NodeLeft,
    SetTimer,
    StaleEventError,
    TaskDone,
    TimerDue,
)
from tests.factories.diagrams import (
    NOW,
    TERMINATE,
    Player,
    border,
    both,
    end,
    flow,
    graph_of,
    pause,
    service,
    start,
    sub,
    timer,
    user,
)

ERROR = "<errorEventDefinition/>"


def guarded(**attributes):
    return Player(
        graph_of(
            start(),
            user("u"),
            border("b", "u", **attributes),
            end(),
            end("late"),
            flow("s > u > e"),
            flow("b > late"),
        )
    )


def test_task_done_first_disarms_the_timer():
    """13.5.3: a boundary event is only listened to while its activity runs."""
    play = guarded()
    watcher = play.token("b")
    assert SetTimer(watcher, "b", NOW + timedelta(days=1)) in play.effects
    play.done("u")
    assert CancelTimer(watcher) in play.latest
    assert play.ends == ["e"]
    with pytest.raises(StaleEventError):
        play.send(TimerDue(watcher))


def test_interrupting_timer_withdraws_the_task():
    play = guarded()
    task = play.token("u")
    play.done("b")
    assert CloseUserTask(task) in play.latest
    assert NodeLeft(task, "u", cancelled=True) in play.latest
    assert play.ends == ["late"]
    with pytest.raises(StaleEventError):
        play.send(TaskDone(task))


def test_other_timer_leaves_the_task_open():
    play = guarded(cancelActivity="false")
    play.done("b")
    assert play.waiting == [("u", "task")]
    assert play.ends == ["late"]
    play.done("u")
    assert play.effects[-1] == Finished("completed", ("late", "e"))


def test_repeating_timer_sets_itself_again_a_limited_number_of_times():
    graph = graph_of(
        start(), user("u"), border("b", "u", timer("R3/PT1H", "timeCycle"), cancelActivity="false"),
        end(), end("told"), flow("s > u > e"), flow("b > told"),
    )  # fmt: skip
    play = Player(graph)
    watcher = play.token("b")
    for round_ in (1, 2):
        play.done("b")
        assert SetTimer(watcher, "b", NOW + timedelta(hours=round_ + 1)) in play.latest
    play.done("b")
    assert play.waiting == [("u", "task")]
    assert play.ends == ["told"] * 3


def test_repetitions_missed_while_nothing_ran_fire_once():
    graph = graph_of(
        start(), user("u"), border("b", "u", timer("R/PT1H", "timeCycle"), cancelActivity="false"),
        end(), end("told"), flow("s > u > e"), flow("b > told"),
    )  # fmt: skip
    play = Player(graph)
    play.now = NOW + timedelta(hours=9)
    play.send(TimerDue(play.token("b")))
    assert play.ends == ["told"]
    assert play.state.waiting()[-1].until == NOW + timedelta(hours=10)


def test_two_timers_on_one_task():
    graph = graph_of(
        start(), user("u"), border("first", "u", timer("PT1H"), cancelActivity="false"),
        border("second", "u", timer("PT2H")), end(), end("a"), end("b"),
        flow("s > u > e"), flow("first > a"), flow("second > b"),
    )  # fmt: skip
    play = Player(graph)
    play.done("first")
    play.done("second")
    assert play.ends == ["a", "b"]
    assert play.waiting == []


def test_error_on_the_border_catches_a_failed_operation():
    graph = graph_of(
        start(), service("j"), border("x", "j", ERROR), border("t", "j"), end(), end("sorry"),
        flow("s > j > e"), flow("x > sorry"), flow("t > e"),
    )  # fmt: skip
    play = Player(graph)
    job = play.token("j")
    play.send(JobFailed(job, "http_500", "no answer"))
    assert play.ends == ["sorry"]
    assert CancelJob(job) not in play.latest
    assert "CancelTimer" in play.kinds()


def test_failed_operation_that_nobody_catches_is_held_while_other_branches_go_on():
    graph = graph_of(
        start(), both("f"), service("j"), user("u"), end(), flow("s > f > j > e"), flow("f > u > e")
    )
    play = Player(graph)
    play.send(JobFailed(play.token("j"), "", "no answer"))
    assert play.latest[-1].message == "The operation of “j” failed: no answer"
    play.done("u")
    assert play.waiting == [("j", "incident")]
    assert play.status == "running"


def nested(*inner, borders=()):
    return Player(
        graph_of(
            start(), sub("outer", start("s1"), *inner), *borders, end(), end("b"), flow("s > outer > e"),
            *(flow(f"{each} > b") for each in ("x",) if borders),
        )
    )  # fmt: skip


def test_subprocess_ends_when_everything_inside_has():
    """13.3.4: the subprocess completes when no token is left in it."""
    play = nested(both("f"), user("a"), user("b1"), end("e1"), flow("s1 > f > a > e1"), flow("f > b1 > e1"))
    assert play.waiting == [("a", "task"), ("b1", "task"), ("outer", "scope")]
    play.done("a")
    assert play.ends == []
    play.done("b1")
    assert play.ends == ["e"]
    assert [effect.scope for effect in play.effects if isinstance(effect, Ended)] == [3, 3, 0]


def test_terminate_inside_stops_only_the_subprocess():
    play = nested(
        both("f"), user("a"), user("b1"), end("stop", TERMINATE), end("e1"),
        flow("s1 > f > a > stop"), flow("f > b1 > e1"),
    )  # fmt: skip
    play.done("a")
    assert play.ends == ["e"]
    assert play.status == "completed"


def test_timer_on_a_subprocess_withdraws_all_of_it():
    play = nested(
        both("f"), user("a"), pause("t"), sub("deep", start("s2"), service("j"), flow("s2 > j")),
        flow("s1 > f > a"), flow("f > t"), flow("f > deep"), borders=(border("x", "outer"),),
    )  # fmt: skip
    play.done("x")
    assert play.ends == ["b"]
    assert sorted(kind for kind in play.kinds() if kind.startswith("C")) == [
        "CancelJob", "CancelTimer", "CloseUserTask",
    ]  # fmt: skip
    assert play.state.scopes == {}


def test_error_end_is_caught_by_the_nearest_border():
    play = nested(
        both("f"), user("a"), user("b1"), end("fail", ERROR), flow("s1 > f > a > fail"), flow("f > b1"),
        borders=(border("x", "outer", ERROR),),
    )  # fmt: skip
    play.done("a")
    assert play.ends == ["b"]
    assert [effect.kind for effect in play.effects if isinstance(effect, Ended)] == ["error", "none"]
    assert play.waiting == []


def test_error_that_nobody_catches_ends_the_process_as_an_error():
    play = nested(
        both("f"), user("a"), user("b1"), end("fail", ERROR), flow("s1 > f > a > fail"), flow("f > b1")
    )
    play.done("a")
    assert play.effects[-1] == Finished("error", ())
    assert play.state.tokens == {}


def test_failed_operation_deep_inside_reaches_the_outer_border():
    play = nested(
        sub("deep", start("s2"), service("j"), flow("s2 > j")), flow("s1 > deep"),
        borders=(border("x", "outer", ERROR),),
    )  # fmt: skip
    play.send(JobFailed(play.token("j"), "any", "broken"))
    assert play.ends == ["b"]


def test_subprocess_ending_at_once_goes_straight_on():
    play = nested(end("e1"), flow("s1 > e1"))
    assert play.visited == ["s", "outer", "s1", "e1", "e"]


def test_error_is_caught_by_its_code():
    from bpm.engine.reading import read
    from tests.factories.diagrams import document, process

    declared = '<error id="E1" errorCode="http_500"/><error id="E2" name="other"/>'
    drawing = process(
        start(), service("j"), border("x", "j", '<errorEventDefinition errorRef="E2"/>'),
        border("y", "j", '<errorEventDefinition errorRef="E1"/>', cancelActivity="false"),
        end(), end("a"), end("b"), flow("s > j > e"), flow("x > a"), flow("y > b"),
    )  # fmt: skip
    play = Player(read(document(declared, drawing)).graphs[0])
    play.send(JobFailed(play.token("j"), "http_500", "no answer"))
    assert play.ends == ["b"]
