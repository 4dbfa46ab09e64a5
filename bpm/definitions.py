"""Taking in diagrams, publishing them, and binding them to stages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bpm.engine.checking import Report, check
from bpm.engine.findings import ERROR, PUBLISHABLE, REJECT, Finding
from bpm.engine.model import Graph, Node
from bpm.engine.phrases import Phrase
from bpm.models import ProcessDefinition, ProcessVersion, StageGate, VersionStatus
from bpm.signals import version_published
from crm.operations.registry import Operation, check_arguments, operation_named
from crm.people.kinds import all_kinds, kind_named
from crm.people.names import localised
from funnel.models import Mode, Way


class DiagramRefused(ValidationError):
    """The file is hostile, broken or no BPMN; `findings` say what is wrong."""

    def __init__(self, findings: list[dict]) -> None:
        self.findings = findings
        super().__init__([message_of(finding) for finding in findings])


@dataclass(frozen=True)
class Upload:
    """What came of a file: one version for each process in it."""

    versions: tuple[ProcessVersion, ...]

    @property
    def is_publishable(self) -> bool:
        return all(version.is_publishable for version in self.versions)


def may_publish(user) -> bool:
    """Whether the user keeps the processes of the company: a right that reaches everybody's."""
    return user.access.scope("bpm.processinstance", "publish") == "all"


def demand_publish(user) -> None:
    if not may_publish(user):
        raise PermissionDenied


@transaction.atomic
def upload_diagram(
    *, data: bytes, file_name: str = "", by, definition: ProcessDefinition | None = None
) -> Upload:
    """Keeps a diagram as a new draft version of each process it draws; the findings stand on the version.

    With `definition` the file must draw that process, or one process only. Raises PermissionDenied, and
    DiagramRefused for a file that is rejected: then nothing is kept.
    """
    demand_publish(by)
    report = check(data, card_fields())
    if report.verdict == REJECT:
        raise DiagramRefused([finding_json(finding) for finding in report.findings])
    text = data.decode("utf-8-sig")
    graphs = [_graph_for(definition, report)] if definition else report.graphs
    findings = [finding_json(finding) for finding in report.findings]
    return Upload(
        tuple(
            _new_version(
                definition or _definition_of(graph, by), graph, text, findings, report, file_name, by
            )
            for graph in graphs
        )
    )


def card_fields() -> dict[str, dict[str, str]]:
    """The kinds of the fields of every card that a process may read. One query for each kind of card."""
    return {
        kind.model._meta.model_name: kind.fact_kinds() for kind in all_kinds() if kind.fact_kinds is not None
    }


def _graph_for(definition: ProcessDefinition, report: Report) -> Graph:
    same = [graph for graph in report.graphs if graph.id == definition.key]
    if same or len(report.graphs) == 1:
        return (same or report.graphs)[0]
    text = gettext_noop("The file draws several processes, and none of them has the id “%(key)s”.")
    how = gettext_noop("Give the process the id “%(key)s” in your modeler.")
    params = {"key": definition.key}
    found = Finding(ERROR, "other_process", "", "", Phrase(text, params), Phrase(how, params))
    raise DiagramRefused([finding_json(found)])


def _definition_of(graph: Graph, by) -> ProcessDefinition:
    definition, _is_new = ProcessDefinition.objects.get_or_create(
        key=graph.id[:120],
        defaults={
            "name": (graph.name or graph.id)[:120],
            "name_pl": graph.names.get("pl", "")[:120],
            "record_kind": graph.object or "deals.deal",
            "owner": by,
        },
    )
    return definition


def _new_version(definition, graph, text, findings, report, file_name, by) -> ProcessVersion:
    own = findings + [finding_json(finding) for finding in operation_findings(graph)]
    # Two uploads of the same process at once must not take the same number.
    ProcessDefinition.objects.select_for_update().get(pk=definition.pk)
    last = definition.versions.aggregate(last=Max("number"))["last"] or 0
    return ProcessVersion.objects.create(
        definition=definition,
        number=last + 1,
        file_name=file_name[:200],
        xml=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        graph=graph.to_json(),
        findings=own,
        is_publishable=report.verdict == PUBLISHABLE and not any(each["severity"] == ERROR for each in own),
        uploaded_by=by,
    )


@transaction.atomic
def publish_version(*, version: ProcessVersion, by) -> ProcessVersion:
    """Makes this version the one new runs start on; running ones stay where they are.

    Raises PermissionDenied, ValidationError (errors in the diagram, ends that a gate relies on and it lacks).
    """
    demand_publish(by)
    definition = ProcessDefinition.objects.select_for_update().get(pk=version.definition_id)
    version = ProcessVersion.objects.get(pk=version.pk)
    if version.status == VersionStatus.PUBLISHED:
        return version
    if not version.is_publishable or operation_findings(Graph.from_json(version.graph)):
        raise ValidationError(_("The diagram has errors; see the findings. Nothing was published."))
    _demand_ends(definition, version)
    definition.versions.filter(status=VersionStatus.PUBLISHED).update(status=VersionStatus.RETIRED)
    version.status, version.published_by, version.published_at = VersionStatus.PUBLISHED, by, timezone.now()
    version.save(update_fields=["status", "published_by", "published_at"])
    graph = Graph.from_json(version.graph)
    if graph.name:
        definition.name, definition.name_pl = graph.name[:120], graph.names.get("pl", "")[:120]
        definition.save(update_fields=["name", "name_pl"])
    version_published.send(ProcessVersion, version=version, by=by)
    return version


