"""One step of a process while it is being taken: moving tokens, opening and closing scopes, withdrawing."""

from __future__ import annotations

from collections.abc import Callable

from bpm.engine import repeating
from bpm.engine import state as waits
from bpm.engine.books import HeldError
from bpm.engine.events import (
    CancelJob,
    CancelProcess,
    CancelTimer,
    CloseUserTask,
    Effect,
    Ended,
    Finished,
    NodeLeft,
    Result,
)
from bpm.engine.model import Flow, Node
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.state import ROOT_SCOPE, Scope, Token
from bpm.engine.watching import Watching


class Run(Watching):
    """The working copy of a state during one call of `advance`."""

    def result(self) -> Result:
        more = self.state.status == waits.RUNNING and bool(self.state.ready)
        return Result(state=self.state, effects=tuple(self.effects), more=more)

    # Leaving

    def leave(self, token: Token, flows: list[Flow]) -> None:
        """Ends the visit and sends a new token along each flow."""
        self.disarm(token.id)
        self.emit(NodeLeft(token.id, token.node, tuple(flow.id for flow in flows)))
        del self.state.tokens[token.id]
        for flow in flows:
            self.state.add(flow.target, flow.id, token.scope)
        if not flows:
            self.close(token.scope)

    def complete(self, token: Token) -> None:
        """The node has done its part: the token takes every way that is open to it."""
        token.wait = None
        if self.round_of(token):
            self.leave(token, [])
            return
        node = self.node(token)
        flows = self.ways(token, node)
        if not flows and node.kind not in ("endEvent", "eventSubProcess"):
            self.end(token, "implicit")
        self.leave(token, flows)

    def ways(self, token: Token, node: Node) -> list[Flow]:
        """Flows whose condition is met or absent, else the default; none at all only where none is drawn."""
        flows = self.graph.outgoing(node)
        if node.kind == "parallelGateway":
            return flows
        taken = [
            flow
            for flow in flows
            if flow.id != node.default and (not flow.condition or self.holds(token, flow))
        ]
        taken = taken or [flow for flow in flows if flow.id == node.default]
        if flows and not taken:
            raise self.no_way(node)
        return taken

    def no_way(self, node: Node) -> HeldError:
        return HeldError("no_flow", _("No way on: no condition behind “%(node)s” is met."), node=node.label)

    def attempt(self, token: Token) -> None:
        """Completes a token; what stands in the way becomes its incident."""
        try:
            self.complete(token)
        except HeldError as held:
            self.hold(token, held.code, held.phrase)

    def move(self, token: Token, node_id: str, *, cancelled: bool = False) -> Token:
        """Ends the visit; a new token stands at a node to which no flow is drawn."""
        self.disarm(token.id)
        self.emit(NodeLeft(token.id, token.node, cancelled=cancelled))
        del self.state.tokens[token.id]
        return self.state.issue(node_id, scope=token.scope)

    # Ends and scopes

    def end(self, token: Token, kind: str) -> None:
        if token.scope == ROOT_SCOPE:
            self.state.ends.append(token.node)
        self.emit(Ended(token.node, kind, token.scope))

    def open(self, token: Token, starts: tuple[str, ...]) -> None:
        """Starts a subprocess on the token that stands on it."""
        self.state.issued += 1
        scope = Scope(id=self.state.issued, node=token.node, token=token.id, parent=token.scope)
        self.state.scopes[scope.id] = scope
        try:
            self.arm_scope(scope.id)
        except HeldError:
            del self.state.scopes[scope.id]
            raise
        self.wait(token, waits.SCOPE)
        for start in starts:
            self.state.add(start, scope=scope.id)

    def close(self, scope_id: int) -> None:
        """When nothing is left in a scope, whatever held it goes on."""
        if any(token.scope == scope_id and not token.host for token in self.state.tokens.values()):
            return
        self.disarm(~scope_id)
        if scope_id == ROOT_SCOPE:
            self.finish(waits.COMPLETED)
            return
        scope = self.state.scopes.pop(scope_id)
        token = self.state.tokens[scope.token]
        if scope.loop is None:
            self.attempt(token)
        else:
            repeating.round_done(self, token, scope)

    def is_interrupted(self, scope_id: int) -> bool:
        return (self.state.scopes[scope_id] if scope_id else self.state).interrupted

    def finish(self, status: str, code: str = "") -> None:
        self.state.status = status
        self.state.ready.clear()
        self.emit(Finished(status, tuple(self.state.ends), code))

    # Withdrawing

    def release(self, token: Token) -> None:
        """Calls off whatever the token waits for, and everything inside it."""
        withdraw = _WITHDRAW.get(token.wait.kind) if token.wait else None
        if withdraw:
            self.emit(withdraw(token.id))
        self.unsubscribe(token)
        self.clear_inside(token)
        token.wait = None

    def clear_inside(self, token: Token) -> None:
        """Ends the subprocess, or the rounds, that the token holds."""
        for scope in [scope for scope in self.state.scopes.values() if scope.token == token.id]:
            self.clear(scope.id)
            del self.state.scopes[scope.id]
        token.rounds = None

    def clear(self, scope_id: int, spare: int = 0) -> None:
        """Removes every token of a scope."""
        for token in [each for each in self.state.tokens.values() if each.scope == scope_id]:
            if token.id != spare and token.id in self.state.tokens:
                self.remove(token)

    def remove(self, token: Token) -> None:
        """Takes a token away; a visit that had begun ends as cancelled."""
        self.release(token)
        if token.host:
            self.settle(token)
            del self.state.tokens[token.id]
            return
        self.disarm(token.id)
        del self.state.tokens[token.id]
        if token.id in self.state.ready:
            self.state.ready.remove(token.id)
        else:
            self.emit(NodeLeft(token.id, token.node, cancelled=True))

    def disarm(self, place: int) -> None:
        """Nothing is listened for any more on this token, or for this scope."""
        for watcher in self.watchers(place):
            self.remove(watcher)


_WITHDRAW: dict[str, Callable[[int], Effect]] = {
    waits.TASK: CloseUserTask,
    waits.CHOICE: CloseUserTask,
    waits.JOB: CancelJob,
    waits.TIMER: CancelTimer,
    waits.CALL: CancelProcess,
}
