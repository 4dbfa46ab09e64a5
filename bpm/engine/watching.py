"""Events that may happen while something else goes on: armed with their host, disarmed when it is over.

A watcher's host is the token of an activity (events on its border) or of an event gateway (events behind it);
with the host WHOLE_SCOPE it is the start of an event subprocess and watches the scope it lies in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bpm.engine import state as waits
from bpm.engine.books import Books, Limits, no_time
from bpm.engine.durations import Calendar, DurationError, parse_cycle, parse_duration
from bpm.engine.events import SetTimer, Subscribe, Unsubscribe
from bpm.engine.model import Graph, Node
from bpm.engine.state import WHOLE_SCOPE, State, Token, Wait

AWAITED = ("timer", "message", "signal")


class Watching(Books):
    """The part of a step that keeps watchers."""

    def __init__(
        self, graph: Graph, state: State, now: datetime, limits: Limits, calendar: Calendar | None = None
    ) -> None:
        super().__init__(graph, state, now, limits, calendar)
        self.hosted: dict[int, list[int]] = {}
        for token in state.tokens.values():
            if token.host:
                self.hosted.setdefault(_place(token), []).append(token.id)

    def watchers(self, place: int) -> list[Token]:
        """Those of a host token, or of a whole scope when `place` is its number's complement."""
        return [self.state.tokens[each] for each in self.hosted.get(place, ())]

    def arm(self, host: Token) -> None:
        """Listens for what may happen on the border of the token's activity; rounds of a repeated one do not."""
        if self.watchers(host.id) or self.round_of(host):
            return
        self._watch_all(host, host.id, self.graph.boundaries.get(host.node, ()))

    def arm_scope(self, scope_id: int) -> None:
        """Listens for what starts the event subprocesses of a scope that is about to begin."""
        handlers = self.graph.handlers.get(self.scope_node(scope_id), ())
        if handlers and not self.watchers(~scope_id):
            self._watch_all(Token(0, handlers[0].id, scope=scope_id), WHOLE_SCOPE, handlers)

    def scope_node(self, scope_id: int) -> str:
        """The id of the subprocess of which the scope is a run, empty for the process itself."""
        return self.state.scopes[scope_id].node if scope_id else ""

    def _watch_all(self, host: Token, place: int, nodes: tuple[Node, ...]) -> None:
        """All or none: a time that cannot be worked out is found before anything is armed."""
        awaited = [node for node in nodes if node.trigger and node.trigger.kind in AWAITED]
        for node, wait in [(node, self.awaited(host, node)) for node in awaited]:
            self.watch(host, place, node, wait)

    def watch(self, host: Token, place: int, node: Node, wait: Wait) -> None:
        watcher = self.state.issue(node.id, scope=host.scope)
        watcher.host = place
        self.hosted.setdefault(_place(watcher), []).append(watcher.id)
        self.expect(watcher, wait)

    def settle(self, watcher: Token) -> None:
        """The watcher becomes a token like any other."""
        self.hosted[_place(watcher)].remove(watcher.id)
        self.unsubscribe(watcher)
        watcher.host = 0
        watcher.wait = None

    def unsubscribe(self, token: Token) -> None:
        if token.wait and token.wait.kind in (waits.MESSAGE, waits.SIGNAL):
            self.emit(Unsubscribe(token.id))

    # Waiting for an event

    def expect(self, token: Token, wait: Wait) -> None:
        """Lets the token wait for a time, a message or a signal, and says so."""
        token.wait = wait
        if wait.kind == waits.TIMER:
            self.emit(SetTimer(token.id, token.node, datetime.fromisoformat(wait.until)))
        else:
            self.emit(Subscribe(token.id, token.node, wait.kind, wait.name, wait.key))

    def awaited(self, owner: Token, node: Node) -> Wait:
        """What the event on this node waits for, worked out from where its owner stands."""
        trigger = node.trigger
        assert trigger is not None
        since = self.now.isoformat()
        if trigger.kind != "timer":
            name = str(self.filled(owner, trigger.name or node.label, node))
            key = self.filled(owner, trigger.key, node) if trigger.key else ""
            return Wait(trigger.kind, since, name=name, key=str(key))
        if not trigger.cycle:
            until = self.moment(owner, trigger.duration or trigger.date, node)
            return Wait(waits.TIMER, since, until.isoformat())
        try:
            text = str(self.filled(owner, trigger.cycle, node))
            cycle = parse_cycle(text)
            until = cycle.every.after(self.now)
        except DurationError as error:
            raise no_time(node, error) from error
        left = -1 if cycle.times is None else cycle.times - 1
        return Wait(waits.TIMER, since, until.isoformat(), every=text.partition("/")[2], left=left)

    def once(self, owner: Token, node: Node) -> Wait:
        """The same for an event that happens once, however often its timer would repeat."""
        return replace(self.awaited(owner, node), every="", left=0)

    def next(self, wait: Wait) -> Wait:
        """The next repetition of a timer; those missed while nothing ran are not made up for."""
        every = parse_duration(wait.every)
        due = every.after(datetime.fromisoformat(wait.until))
        if due <= self.now:
            due = every.after(self.now)
        return replace(wait, since=self.now.isoformat(), until=due.isoformat(), left=max(wait.left - 1, -1))


def _place(watcher: Token) -> int:
    return watcher.host if watcher.host > 0 else ~watcher.scope
