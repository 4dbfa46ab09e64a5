"""What each kind of node does when a token enters it."""

from __future__ import annotations

from collections.abc import Callable

from bpm.engine import activities, gateways, occurrences, repeating
from bpm.engine.books import HeldError
from bpm.engine.model import Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.running import Run
from bpm.engine.state import ROOT_SCOPE, Token
from bpm.engine.unsupported import is_runnable
from bpm.engine.values import ValueKindError

FIRST = 1  # the number of the token with which a process begins

BEHAVIOURS: dict[str, Callable[[Run, Token, Node], None]] = {
    "startEvent": occurrences.begin,
    "endEvent": occurrences.end,
    "intermediateThrowEvent": occurrences.throw,
    "intermediateCatchEvent": occurrences.meet,
    "task": activities.pass_on,
    "manualTask": activities.pass_on,
    "userTask": activities.ask,
    "serviceTask": activities.work,
    "businessRuleTask": activities.work,
    "sendTask": activities.send,
    "receiveTask": activities.catch,
    "subProcess": activities.descend,
    "callActivity": activities.call,
    "exclusiveGateway": gateways.decide,
    "parallelGateway": gateways.join,
    "inclusiveGateway": gateways.fork,
    "eventBasedGateway": gateways.listen,
}


def enter(run: Run, token: Token) -> None:
    """Lets the token act on its node; what stands in the way becomes its incident."""
    node = run.node(token)
    try:
        run.check_limits()
        if token.id == FIRST:
            run.arm_scope(ROOT_SCOPE)
        if node.kind not in BEHAVIOURS or not is_runnable(node):
            raise HeldError("unsupported", _("“%(node)s” is of a kind that cannot be run."), node=node.label)
        if node.repeat and not run.round_of(token):
            repeating.begin(run, token, node.repeat)
        else:
            BEHAVIOURS[node.kind](run, token, node)
    except HeldError as held:
        run.hold(token, held.code, held.phrase)
    except ValueKindError:
        run.hold(token, "value", Phrase(_("A value of “%(node)s” has no usable kind."), {"node": node.label}))
