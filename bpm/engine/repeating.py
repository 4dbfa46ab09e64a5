"""Activities that are done several times: for each item, so many times, or as long as a condition holds.

The token on the activity holds one scope for each round under way; a round's own token stands on the same node.
What a round writes is its own until it is over; then it becomes known outside, the latest round last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpm.engine import state as waits
from bpm.engine.books import HeldError
from bpm.engine.evaluating import truth
from bpm.engine.expressions import ExpressionError
from bpm.engine.model import Repeat
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.state import Rounds, Scope, Token
from bpm.engine.values import Value, Values

if TYPE_CHECKING:
    from bpm.engine.running import Run

COUNTER = "loopCounter"
STANDARD = "standard"


def begin(run: Run, token: Token, repeat: Repeat) -> None:
    """A token has come to a repeated activity."""
    token.rounds = _counted(run, token, repeat)
    try:
        run.arm(token)
    except HeldError:
        token.rounds = None
        raise
    run.wait(token, waits.LOOP)
    go_on(run, token)


def _counted(run: Run, token: Token, repeat: Repeat) -> Rounds:
    if repeat.kind == STANDARD:
        return Rounds(_number(run, token, repeat.maximum) if repeat.maximum else -1)
    if repeat.collection:
        items = run.worked_out(token, repeat.collection, {})
        if not isinstance(items, list):
            raise HeldError(
                "value", _("What “%(node)s” is to be done for is no list."), node=_label(run, token)
            )
        _demand_few(run, token, len(items))
        return Rounds(len(items), items)
    return Rounds(_number(run, token, repeat.cardinality) if repeat.cardinality else 1)


def _number(run: Run, token: Token, text: str) -> int:
    number = run.worked_out(token, text, {})
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise HeldError(
            "value", _("How often “%(node)s” is to be done is no whole number."), node=_label(run, token)
        )
    _demand_few(run, token, number)
    return number


def _demand_few(run: Run, token: Token, number: int) -> None:
    if number > run.limits.rounds:
        text = _("“%(node)s” is to be done %(count)s times; the most is %(limit)s.")
        count, limit = str(number)[:20], str(run.limits.rounds)
        raise HeldError("rounds", text, node=_label(run, token), count=count, limit=limit)


def _label(run: Run, token: Token) -> str:
    return run.node(token).label


def round_done(run: Run, token: Token, scope: Scope) -> None:
    """The last token of a round is gone: its result is kept, and what it wrote becomes known outside."""
    rounds, repeat = _under_way(run, token)
    rounds.done += 1
    held = None
    try:
        if repeat.output:
            rounds.results[scope.loop or 0] = _result(run, token, repeat, scope)
    except HeldError as error:
        held = error
    for name, value in scope.local.items():
        if name not in (repeat.element, COUNTER):
            run.assign(token, name, value)
    if held:
        run.hold(token, held.code, held.phrase)
    else:
        go_on(run, token)


def _under_way(run: Run, token: Token) -> tuple[Rounds, Repeat]:
    repeat = run.node(token).repeat
    assert token.rounds is not None and repeat is not None
    return token.rounds, repeat


def _result(run: Run, token: Token, repeat: Repeat, scope: Scope) -> Value:
    return run.worked_out(token, repeat.output_element or repeat.element or "outcome", scope.local)


def go_on(run: Run, token: Token) -> None:
    """Begins the rounds that are due, or ends the activity; what cannot be decided is an incident on it."""
    try:
        _go_on(run, token)
    except HeldError as held:
        run.hold(token, held.code, held.phrase)


def _go_on(run: Run, token: Token) -> None:
    rounds, repeat = _under_way(run, token)
    if token.wait and token.wait.kind == waits.INCIDENT:
        run.wait(token, waits.LOOP)
    if _is_over(run, token, rounds, repeat):
        gathered = [rounds.results[number] for number in sorted(rounds.results)]
        run.clear_inside(token)
        if repeat.output:
            run.assign(token, repeat.output, gathered)
        run.attempt(token)
        return
    one_by_one = repeat.sequential or repeat.kind == STANDARD
    last = rounds.done + 1 if one_by_one else rounds.total
    while rounds.begun < last:
        _launch(run, token, rounds, repeat)


def _is_over(run: Run, token: Token, rounds: Rounds, repeat: Repeat) -> bool:
    if repeat.kind == STANDARD:
        return rounds.begun == rounds.done and not _once_more(run, token, rounds, repeat)
    if rounds.done >= rounds.total:
        return True
    return bool(rounds.done and repeat.condition) and _holds(
        run, token, repeat.condition, _counts(rounds, repeat)
    )


def _once_more(run: Run, token: Token, rounds: Rounds, repeat: Repeat) -> bool:
    if 0 <= rounds.total <= rounds.done:
        return False
    if rounds.done == 0 and not (repeat.test_before and repeat.condition):
        return True
    if not repeat.condition:
        return rounds.total > 0
    return _holds(run, token, repeat.condition, {COUNTER: rounds.done})


def _counts(rounds: Rounds, repeat: Repeat) -> Values:
    """What a completion condition may ask: the counters of the standard, and the results so far."""
    counts: Values = {
        "nrOfInstances": rounds.total,
        "nrOfCompletedInstances": rounds.done,
        "nrOfActiveInstances": rounds.begun - rounds.done,
        COUNTER: rounds.done - 1,
    }
    if repeat.output:
        counts[repeat.output] = [rounds.results[number] for number in sorted(rounds.results)]
    return counts


def _holds(run: Run, token: Token, condition: str, given: Values) -> bool:
    try:
        return truth(run.worked_out(token, condition, given))
    except ExpressionError as error:
        text = _("Whether “%(node)s” is to be done again cannot be decided: %(problem)s.")
        raise HeldError("value", text, node=_label(run, token), problem=error.phrase) from error


def _launch(run: Run, token: Token, rounds: Rounds, repeat: Repeat) -> None:
    number = rounds.begun
    rounds.begun += 1
    local: Values = {COUNTER: number}
    if rounds.items is not None and repeat.element:
        local[repeat.element] = rounds.items[number]
    run.state.issued += 1
    scope = Scope(run.state.issued, token.node, token.id, token.scope, number, local)
    run.state.scopes[scope.id] = scope
    run.state.add(token.node, scope=scope.id).loop = number
