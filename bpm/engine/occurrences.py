"""Start, end and intermediate events: what each does when a token enters it (BPMN 2.0.2, 13.5)."""

from __future__ import annotations

from bpm.engine import state as waits
from bpm.engine.activities import catch, handed_over, throw_message
from bpm.engine.books import HeldError
from bpm.engine.catching import escalate, fail, throw_signal
from bpm.engine.events import NodeLeft
from bpm.engine.gateways import offer
from bpm.engine.model import Node, Outcome
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.routes import is_link, linked, offered_starts
from bpm.engine.running import Run
from bpm.engine.state import ROOT_SCOPE, Token


def begin(run: Run, token: Token, node: Node) -> None:
    """A start event: with several to choose from, a person says which."""
    for each in node.sets:
        run.take(token, {each.name: run.filled(token, each.value)})
    ways = offered_starts(run.graph, node)
    if len(ways) > 1:
        offer(run, token, node, [Outcome(each.id, each.label, each.names, "secondary") for each in ways])
    else:
        run.complete(token)


def end(run: Run, token: Token, node: Node) -> None:
    """The token is consumed, after what the end throws has been caught or not."""
    kind = node.trigger.kind if node.trigger else "none"
    run.end(token, kind)
    if kind == "error":
        _fail(run, token, node.trigger.code if node.trigger else "")
        return
    if kind == "terminate":
        run.clear(token.scope, spare=token.id)
    else:
        _throw(run, token, node)
    if token.id in run.state.tokens:
        run.leave(token, [])


def _fail(run: Run, token: Token, code: str) -> None:
    """An error end: the subprocess around it is cut short, or the whole process when nobody catches it."""
    run.emit(NodeLeft(token.id, token.node))
    del run.state.tokens[token.id]
    if not fail(run, code, token):
        run.clear(ROOT_SCOPE)
        run.finish(waits.FAILED, code)


def throw(run: Run, token: Token, node: Node) -> None:
    """An intermediate throwing event: a link goes on at its other half, every other one just goes on."""
    targets = linked(run.graph, node)
    if targets:
        arrived = run.move(token, targets[0].id)
        run.state.ready.append(arrived.id)
        return
    if is_link(node):
        raise HeldError("no_flow", _("No way on: no condition behind “%(node)s” is met."), node=node.label)
    _throw(run, token, node)
    if token.id in run.state.tokens:
        run.complete(token)


def _throw(run: Run, token: Token, node: Node) -> None:
    """What is thrown may cut short the very scope it is thrown in; then the token is gone."""
    trigger = node.trigger
    if trigger is None:
        return
    if trigger.kind == "message":
        throw_message(run, token, node)
    elif trigger.kind == "signal":
        name = str(run.filled(token, trigger.name or node.label))
        throw_signal(run, token, name, handed_over(run, token, node.inputs))
    else:
        escalate(run, trigger.code, token)


def meet(run: Run, token: Token, node: Node) -> None:
    """An intermediate catching event: waits, unless it is the far end of a link."""
    if is_link(node):
        run.complete(token)
    else:
        catch(run, token, node)
