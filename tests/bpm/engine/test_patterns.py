"""The workflow control-flow patterns (Russell, ter Hofstede, van der Aalst, Mulyar 2006), one test for each offered.

docs/process-patterns.md is the table of this module; running it as a script writes it anew.
"""

from pathlib import Path

import pytest

from bpm.engine.events import Cancelled, SignalReceived, StaleEventError, StartProcess
from tests.factories.diagrams import (
    TERMINATE,
    Player,
    border,
    both,
    catch,
    declared,
    element,
    end,
    flow,
    message,
    outcomes,
    pause,
    signal,
    some,
    start,
    sub,
    timer,
    user,
    xor,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "process-patterns.md"


def play(*parts, **variables):
    return Player(declared(*parts), **variables)


def ask_all(run, *nodes):
    for node in nodes:
        run.done(node)
    return run


def sequence():
    run = play(start(), user("a"), user("b"), end(), flow("s > a > b > e"))
    assert run.waiting == [("a", "task")]
    assert ask_all(run, "a", "b").ends == ["e"]


def parallel_split():
    run = play(start(), both("f"), user("a"), user("b"), flow("s > f > a"), flow("f > b"))
    assert run.waiting == [("a", "task"), ("b", "task")]


def synchronization():
    run = play(
        start(),
        both("f"),
        user("a"),
        user("b"),
        both("j"),
        end(),
        flow("s > f > a > j > e"),
        flow("f > b > j"),
    )
    assert ask_all(run, "a").ends == []
    assert ask_all(run, "b").ends == ["e"]


def exclusive_choice():
    parts = (start(), xor("x", default="x-b"), end("a"), end("b"), flow("s > x > b"), flow("x > a", "n > 1"))
    assert (play(*parts, n=2).ends, play(*parts, n=1).ends) == (["a"], ["b"])


def simple_merge():
    run = play(
        start(), xor("x"), user("a"), user("b"), xor("m"), end(), flow("s > x > a > m > e"), flow("x > b > m")
    )
    run.done("x", "x-b")
    assert ask_all(run, "b").ends == ["e"]


def choice_of_several(n=9):
    return play(
        start(), some("f", default="f-c"), user("a"), user("b"), user("c"), some("j"), user("after"), end(),
        flow("s > f"), flow("f > a", "n > 1"), flow("f > b", "n > 5"), flow("f > c"),
        flow("a > j > after > e"), flow("b > j"), flow("c > j"), n=n,
    )  # fmt: skip


def multi_choice():
    assert choice_of_several().waiting == [("a", "task"), ("b", "task")]
    assert choice_of_several(0).waiting == [("c", "task")]


def structured_synchronizing_merge():
    run = ask_all(choice_of_several(), "b")
    assert ("after", "task") not in run.waiting
    assert ask_all(run, "a").waiting == [("after", "task")]
    assert ask_all(choice_of_several(3), "a").waiting == [("after", "task")]


def multi_merge():
    run = play(
        start(),
        both("f"),
        user("a"),
        user("b"),
        xor("m"),
        end(),
        flow("s > f > a > m > e"),
        flow("f > b > m"),
    )
    assert ask_all(run, "a", "b").ends == ["e", "e"]


def arbitrary_cycles():
    run = play(
        start(), xor("m"), user("a"), xor("n"), user("b"), xor("x"), xor("y"), end(),
        flow("s > m > a > n > b > x > y > e"), flow("x > m"), flow("y > n"),
    )  # fmt: skip
    ask_all(run, "a", "b").done("x", "x-m")
    ask_all(run, "a", "b").done("x", "x-y")
    run.done("y", "y-n")
    ask_all(run, "b").done("x", "x-y")
    run.done("y", "y-e")
    assert run.status == "completed"


def implicit_termination():
    run = play(start(), both("f"), user("a"), user("b"), flow("s > f > a"), flow("f > b"))
    assert ask_all(run, "a").status == "running"
    assert ask_all(run, "b").status == "completed"


def instances_without_synchronization():
    run = play(
        start(), xor("m"), user("more"), both("f"), xor("x"), user("a"), end(), flow("s > m > more > f > x > e"),
        flow("f > a"), flow("x > m"),
    )  # fmt: skip
    run.done("more")
    run.done("x", "x-m")
    run.done("more")
    run.done("x", "x-e")
    assert run.waiting == [("a", "task"), ("a", "task")]


def repeated(inner="", **attributes):
    loop = element("multiInstanceLoopCharacteristics", "mi", inner, **attributes)
    return (user("u", outcomes("yes", "no") + loop), border("b", "u", timer()), end("late"), flow("b > late"))


def many(inner="", **attributes):
    return play(start(), *repeated(inner, **attributes), end(), flow("s > u > e"), people=["x", "y", "z"])


def instances_known_when_drawn():
    run = many("<loopCardinality>2</loopCardinality>")
    assert len(run.tokens("u")) == 2


def instances_known_at_run_time():
    run = many(crm_collection="people")
    for token in run.tokens("u"):
        assert run.ends == []
        run.done_by(token, "yes")
    assert run.ends == ["e"]


def deferred_choice():
    run = play(
        start(), element("eventBasedGateway", "g"), catch("m", message()), pause("t"), end("a"), end("b"),
        flow("s > g > m > a"), flow("g > t > b"),
    )  # fmt: skip
    assert ask_all(run, "t").ends == ["b"]
    assert run.waiting == []


def cancel_activity():
    run = play(
        start(), user("a"), border("b", "a", message()), end(), end("x"), flow("s > a > e"), flow("b > x")
    )
    assert (ask_all(run, "b").ends, run.waiting) == (["x"], [])


def cancel_case():
    run = play(start(), both("f"), user("a"), pause("t"), flow("s > f > a"), flow("f > t"))
    run.send(Cancelled())
    assert (run.status, run.state.tokens) == ("cancelled", {})


def structured_loop():
    loop = '<standardLoopCharacteristics><loopCondition>outcome == "no"</loopCondition></standardLoopCharacteristics>'
    run = play(start(), user("u", outcomes("yes", "no") + loop), end(), flow("s > u > e"))
    run.done_by(run.tokens("u")[0], "no")
    assert run.ends == []
    run.done_by(run.tokens("u")[0], "yes")
    assert run.ends == ["e"]


def recursion():
    run = play(start(), element("callActivity", "k", calledElement="p"), end(), flow("s > k > e"))
    assert isinstance(run.effects[-1], StartProcess)
    assert run.effects[-1].process == run.graph.id == "p"
    assert ask_all(run, "k").ends == ["e"]


def transient_trigger():
    run = play(start(), user("u"), catch("x", signal()), end(), flow("s > u > x > e"))
    with pytest.raises(StaleEventError):
        run.send(SignalReceived("S"))
    assert ask_all(run, "u").waiting == [("x", "signal")]


def cancel_region():
    inside = sub("box", start("s1"), both("f"), user("a"), user("b"), flow("s1 > f > a"), flow("f > b"))
    run = play(start(), both("g"), inside, border("x", "box"), user("c"), end(), end("cut"), flow("s > g > box > e"),
               flow("g > c > e"), flow("x > cut"))  # fmt: skip
    assert ask_all(run, "x").waiting == [("c", "task")]


def cancel_multiple_instances():
    run = many(crm_collection="people")
    assert (ask_all(run, "b").ends, run.waiting) == (["late"], [])


def cancelling_discriminator():
    inside = sub(
        "box", start("s1"), both("f"), user("a"), user("b"), end("first", TERMINATE), flow("s1 > f > a > first"),
        flow("f > b > first"),
    )  # fmt: skip
    run = play(start(), inside, end(), flow("s > box > e"))
    assert (ask_all(run, "b").ends, run.waiting) == (["e"], [])


def generalised_and_join():
    run = play(
        start(), both("f"), user("a"), user("b"), xor("m"), user("c"), user("d"), xor("n"), both("j"), user("after"),
        flow("s > f > a > m > j > after"), flow("f > b > m"), flow("f > c > n > j"), flow("f > d > n"),
    )  # fmt: skip
    ask_all(run, "a", "b", "c")
    assert run.waiting == [("after", "task"), ("d", "task"), ("j", "join")]
    assert ask_all(run, "d").waiting == [("after", "task"), ("after", "task")]


def cancelling_partial_join_of_instances():
    run = many(
        "<completionCondition>nrOfCompletedInstances >= 2</completionCondition>", crm_collection="people"
    )
    run.done_by(run.tokens("u")[0], "yes")
    assert run.ends == []
    run.done_by(run.tokens("u")[0], "yes")
    assert (run.ends, run.waiting) == (["e"], [])


def local_synchronizing_merge():
    """The join waits only for what can still come: the branch that ends elsewhere does not hold it up."""
    run = play(
        start(), some("f"), user("a"), user("b"), xor("x"), some("j"), end(), end("out"), flow("s > f"),
        flow("f > a", "true"), flow("f > b", "true"), flow("a > j > e"), flow("b > x > j"), flow("x > out"),
    )  # fmt: skip
    ask_all(run, "a", "b")
    assert run.ends == []
    run.done("x", "x-out")
    assert run.ends == ["out", "e"]


def general_synchronizing_merge():
    """A token that could reach an empty way in only past the join itself does not hold it up (13.4.3)."""
    run = play(
        start(), xor("m"), some("f"), user("a"), user("b"), some("j"), user("again"), xor("x"), end(),
        flow("s > m > f"), flow("f > a", "true"), flow("f > b", "first"), flow("a > j > again > x > e"),
        flow("b > j"), flow("x > m"), first=True,
    )  # fmt: skip
    ask_all(run, "a")
    assert run.waiting == [("b", "task"), ("j", "join")]
    run.done("b", first=False)
    ask_all(run, "again").done("x", "x-m")
    assert ask_all(run, "a").waiting == [("again", "task")]


def explicit_termination():
    run = play(
        start(),
        both("f"),
        user("a"),
        user("b"),
        end("stop", TERMINATE),
        flow("s > f > a > stop"),
        flow("f > b"),
    )
    assert (ask_all(run, "a").status, run.waiting) == ("completed", [])


COMPLEX = "needs the complex gateway; ask with a repeated step and a completion condition instead"
ORDER = "needs the ad hoc subprocess; draw the order of the steps"
PATTERNS = {
    1: ("Sequence", sequence),
    2: ("Parallel split", parallel_split),
    3: ("Synchronization", synchronization),
    4: ("Exclusive choice", exclusive_choice),
    5: ("Simple merge", simple_merge),
    6: ("Multi-choice", multi_choice),
    7: ("Structured synchronizing merge", structured_synchronizing_merge),
    8: ("Multi-merge", multi_merge),
    9: ("Structured discriminator", COMPLEX),
    10: ("Arbitrary cycles", arbitrary_cycles),
    11: ("Implicit termination", implicit_termination),
    12: ("Multiple instances without synchronization", instances_without_synchronization),
    13: ("Multiple instances with a priori design-time knowledge", instances_known_when_drawn),
    14: ("Multiple instances with a priori run-time knowledge", instances_known_at_run_time),
    15: (
        "Multiple instances without a priori run-time knowledge",
        "the list is read once, when the step begins",
    ),
    16: ("Deferred choice", deferred_choice),
    17: ("Interleaved parallel routing", ORDER),
    18: ("Milestone", "no state of another branch can be asked for; use a condition over variables"),
    19: ("Cancel activity", cancel_activity),
    20: ("Cancel case", cancel_case),
    21: ("Structured loop", structured_loop),
    22: ("Recursion", recursion),
    23: ("Transient trigger", transient_trigger),
    24: ("Persistent trigger", "tests/bpm/test_exchange.py: a message waits for its receiver"),
    25: ("Cancel region", cancel_region),
    26: ("Cancel multiple instance activity", cancel_multiple_instances),
    27: ("Complete multiple instance activity", "an operator may skip the step; nothing in the drawing does"),
    28: ("Blocking discriminator", COMPLEX),
    29: ("Cancelling discriminator", cancelling_discriminator),
    30: ("Structured partial join", COMPLEX),
    31: ("Blocking partial join", COMPLEX),
    32: ("Cancelling partial join", COMPLEX),
    33: ("Generalised AND-join", generalised_and_join),
    34: ("Static partial join for multiple instances", "instances that are left over are cancelled, see 35"),
    35: ("Cancelling partial join for multiple instances", cancelling_partial_join_of_instances),
    36: ("Dynamic partial join for multiple instances", "no instance is added while the step runs"),
    37: ("Local synchronizing merge", local_synchronizing_merge),
    38: ("General synchronizing merge", general_synchronizing_merge),
    39: ("Critical section", "branches exclude each other nowhere; draw them one after the other"),
    40: ("Interleaved routing", ORDER),
    41: ("Thread merge", "the quantities of the standard are not read"),
    42: ("Thread split", "the quantities of the standard are not read"),
    43: ("Explicit termination", explicit_termination),
}
ELSEWHERE = (24,)


def table():
    """The document: one row for each pattern."""
    lines = [
        "# Workflow control-flow patterns",
        "",
        "The 43 patterns of Russell, ter Hofstede, van der Aalst and Mulyar (2006), and what the process engine does"
        " with each. Every “passes” is a test in `tests/bpm/engine/test_patterns.py`, which also checks this page.",
        "",
        "| | pattern | | test, or why not |",
        "|---|---|---|---|",
    ]
    for number, (name, shown) in PATTERNS.items():
        if callable(shown):
            lines.append(f"| {number} | {name} | passes | `{shown.__name__}` |")
        else:
            verdict = "passes" if number in ELSEWHERE else "not offered"
            lines.append(f"| {number} | {name} | {verdict} | {shown} |")
    count = sum("| passes |" in line for line in lines)
    return "\n".join([*lines, "", f"{count} of {len(PATTERNS)} pass."]) + "\n"


@pytest.mark.parametrize("number", [number for number, (_name, shown) in PATTERNS.items() if callable(shown)])
def test_pattern(number):
    PATTERNS[number][1]()


def test_the_page_says_what_is_tested():
    assert DOCUMENT.read_text(encoding="utf-8") == table()


if __name__ == "__main__":
    DOCUMENT.write_text(table(), encoding="utf-8")
