"""Events that have happened, brought to whoever catches them: borders, gateways and event subprocesses.

An error or escalation rises from where it was thrown: at each level first to the border of the activity, then to
the event subprocesses beside it; the first that catches it keeps it (BPMN 2.0.2, 10.5.6 and 13.5.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpm.engine import state as waits
from bpm.engine.books import HeldError
from bpm.engine.events import EscalationRaised, NodeLeft, ThrowSignal
from bpm.engine.model import Node
from bpm.engine.running import Run
from bpm.engine.state import ROOT_SCOPE, WHOLE_SCOPE, Token
from bpm.engine.values import Value, Values

NOTHING: Values = {}


def happen(run: Run, token: Token, values: Mapping[str, Value]) -> None:
    """What this token waits for has come to pass."""
    if token.host:
        fire(run, token, values)
        return
    run.unsubscribe(token)
    keep(run, token, run.node(token), values)
    run.attempt(token)


def keep(run: Run, token: Token, node: Node, values: Mapping[str, Value]) -> None:
    """What an event brings becomes variables: those the drawing names, else all of it."""
    if node.outputs:
        run.take(token, {each.value: values.get(each.name) for each in node.outputs})
    else:
        run.take(token, values)


def fire(run: Run, watcher: Token, values: Mapping[str, Value]) -> None:
    """A watcher's event happens: it takes something's place, or sends a branch beside it."""
    node = run.node(watcher)
    if watcher.host == WHOLE_SCOPE:
        scope = watcher.scope
        _watch_again_or_settle(run, watcher, node)
        _handle(run, scope, node, values)
        return
    host = run.state.tokens[watcher.host]
    if run.node(host).kind == "eventBasedGateway":
        flow = next(flow for flow in node.incoming if run.graph.flows[flow].source == host.node)
        run.settle(watcher)
        run.disarm(host.id)
        run.emit(NodeLeft(host.id, host.node, (flow,)))
        del run.state.tokens[host.id]
        watcher.flow = flow
        _appear(run, watcher, node, values)
        return
    if node.interrupting:
        run.settle(watcher)
        run.remove(host)
        _appear(run, watcher, node, values)
    else:
        scope = watcher.scope
        _watch_again_or_settle(run, watcher, node)
        _appear(run, run.state.issue(node.id, scope=scope), node, values)


def _appear(run: Run, token: Token, node: Node, values: Mapping[str, Value]) -> None:
    """The event is visited and passed."""
    run.visit(token)
    keep(run, token, node, values)
    run.attempt(token)


def _watch_again_or_settle(run: Run, watcher: Token, node: Node) -> None:
    """What does not interrupt may happen again: a repeating timer, a message, a signal; a plain timer may not."""
    wait = watcher.wait
    assert wait is not None
    if not node.interrupting and wait.kind != waits.TIMER:
        return
    if not node.interrupting and wait.left:
        run.expect(watcher, run.next(wait))
        return
    run.settle(watcher)
    del run.state.tokens[watcher.id]


def _handle(run: Run, scope_id: int, start: Node, values: Mapping[str, Value]) -> None:
    """An event subprocess begins, in place of everything else in its scope or beside it."""
    if start.interrupting:
        run.clear(scope_id)
        (run.state.scopes[scope_id] if scope_id else run.state).interrupted = True
    token = run.state.issue(start.scope, scope=scope_id)
    run.visit(token)
    keep(run, token, start, values)
    try:
        run.open(token, (start.id,))
    except HeldError as held:
        run.hold(token, held.code, held.phrase)


# Errors and escalations


def fail(run: Run, code: str, token: Token) -> bool:
    """Whether something caught the error; whatever it leaves behind is cut short."""
    for host, scope_id in _levels(run, token):
        border = _catcher(run.graph.boundaries.get(host.node, ()), "error", code) if host.id else None
        if border:
            run.remove(host)
            _appear(run, run.state.issue(border.id, scope=scope_id), border, NOTHING)
            return True
        start = _handler(run, scope_id, "error", code)
        if start:
            _handle(run, scope_id, start, NOTHING)
            return True
    return False


def escalate(run: Run, code: str, token: Token) -> None:
    """Calls for help; a token whose surroundings are not cut short by it goes on."""
    for host, scope_id in _levels(run, token):
        border = _catcher(run.graph.boundaries.get(host.node, ()), "escalation", code) if host.id else None
        start = None if border else _handler(run, scope_id, "escalation", code)
        if border or start:
            run.emit(EscalationRaised(token.id, token.node, code, caught=True))
        if border:
            if border.interrupting:
                run.remove(host)
            _appear(run, run.state.issue(border.id, scope=scope_id), border, NOTHING)
            return
        if start:
            _handle(run, scope_id, start, NOTHING)
            return
    run.emit(EscalationRaised(token.id, token.node, code, caught=False))


def _levels(run: Run, token: Token) -> Iterator[tuple[Token, int]]:
    """The token, then whatever holds its scope, and so on outwards, each with the scope it lies in."""
    while True:
        is_round = run.round_of(token) is not None
        yield (Token(0, token.node) if is_round else token), token.scope
        if token.scope == ROOT_SCOPE:
            return
        token = run.state.tokens[run.state.scopes[token.scope].token]


def _catcher(nodes: tuple[Node, ...], kind: str, code: str) -> Node | None:
    """The event that catches this code, one that names it before one that catches everything."""
    fitting = [
        each
        for each in nodes
        if each.trigger and each.trigger.kind == kind and each.trigger.code in ("", code)
    ]
    return max(fitting, key=lambda each: bool(each.trigger and each.trigger.code), default=None)


def _handler(run: Run, scope_id: int, kind: str, code: str) -> Node | None:
    scope = run.state.scopes.get(scope_id)
    if run.is_interrupted(scope_id) or (scope and scope.loop is not None):
        return None
    return _catcher(run.graph.handlers.get(run.scope_node(scope_id), ()), kind, code)


# Signals


def broadcast(run: Run, name: str, values: Mapping[str, Value]) -> None:
    """Everything in this process that listens to the signal hears it, the oldest first."""
    for token in list(run.state.tokens.values()):
        wait = token.wait
        listens = wait is not None and wait.kind == waits.SIGNAL and wait.name == name
        if listens and run.state.tokens.get(token.id) is token:
            happen(run, token, values)


def throw_signal(run: Run, token: Token, name: str, values: Values) -> None:
    run.emit(ThrowSignal(token.id, token.node, name, values))
    broadcast(run, name, values)
