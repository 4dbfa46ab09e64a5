"""Everything that can be said of an uploaded diagram: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _

ERROR, WARNING = "error", "warning"
REJECT, DRAFT, PUBLISHABLE = "reject", "draft", "publishable"


@dataclass(frozen=True, slots=True)
class Finding:
    """`element` is the id in the diagram, empty when the whole file is meant."""

    severity: str
    code: str
    element: str
    name: str
    what: Phrase
    how: Phrase

    @property
    def message(self) -> str:
        return self.what.said()

    @property
    def remedy(self) -> str:
        return self.how.said()

    def to_json(self) -> dict[str, str]:
        return {
            "severity": self.severity,
            "element": self.element,
            "name": self.name,
            "message": self.message,
            "remedy": self.remedy,
        }


class RefusedError(Exception):
    """The file is hostile, broken or not BPMN; carries the one finding that says so."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def finding(code: str, element: str = "", name: str = "", **params: str | Phrase) -> Finding:
    severity, what, how = CATALOGUE[code]
    return Finding(severity, code, element, name, Phrase(what, params), Phrase(how, params))


def refusal(code: str, element: str = "", name: str = "", **params: str | Phrase) -> RefusedError:
    return RefusedError(finding(code, element, name, **params))


def verdict(findings: tuple[Finding, ...]) -> str:
    """On a file that could be read; one that could not is rejected before there are findings."""
    return DRAFT if any(each.severity == ERROR for each in findings) else PUBLISHABLE


_FILE = {
    "too_large": (
        _("The file is larger than %(limit)s."),
        _("Split it, or remove pictures and other attachments."),
    ),
    "archive": (
        _("The file is an archive, not a diagram."),
        _("Unpack it and upload the .bpmn file itself."),
    ),
    "encoding": (_("The file is not written in UTF-8."), _("Save the diagram in the UTF-8 encoding.")),
    "doctype": (
        _("The file holds a document type declaration (DOCTYPE)."),
        _("Remove it: diagrams do not need one, and it can be used for attacks."),
    ),
    "not_xml": (
        _("The file is not well-formed XML: %(problem)s"),
        _("Save the diagram again in your modeler."),
    ),
    "not_bpmn": (
        _("The file is not a BPMN 2.0 diagram."),
        _("Export it from your modeler as BPMN 2.0 (.bpmn), not as XPDL, Visio or a picture."),
    ),
    "too_many": (
        _("The file holds %(count)s elements; the most that is read is %(limit)s."),
        _("Split the process into smaller ones."),
    ),
    "nesting": (
        _("Elements are nested more than %(limit)s deep."),
        _("Move the inner subprocesses out into processes of their own."),
    ),
    "bad_id": (
        _("An element has an id that cannot be used: “%(id)s”."),
        _("Give it an id of at most 200 letters, digits, dots, hyphens and underscores."),
    ),
    "duplicate_id": (
        _("The id “%(id)s” is used by several elements."),
        _("Give every element an id of its own."),
    ),
    "flow_to_nowhere": (
        _("A flow leads to or from “%(id)s”, which is not in the diagram."),
        _("Draw the missing element, or delete the flow."),
    ),
}
REJECTING = frozenset(_FILE)

