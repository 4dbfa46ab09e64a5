"""What is recognised by name but cannot be run yet, each with what to draw instead."""

from __future__ import annotations

from collections.abc import Iterator

from bpm.engine.findings import Finding, finding
from bpm.engine.model import Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _

_AS_SUBPROCESS = _("Draw it as a plain subprocess.")
_OUR_SIDE = _("Draw the steps of our own side as a process.")

KINDS = {
    "scriptTask": (
        _("script task"),
        _("Scripts are never run: use a service task with an operation such as deals.set_field."),
    ),
    "transaction": (_("transaction"), _AS_SUBPROCESS),
    "adHocSubProcess": (_("ad hoc subprocess"), _("Draw the order of its steps as a plain subprocess.")),
    "complexGateway": (_("complex gateway"), _("Use exclusive and parallel gateways.")),
    "choreographyTask": (_("choreography task"), _OUR_SIDE),
    "callChoreography": (_("call choreography"), _OUR_SIDE),
    "subChoreography": (_("sub-choreography"), _OUR_SIDE),
}
TRIGGERS = {
    "message": _("message event"),
    "signal": _("signal event"),
    "error": _("error event"),
    "escalation": _("escalation event"),
    "conditional": _("conditional event"),
    "compensate": _("compensation event"),
    "cancel": _("cancel event"),
    "link": _("link event"),
    "timer": _("timer event"),
    "terminate": _("terminate event"),
    "reference": _("event defined elsewhere"),
}
_ADVICE = {
    "conditional": _("Use a timer and an exclusive gateway that checks the condition."),
    "error": _("End the subprocess with it, or put it on the border of a step."),
    "escalation": _(
        "Catch it on the border of a subprocess or call, or at the start of an event subprocess."
    ),
    "compensate": _("Draw the steps that undo the work after a gateway."),
    "cancel": _("Use an end, or a terminate end."),
    "link": _("Lead the flow into an intermediate link event."),
    "terminate": _("Make it an end event."),
    "timer": _("A time is waited for: make it a catching event."),
    "reference": _("Put the definition into the event itself."),
}
RUNNABLE = {
    "startEvent": frozenset[str](),
    "endEvent": frozenset(("terminate", "error", "message", "signal", "escalation")),
    "intermediateCatchEvent": frozenset(("timer", "link", "message", "signal")),
    "intermediateThrowEvent": frozenset(("link", "message", "signal", "escalation")),
    "boundaryEvent": frozenset(("timer", "error", "message", "signal", "escalation")),
    "receiveTask": frozenset(("message",)),
    "sendTask": frozenset(("message",)),
}
HANDLED = frozenset(("timer", "message", "signal", "error", "escalation"))
_CATCHING = ("intermediateCatchEvent", "boundaryEvent")


def is_runnable(node: Node) -> bool:
    """Whether the engine can act when a token enters the node."""
    return node.kind == "startEvent" or not any(True for _each in unsupported(node))


def unsupported(node: Node, handles: bool = False) -> Iterator[Finding]:
    """`handles`: the node is the start of an event subprocess."""
    if node.kind in KINDS:
        yield _report(node, *KINDS[node.kind])
    if node.compensates:
        yield _report(node, _("step that undoes another (compensation)"), _ADVICE["compensate"])
    if node.kind == "startEvent":
        yield from _start(node, handles)
        return
    runnable = RUNNABLE.get(node.kind, frozenset())
    for trigger in node.triggers:
        if trigger.kind not in runnable or len(node.triggers) > 1:
            advice = _ADVICE.get(trigger.kind, _("Use an event with a single definition."))
            yield _report(node, TRIGGERS.get(trigger.kind, trigger.kind), advice)
            return
    if not node.triggers and node.kind in _CATCHING:
        yield _report(node, _("catching event without a definition"), _("Make it a timer."))


def _start(node: Node, handles: bool) -> Iterator[Finding]:
    if node.triggers and not node.scope:
        yield finding("start_trigger", node.id, node.name, kind=_named(node.triggers[0].kind))
    if handles and (len(node.triggers) != 1 or node.triggers[0].kind not in HANDLED):
        kind = node.triggers[0].kind if node.triggers else ""
        advice = _ADVICE.get(
            kind, _("Give its start one definition: a timer, a message, a signal or an error.")
        )
        yield _report(node, TRIGGERS.get(kind, _("event subprocess that nothing starts")), advice)


def _named(kind: str) -> Phrase:
    return Phrase(TRIGGERS.get(kind, kind))


def _report(node: Node, kind: str, advice: str) -> Finding:
    return finding("unsupported", node.id, node.name, kind=Phrase(kind), advice=Phrase(advice))
