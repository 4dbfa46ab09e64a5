"""What a step reads and writes: the state, its variables, the clock, and the effects it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bpm.engine import state as waits
from bpm.engine.durations import AlwaysAtWork, Calendar, DurationError, moment_of, parse_duration
from bpm.engine.evaluating import evaluate, fill, holds
from bpm.engine.events import Effect, Incident, NodeEntered
from bpm.engine.expressions import ExpressionError
from bpm.engine.model import Flow, Graph, Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.state import Scope, State, Token, Wait
from bpm.engine.values import Value, Values, normal


@dataclass(frozen=True, slots=True)
class Limits:
    """visits: per call before `more`; streak: without anything from outside; lifetime: per process.

    tokens: at the same time; rounds: of one repeated activity; depth: of processes that call each other.
    """

    visits: int = 2_000
    streak: int = 10_000
    lifetime: int = 100_000
    tokens: int = 1_000
    rounds: int = 1_000
    depth: int = 10


class HeldError(Exception):
    """A token cannot go on; becomes an incident on it."""

    def __init__(self, code: str, text: str, **params: str | Phrase) -> None:
        super().__init__(code)
        self.code = code
        self.phrase = Phrase(text, params)


class Books:
    """The working copy of a state during one call of `advance`."""

    def __init__(
        self, graph: Graph, state: State, now: datetime, limits: Limits, calendar: Calendar | None = None
    ) -> None:
        self.graph = graph
        self.state = state
        self.now = now
        self.limits = limits
        self.calendar = calendar or AlwaysAtWork()
        self.effects: list[Effect] = []
        self.budget = limits.visits

    def node(self, token: Token) -> Node:
        return self.graph.nodes[token.node]

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)

    # Visits

    def visit(self, token: Token) -> None:
        """Counts and announces that the token now stands on its node."""
        self.state.visits += 1
        self.state.streak += 1
        self.budget -= 1
        self.emit(NodeEntered(token.id, token.node, token.flow, token.scope, token.loop))

    def check_limits(self) -> None:
        if self.state.streak > self.limits.streak:
            raise HeldError(
                "loop", _("The process runs in a circle in which nobody and nothing is waited for.")
            )
        if self.state.visits > self.limits.lifetime:
            raise HeldError("lifetime", _("The process has visited more elements than one run may."))
        if len(self.state.tokens) > self.limits.tokens:
            raise HeldError("tokens", _("The process has split into more branches than one run may have."))

    def wait(self, token: Token, kind: str, until: datetime | None = None) -> None:
        token.wait = Wait(kind, self.now.isoformat(), until.isoformat() if until else "")

    def hold(self, token: Token, code: str, reason: Phrase) -> None:
        """Turns the token into an incident; nothing else is touched."""
        token.wait = Wait(waits.INCIDENT, self.now.isoformat(), code=code, reason=reason.to_json())
        self.emit(Incident(token.id, token.node, code, reason))

    # Variables

    def rounds_around(self, token: Token) -> Iterator[Scope]:
        """The rounds of repeated activities a token is inside, the innermost first."""
        scope = self.state.scopes.get(token.scope)
        while scope is not None:
            if scope.loop is not None:
                yield scope
            scope = self.state.scopes.get(scope.parent)

    def round_of(self, token: Token) -> Scope | None:
        """The round of a repeated activity that this very token carries out."""
        scope = self.state.scopes.get(token.scope)
        return scope if scope and scope.loop is not None and scope.node == token.node else None

    def variables(self, token: Token) -> Values:
        """The process's variables as they look from where the token stands."""
        found = self.state.variables
        for scope in reversed(list(self.rounds_around(token))):
            found = found | scope.local
        return found

    def assign(self, token: Token, name: str, value: Value) -> None:
        """A variable of the round the token is in, else of the process."""
        inner = next(self.rounds_around(token), None)
        (inner.local if inner else self.state.variables)[name] = value

    def take(self, token: Token, values: Mapping[str, Value]) -> None:
        for name, value in normal(values).items():
            self.assign(token, name, value)

    # Expressions

    def holds(self, token: Token, flow: Flow) -> bool:
        try:
            return holds(flow.condition, self.variables(token), self.now)
        except ExpressionError as error:
            name = flow.name or flow.id
            text = _("The condition of the flow “%(flow)s” cannot be decided: %(problem)s.")
            raise HeldError("condition", text, flow=name, problem=error.phrase) from error

    def filled(self, token: Token, text: str, node: Node | None = None) -> Value:
        """The value of an attribute or argument; `node` is the token's own unless it is told for another."""
        try:
            return fill(text, self.variables(token), self.now)
        except ExpressionError as error:
            raise _no_value(node or self.node(token), error) from error

    def worked_out(self, token: Token, text: str, given: Mapping[str, Value]) -> Value:
        """The value of an expression over the variables and what is given beside them."""
        try:
            return evaluate(text, self.variables(token) | dict(given), self.now)
        except ExpressionError as error:
            raise _no_value(self.node(token), error) from error

    def moment(
        self, token: Token, text: str, node: Node | None = None, *, since: datetime | None = None
    ) -> datetime:
        """When a time that is written in the diagram falls due, counted from `since` or from now."""
        try:
            return moment_of(self._time(token, text, node), since or self.now, self.calendar)
        except DurationError as error:
            raise no_time(node or self.node(token), error) from error

    def before(self, token: Token, text: str, moment: datetime) -> datetime:
        """The moment that a duration of the diagram lies before another."""
        try:
            length = parse_duration(self._time(token, text, None)).after(moment) - moment
        except DurationError as error:
            raise no_time(self.node(token), error) from error
        return moment - length

    def _time(self, token: Token, text: str, node: Node | None) -> str:
        value = self.filled(token, text, node)
        if not isinstance(value, str):
            raise DurationError(_("it is not text"))
        return value


def _no_value(node: Node, error: ExpressionError) -> HeldError:
    text = _("A value of “%(node)s” cannot be worked out: %(problem)s.")
    return HeldError("value", text, node=node.label, problem=error.phrase)


def no_time(node: Node, error: DurationError) -> HeldError:
    text = _("The time of “%(node)s” cannot be used: %(problem)s.")
    return HeldError("time", text, node=node.label, problem=error.phrase)
