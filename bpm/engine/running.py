"""One step of a process while it is being taken: moving tokens, arming timers, holding and finishing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bpm.engine import state as waits
from bpm.engine.durations import DurationError, moment_of, parse_cycle
from bpm.engine.evaluating import fill, holds
from bpm.engine.events import (
    CancelJob,
    CancelTimer,
    CloseUserTask,
    Effect,
    Ended,
    Finished,
    Incident,
    NodeEntered,
    NodeLeft,
    Result,
    SetTimer,
)
from bpm.engine.expressions import ExpressionError
from bpm.engine.model import Flow, Graph, Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.state import ROOT_SCOPE, Scope, State, Token, Wait
from bpm.engine.values import Value


@dataclass(frozen=True, slots=True)
class Limits:
    """visits: per call before `more`; streak: without anything from outside; lifetime: per process."""

    visits: int = 2_000
    streak: int = 10_000
    lifetime: int = 100_000
    tokens: int = 1_000


class HeldError(Exception):
    """A token cannot go on; becomes an incident on it."""

    def __init__(self, code: str, text: str, **params: str | Phrase) -> None:
        super().__init__(code)
        self.code = code
        self.phrase = Phrase(text, params)


class Run:
    """The working copy of a state during one call of `advance`."""

    def __init__(self, graph: Graph, state: State, now: datetime, limits: Limits) -> None:
        self.graph = graph
        self.state = state
        self.now = now
        self.limits = limits
        self.effects: list[Effect] = []
        self.budget = limits.visits
        self.hosted: dict[int, list[int]] = {}
        for token in state.tokens.values():
            if token.host:
                self.hosted.setdefault(token.host, []).append(token.id)

    def result(self) -> Result:
        more = self.state.status == waits.RUNNING and bool(self.state.ready)
        return Result(state=self.state, effects=tuple(self.effects), more=more)

    def node(self, token: Token) -> Node:
        return self.graph.nodes[token.node]

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)

    # Visiting

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

    # Leaving

    def leave(self, token: Token, flows: list[Flow]) -> None:
        """Ends the visit and sends a new token along each flow."""
        self.disarm(token)
        self.emit(NodeLeft(token.id, token.node, tuple(flow.id for flow in flows)))
        del self.state.tokens[token.id]
        for flow in flows:
            self.state.add(flow.target, flow.id, token.scope)
        if not flows:
            self.close(token.scope)

    def complete(self, token: Token) -> None:
        """The node has done its part: the token takes every way that is open to it."""
        token.wait = None
        node = self.node(token)
        flows = self.ways(node)
        if not flows and node.kind != "endEvent":
            self.end(token, "implicit")
        self.leave(token, flows)

    def ways(self, node: Node) -> list[Flow]:
        """Flows whose condition is met or absent, else the default; none at all only where none is drawn."""
        flows = self.graph.outgoing(node)
        if node.kind == "parallelGateway":
            return flows
        taken = [
            flow for flow in flows if flow.id != node.default and (not flow.condition or self.holds(flow))
        ]
        taken = taken or [flow for flow in flows if flow.id == node.default]
        if flows and not taken:
            raise self.no_way(node)
        return taken

    def no_way(self, node: Node) -> HeldError:
        return HeldError("no_flow", _("No way on: no condition behind “%(node)s” is met."), node=node.label)

    def holds(self, flow: Flow) -> bool:
        try:
            return holds(flow.condition, self.state.variables, self.now)
        except ExpressionError as error:
            name = flow.name or flow.id
            text = _("The condition of the flow “%(flow)s” cannot be decided: %(problem)s.")
            raise HeldError("condition", text, flow=name, problem=error.phrase) from error

    def filled(self, node: Node, text: str) -> Value:
        """The value of an attribute or argument of the node."""
        try:
            return fill(text, self.state.variables, self.now)
        except ExpressionError as error:
            problem = _("A value of “%(node)s” cannot be worked out: %(problem)s.")
            raise HeldError("value", problem, node=node.label, problem=error.phrase) from error

    def moment(self, node: Node, text: str) -> datetime:
        value = self.filled(node, text)
        try:
            if not isinstance(value, str):
                raise DurationError(_("it is not text"))
            return moment_of(value, self.now)
        except DurationError as error:
            problem = _("The time of “%(node)s” cannot be used: %(problem)s.")
            raise HeldError("time", problem, node=node.label, problem=error.phrase) from error

    def assign(self, name: str, value: Value) -> None:
        self.state.variables[name] = value

    def jump(self, token: Token, node: Node) -> None:
        """Ends the visit and goes on at a node to which no flow is drawn."""
        self.disarm(token)
        self.emit(NodeLeft(token.id, token.node))
        del self.state.tokens[token.id]
        self.state.add(node.id, scope=token.scope)

    # Ends and scopes

    def end(self, token: Token, kind: str) -> None:
        if token.scope == ROOT_SCOPE:
            self.state.ends.append(token.node)
        self.emit(Ended(token.node, kind, token.scope))

    def open(self, token: Token, start: str) -> None:
        """Starts a subprocess on the token that stands on it."""
        self.state.issued += 1
        scope = Scope(id=self.state.issued, node=token.node, token=token.id, parent=token.scope)
        self.state.scopes[scope.id] = scope
        self.wait(token, waits.SCOPE)
        self.state.add(start, scope=scope.id)

    def close(self, scope_id: int) -> None:
        """When nothing is left in a scope, whatever held it goes on."""
        if any(token.scope == scope_id and not token.host for token in self.state.tokens.values()):
            return
        if scope_id == ROOT_SCOPE:
            self.finish(waits.COMPLETED)
            return
        scope = self.state.scopes.pop(scope_id)
        self.attempt(self.state.tokens[scope.token])

    def attempt(self, token: Token) -> None:
        """Completes a token; what stands in the way becomes its incident."""
        try:
            self.complete(token)
        except HeldError as held:
            self.hold(token, held.code, held.phrase)

    def fail(self, code: str, token: Token) -> bool:
        """An error rises to the nearest event that catches it; whatever it leaves is cut short."""
        host = token
        while True:
            for node in self.graph.boundaries.get(host.node, ()):
                caught = node.trigger and node.trigger.kind == "error" and node.trigger.code in ("", code)
                if caught:
                    self.interrupt(host, self.state.issue(node.id, scope=host.scope))
                    return True
            if host.scope == ROOT_SCOPE:
                return False
            host = self.state.tokens[self.state.scopes[host.scope].token]

    def interrupt(self, host: Token, event: Token) -> None:
        """A boundary event takes the place of its activity."""
        self.remove(host)
        self.visit(event)
        self.attempt(event)

    def choose(self, gateway: Token, event: Token) -> None:
        """An event behind an event gateway has happened first."""
        self.disarm(gateway)
        self.emit(NodeLeft(gateway.id, gateway.node, (event.flow,)))
        del self.state.tokens[gateway.id]
        self.visit(event)
        self.attempt(event)

    def finish(self, status: str) -> None:
        self.state.status = status
        self.state.ready.clear()
        self.emit(Finished(status, tuple(self.state.ends)))

    # Withdrawing

    def release(self, token: Token) -> None:
        """Calls off whatever the token waits for, and everything inside it."""
        kind = token.wait.kind if token.wait else ""
        if kind in (waits.TASK, waits.CHOICE):
            self.emit(CloseUserTask(token.id))
        elif kind == waits.JOB:
            self.emit(CancelJob(token.id))
        elif kind == waits.TIMER:
            self.emit(CancelTimer(token.id))
        for scope in [scope for scope in self.state.scopes.values() if scope.token == token.id]:
            self.clear(scope.id)
            del self.state.scopes[scope.id]
        token.wait = None

    def clear(self, scope_id: int, spare: int = 0) -> None:
        """Removes every token of a scope."""
        for token in [each for each in self.state.tokens.values() if each.scope == scope_id]:
            if token.id != spare and token.id in self.state.tokens:
                self.remove(token)

    def remove(self, token: Token) -> None:
        """Takes a token away; a visit that had begun ends as cancelled."""
        entered = token.id not in self.state.ready
        self.release(token)
        self.disarm(token)
        del self.state.tokens[token.id]
        if not entered:
            self.state.ready.remove(token.id)
        elif token.host:
            self.hosted[token.host].remove(token.id)
        else:
            self.emit(NodeLeft(token.id, token.node, cancelled=True))

    # Events that watch a token

    def watchers(self, host: Token) -> list[Token]:
        return [self.state.tokens[each] for each in self.hosted.get(host.id, ())]

    def arm(self, host: Token) -> None:
        """Sets the timers of the boundary events of the token's activity."""
        if self.watchers(host):
            return
        nodes = [node for node in self.graph.boundaries.get(host.node, ()) if node.trigger]
        timed = [(node, self.due(node)) for node in nodes if node.trigger and node.trigger.kind == "timer"]
        for node, wait in timed:
            self.watch(host, node, wait)

    def watch(self, host: Token, node: Node, wait: Wait) -> None:
        watcher = self.state.issue(node.id, scope=host.scope)
        watcher.host = host.id
        self.hosted.setdefault(host.id, []).append(watcher.id)
        self.sleep(watcher, wait)

    def settle(self, watcher: Token) -> None:
        """The watcher becomes a token like any other."""
        if watcher.host:
            self.hosted[watcher.host].remove(watcher.id)
        watcher.host = 0
        watcher.wait = None

    def sleep(self, token: Token, wait: Wait) -> None:
        token.wait = wait
        self.emit(SetTimer(token.id, token.node, datetime.fromisoformat(wait.until)))

    def due(self, node: Node) -> Wait:
        """The wait for the timer on this node: when it first falls due, and how often again."""
        trigger = node.trigger
        if trigger is None or not trigger.cycle:
            until = self.moment(node, trigger.duration or trigger.date if trigger else "")
            return Wait(waits.TIMER, self.now.isoformat(), until.isoformat())
        try:
            text = str(self.filled(node, trigger.cycle))
            cycle = parse_cycle(text)
            until = cycle.every.after(self.now)
            left = -1 if cycle.times is None else cycle.times - 1
            return Wait(
                waits.TIMER, self.now.isoformat(), until.isoformat(), every=text.partition("/")[2], left=left
            )
        except DurationError as error:
            problem = _("The time of “%(node)s” cannot be used: %(problem)s.")
            raise HeldError("time", problem, node=node.label, problem=error.phrase) from error

    def disarm(self, host: Token) -> None:
        for watcher in self.watchers(host):
            self.remove(watcher)