_STRUCTURE = {
    "no_process": (
        _("The file holds no process to run."),
        _("Draw a process with a start, steps and an end."),
    ),
    "choreography": (
        _("A choreography cannot be run."),
        _("Draw the steps of our own side as a process."),
    ),
    "empty_process": (_("The process is empty."), _("Draw a start, at least one step and an end.")),
    "nowhere_to_start": (
        _("There is no step at which it could begin."),
        _("Draw a start and connect it to the first step."),
    ),
    "no_id": (
        _("An element of the kind “%(kind)s” has no id."),
        _("Save the diagram again in a modeler that gives ids."),
    ),
    "loose_flow": (
        _("A flow is not connected at both ends."),
        _("Connect it to two elements, or delete it."),
    ),
    "flow_not_node": (
        _("A flow is connected to “%(id)s”, which is not a step, event or gateway."),
        _("Connect it to a step, event or gateway; use an association for data and notes."),
    ),
    "flow_crosses": (
        _("A flow crosses the border of a pool or subprocess."),
        _("Keep the flow inside; between pools draw a message flow."),
    ),
    "end_with_flow": (
        _("Flows lead out of an end."),
        _("Remove them, or use an intermediate event instead of the end."),
    ),
    "start_with_flow": (_("Flows lead into a start."), _("Lead them to the step that follows the start.")),
    "link_nowhere": (
        _("The link “%(link)s” leads nowhere."),
        _("Draw a catching link event of the same name."),
    ),
    "no_event": (
        _("“%(node)s” must be followed by catching events only."),
        _("Follow the event gateway with timers, messages or signals, or use an exclusive gateway."),
    ),
    "boundary_nowhere": (
        _("The boundary event is not attached to a step."),
        _("Drag it onto the border of a step or subprocess."),
    ),
    "boundary_with_flow": (
        _("Flows lead into a boundary event."),
        _("Remove them: the event happens by itself while the step is open."),
    ),
    "handler_with_flow": (
        _("Flows lead to or from an event subprocess."),
        _("Remove them: it begins by itself when its start event happens."),
    ),
    "several_triggers": (
        _("An event subprocess has several starts."),
        _("Draw an event subprocess for each of them."),
    ),
    "no_called": (
        _("“%(node)s” does not say which process it calls."),
        _("Choose the called process: its id is the key of a published process."),
    ),
    "unsupported": (_("This cannot be run yet: %(kind)s."), _("%(advice)s")),
    "no_operation": (
        _("The service task does not say which operation it calls."),
        _("Name one with crm:operation, for example notify.user."),
    ),
    "no_rule": (
        _("The business rule task does not say what it works out."),
        _("Write crm:set with a variable and an expression, or conditions behind an exclusive gateway."),
    ),
    "foreign_work": (
        _("The service task calls the program of another system (%(call)s)."),
        _("Replace it with crm:operation and an operation of the CRM."),
    ),
    "bad_operation": (
        _("“%(value)s” is not an operation's name and version."),
        _("Write the name as area.operation and the version as a whole number."),
    ),
    "bad_condition": (
        _("The condition of the flow “%(flow)s” cannot be used: %(problem)s."),
        _("Write a comparison of the process's own values, for example deal.amount > 50000."),
    ),
    "bad_value": (
        _("The value of “%(attribute)s” cannot be used: %(problem)s."),
        _("Write plain text, or an expression such as ${deal.owner}."),
    ),
    "bad_time": (
        _("The time “%(value)s” cannot be used: %(problem)s."),
        _(
            "Write a duration such as P2D or PT4H, working time such as “work P2D”, a date, or a repetition: R3/PT1H."
        ),
    ),
    "no_time": (
        _("The timer does not say when it is due."),
        _("Give it a duration such as P2D, or a date."),
    ),
    "bad_form": (
        _("The form has a problem with “%(key)s”: %(problem)s."),
        _("Correct the field in the form of the task."),
    ),
    "circle": (
        _("The process can run in a circle through “%(node)s” in which nobody and nothing is waited for."),
        _("Put a task or a timer into the circle, or lead the flow out of it."),
    ),
    "no_escape": (
        _("From “%(node)s” no end can be reached."),
        _("Draw a way from it to an end."),
    ),
    "deadlock": (
        _("“%(node)s” can wait for ever: it joins ways of which only some are taken."),
        _("Join with the kind of gateway that split the ways: exclusive or parallel both times."),
    ),
    "endless": (
        _("Once “%(node)s” is reached, the process can never come to its end."),
        _("Draw a way by which every branch ends, or stop everything with a terminate end."),
    ),
    "flood": (
        _("The process can split without limit: a circle leads back into the split at “%(node)s”."),
        _("Join the branches before the way back."),
    ),
}