def _demand_ends(definition: ProcessDefinition, version: ProcessVersion) -> None:
    """A gate whose granting ends are gone would refuse every move for good."""
    known = {node.id for node in ends_of(version)}
    for gate in definition.gates.filter(is_active=True).select_related("stage"):
        if not known & set(gate.granting_ends):
            raise ValidationError(
                _("The gate of “%(stage)s” is granted by an end that this diagram does not have: %(ends)s.")
                % {"stage": gate.stage, "ends": ", ".join(gate.granting_ends)}
            )


def ends_of(version: ProcessVersion) -> list[Node]:
    """The end events at the top of the diagram."""
    graph = Graph.from_json(version.graph)
    return [node for node in graph.inside("") if node.kind == "endEvent"]


def end_label(node: Node) -> str:
    return localised(node.label, node.names.get("pl", ""))


@transaction.atomic
def unbind_gate(*, gate: StageGate, by) -> None:
    """Opens the way; moves that already wait go on waiting for their runs. Raises PermissionDenied."""
    demand_publish(by)
    gate.is_active = False
    gate.save(update_fields=["is_active"])


@transaction.atomic
def bind_gate(
    *, stage, definition: ProcessDefinition, granting_ends: list[str], way: str = Way.ENTRY,
    mode: str = Mode.BLOCKING, by,
) -> StageGate:  # fmt: skip
    """Lets a published process guard the way into a stage or out of it. Raises PermissionDenied, ValidationError."""
    demand_publish(by)
    demand_gate(definition, granting_ends)
    gate, _is_new = StageGate.objects.update_or_create(
        stage=stage,
        way=way,
        is_active=True,
        defaults={"definition": definition, "granting_ends": granting_ends, "mode": mode},
    )
    return gate


def demand_gate(definition: ProcessDefinition, granting_ends: list[str]) -> None:
    """Raises ValidationError unless the process is published, runs on deals and has these ends."""
    version = definition.published()
    if version is None:
        raise ValidationError(_("Publish a version of “%(process)s” first.") % {"process": definition})
    if definition.record_kind != "deals.deal":
        raise ValidationError(_("“%(process)s” does not run on deals.") % {"process": definition})
    if not granting_ends:
        raise ValidationError(_("Choose at least one end that grants the move."))
    if unknown := set(granting_ends) - {node.id for node in ends_of(version)}:
        raise ValidationError(
            _("“%(process)s” has no such end: %(ends)s.")
            % {"process": definition, "ends": ", ".join(sorted(unknown))}
        )


# What is wrong


def finding_json(finding: Finding) -> dict:
    """A finding as a version keeps it, so that it can be read in any language."""
    return {
        "severity": finding.severity,
        "code": finding.code,
        "element": finding.element,
        "name": finding.name,
        "what": finding.what.to_json(),
        "how": finding.how.to_json(),
    }


def shown_findings(findings: list[dict]) -> list[dict]:
    """Severity, element, name, message and remedy in the reader's language."""
    return [
        {
            "severity": finding["severity"],
            "element": finding["element"],
            "name": finding["name"],
            "message": Phrase.from_json(finding["what"]).said(_),
            "remedy": Phrase.from_json(finding["how"]).said(_),
        }
        for finding in findings
    ]


def message_of(finding: dict) -> str:
    """One finding on one line."""
    shown = shown_findings([finding])[0]
    place = shown["name"] or shown["element"]
    return (
        f"{place}: {shown['message']} {shown['remedy']}" if place else f"{shown['message']} {shown['remedy']}"
    )


_ARGUMENTS = {
    "unknown_operation": (
        gettext_noop("The operation “%(operation)s” of “%(node)s” does not exist here."),
        gettext_noop("Choose one of: %(known)s."),
    ),
    "unknown_argument": (
        gettext_noop("The operation “%(operation)s” of “%(node)s” has no argument “%(argument)s”."),
        gettext_noop("Remove the argument."),
    ),
    "missing_argument": (
        gettext_noop("The operation “%(operation)s” of “%(node)s” lacks the argument “%(argument)s”."),
        gettext_noop("Add a crm:input with this name."),
    ),
    "unknown_record_kind": (
        gettext_noop("Processes cannot run on “%(kind)s”."),
        gettext_noop("Set crm:object to deals.deal."),
    ),
}


def operation_findings(graph: Graph) -> list[Finding]:
    """What the diagram asks of operations that this installation cannot give."""
    findings = []
    kind = kind_named(graph.object or "deals.deal")
    if kind is None or kind.facts is None:
        findings.append(_finding("unknown_record_kind", graph.id, graph.name, kind=graph.object))
    for node in graph.node_list:
        if node.operation is not None:
            findings += _node_findings(node)
    return findings


def _node_findings(node: Node) -> list[Finding]:
    named = node.operation
    operation = find_operation(named.name, named.version)
    about = {"operation": named.name, "node": node.label}
    if operation is None:
        return [_finding("unknown_operation", node.id, node.name, known=_known_operations(), **about)]
    wrong = check_arguments(operation, {argument.name for argument in named.inputs})
    return [
        _finding(
            "unknown_argument" if name.startswith("?") else "missing_argument",
            node.id, node.name, argument=name.removeprefix("?"), **about,
        )
        for name in wrong
    ]  # fmt: skip


def _finding(code: str, element: str, name: str, **params: str) -> Finding:
    what, how = _ARGUMENTS[code]
    return Finding(ERROR, code, element, name, Phrase(what, params), Phrase(how, params))


def _known_operations() -> str:
    from crm.operations.registry import all_operations

    return ", ".join(operation.name for operation in all_operations())


def find_operation(name: str, version: str) -> Operation | None:
    """The registered operation, None for an unknown name or a version that is no number."""
    return operation_named(name, int(version)) if version.isdigit() else None
