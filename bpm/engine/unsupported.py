"""What is recognised by name but cannot be run yet, each with what to draw instead."""

from __future__ import annotations

from collections.abc import Iterator

from bpm.engine.findings import Finding, finding
from bpm.engine.model import Node
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _

_AS_USER_TASK = _("Use a user task that somebody completes when it has happened.")

KINDS = {
    "receiveTask": (_("receive task"), _AS_USER_TASK),
    "scriptTask": (
        _("script task"),
        _("Scripts are never run: use a service task with an operation such as deals.set_field."),
    ),
    "businessRuleTask": (
        _("business rule task"),
        _("Write the rule as conditions behind an exclusive gateway."),
    ),
    "callActivity": (_("call activity"), _("Draw the called process as a subprocess.")),
    "transaction": (_("transaction"), _("Draw it as a plain subprocess.")),
    "adHocSubProcess": (_("ad hoc subprocess"), _("Draw the order of its steps as a plain subprocess.")),
    "eventSubProcess": (
        _("event subprocess"),
        _("Use a boundary event on the step or subprocess concerned."),
    ),
    "complexGateway": (_("complex gateway"), _("Use exclusive and parallel gateways.")),
    "choreographyTask": (_("choreography task"), _("Draw the steps of our own side as a process.")),
    "callChoreography": (_("call choreography"), _("Draw the steps of our own side as a process.")),
    "subChoreography": (_("sub-choreography"), _("Draw the steps of our own side as a process.")),
}
LOOPS = {
    "multi": (
        _("repeated step (multi-instance)"),
        _("Draw one step for each person, or a circle with a question."),
    ),
    "standard": (_("repeated step (loop)"), _("Draw the way back as a flow from a gateway.")),
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
    "message": _AS_USER_TASK,
    "signal": _AS_USER_TASK,
    "conditional": _("Use a timer and an exclusive gateway that checks the condition."),
    "error": _("End the subprocess with it, or put it on the border of a step."),
    "escalation": _("Use a timer on the border of the step, and a task for whoever is to step in."),
    "compensate": _("Draw the steps that undo the work after a gateway."),
    "cancel": _("Use an end, or a terminate end."),
    "link": _("Lead the flow into an intermediate link event."),
    "reference": _("Put the definition into the event itself."),
}
RUNNABLE = {
    "startEvent": frozenset[str](),
    "endEvent": frozenset(("terminate", "error")),
    "intermediateCatchEvent": frozenset(("timer", "link")),
    "intermediateThrowEvent": frozenset(("link",)),
    "boundaryEvent": frozenset(("timer", "error")),
}


def is_runnable(node: Node) -> bool:
    """Whether the engine can act when a token enters the node."""
    return node.kind == "startEvent" or not list(unsupported(node))


def unsupported(node: Node) -> Iterator[Finding]:
    if node.kind in KINDS:
        yield _report(node, *KINDS[node.kind])
    if node.loop:
        yield _report(node, *LOOPS[node.loop])
    if node.kind == "startEvent":
        if node.triggers and not node.scope:
            yield finding("start_trigger", node.id, node.name, kind=_named(node.triggers[0].kind))
        return
    runnable = RUNNABLE.get(node.kind, frozenset())
    for trigger in node.triggers:
        if trigger.kind not in runnable or len(node.triggers) > 1:
            advice = _ADVICE.get(trigger.kind, _("Use an event with a single definition."))
            yield _report(node, TRIGGERS.get(trigger.kind, trigger.kind), advice)
            return
    if not node.triggers and node.kind in ("intermediateCatchEvent", "boundaryEvent"):
        yield _report(node, _("catching event without a definition"), _("Make it a timer."))


def _named(kind: str) -> Phrase:
    return Phrase(TRIGGERS.get(kind, kind))


def _report(node: Node, kind: str, advice: str) -> Finding:
    return finding("unsupported", node.id, node.name, kind=Phrase(kind), advice=Phrase(advice))