_WARNINGS = {
    "no_due": (
        _("Somebody is to be reminded of a task that is never due."),
        _("Give the task a crm:due, or leave crm:remind and crm:escalate out."),
    ),
    "no_start": (
        _("There is no start; the process begins at “%(node)s”."),
        _("Draw a start and connect it to the first step."),
    ),
    "several_starts": (
        _("There are several starts; a person will be asked at which one to begin, first “%(node)s”."),
        _("Keep one start, or make a process of each."),
    ),
    "together_starts": (
        _("Nothing leads to several steps and there is no start; they all begin at once, first “%(node)s”."),
        _("Draw a start and lead flows to the steps that follow it."),
    ),
    "inner_trigger": (
        _("The %(kind)s at the start of a subprocess is not waited for."),
        _("Use a plain start; a subprocess begins when the flow comes to it."),
    ),
    "unnamed": (
        _("“%(node)s” refers to no message or signal; its own name is taken for it."),
        _("Give it a message or signal, so that whoever sends and whoever receives use the same name."),
    ),
    "repeat_once": (
        _("“%(node)s” does not say for whom or how often it is repeated; it is done once."),
        _("Give the repetition a list (crm:collection) or a number."),
    ),
    "calls_itself": (
        _("“%(node)s” calls the very process it is part of."),
        _("Make sure that it stops: processes that call each other are held at a depth of %(limit)s."),
    ),
    "start_trigger": (
        _("The process begins when it is triggered in the CRM, not by the %(kind)s at its start."),
        _("Use a plain start, and choose the trigger when publishing."),
    ),
    "no_end": (
        _("There is no end; the process is over when nothing is left to do."),
        _("Draw an end, so that a stage gate can name the ends that grant the move."),
    ),
    "implicit_end": (_("Nothing follows “%(node)s”; the way ends there."), _("Connect it to an end.")),
    "unreachable": (_("“%(node)s” is never reached."), _("Connect it to the process, or delete it.")),
    "implicit_split": (
        _("Several flows lead out of “%(node)s”; all of them are taken at the same time."),
        _("Draw a parallel gateway if that is meant, or an exclusive one if only one way is to be taken."),
    ),
    "persons_choice": (
        _("Flows behind “%(node)s” have no condition; a person will be asked which way to take."),
        _("Give every flow a condition and mark one as the default, if the process is to decide."),
    ),
    "otherwise": (
        _("The flow “%(flow)s” has no condition; it is taken when no other condition is met."),
        _("Mark it as the default flow."),
    ),
    "no_default": (
        _("If no condition behind “%(node)s” is met, the process is held for an administrator."),
        _("Mark one flow as the default."),
    ),
    "unused_condition": (
        _("The condition of the flow “%(flow)s” is not used."),
        _("Remove it, or split with an exclusive gateway."),
    ),
    "no_assignee": (
        _("“%(node)s” does not say who does it; it goes to whoever started the process."),
        _("Set crm:assignee or crm:candidateRole."),
    ),
    "unset_variable": (
        _("Nothing in the process sets “%(variable)s”, which a condition reads."),
        _("Ask for it in a form, or give it when the process is started."),
    ),
    "first_repeat": (
        _("The timer “%(node)s” repeats, but is passed once."),
        _("Give it a duration instead of a repetition."),
    ),
    "maybe_deadlock": (
        _("“%(node)s” waits for ever if the conditions before it disagree."),
        _("Check that the conditions belong together, or join with an exclusive gateway."),
    ),
    "not_explored": (
        _("The process has too many ways to try them all."),
        _("Split it into smaller processes."),
    ),
    "empty_pool": (
        _("A pool holds no steps of its own."),
        _("Nothing needs to be done if it stands for somebody else."),
    ),
}

CATALOGUE: dict[str, tuple[str, str, str]] = {
    **{code: (ERROR, what, how) for code, (what, how) in (_FILE | _STRUCTURE).items()},
    **{code: (WARNING, what, how) for code, (what, how) in _WARNINGS.items()},
}
