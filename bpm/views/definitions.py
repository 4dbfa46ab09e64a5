"""What administrators keep: processes, their versions, and the gates of stages."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bpm import run_pages
from bpm.definitions import (
    DiagramRefused,
    bind_gate,
    demand_publish,
    end_label,
    ends_of,
    publish_version,
    shown_findings,
    unbind_gate,
    upload_diagram,
)
from bpm.forms import GateForm, UploadForm
from bpm.models import ProcessDefinition, ProcessVersion, StageGate, graph_of
from bpm.trigger_pages import trigger_history, trigger_lines
from bpm.views.runs import xml_answer
from crm.web.htmx import page
from crm.web.toasts import toast
from crm.web.tokens import once


@require_safe
def definition_list(request):
    """The processes of the company, and the form that takes in another diagram."""
    demand_publish(request.user)
    return page(request, "bpm/definition_list.html", _list_page(UploadForm()))


def _list_page(form: UploadForm, findings: list[dict] = (), name: str = "") -> dict:
    gates = StageGate.objects.filter(is_active=True).select_related("stage__funnel")
    by_process: dict[int, list[StageGate]] = {}
    for gate in gates:
        by_process.setdefault(gate.definition_id, []).append(gate)
    latest: dict[int, ProcessVersion] = {}
    slim = ProcessVersion.objects.defer("xml", "graph").select_related("uploaded_by").order_by("number")
    for version in slim:
        if version.status == "published" or latest.get(version.definition_id) is None:
            latest[version.definition_id] = version
    rows = [
        {"definition": each, "gates": by_process.get(each.pk, []), "version": latest.get(each.pk)}
        for each in ProcessDefinition.objects.all()
    ]
    return {"rows": rows, "form": form, "findings": shown_findings(list(findings)), "file_name": name}


@require_POST
@once
def definition_upload(request):
    """Takes in a diagram; a refused file shows everything that is wrong with it, and nothing is kept."""
    demand_publish(request.user)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, "bpm/definition_list.html", _list_page(form), status=422)
    upload = form.cleaned_data["diagram"]
    try:
        kept = upload_diagram(data=upload.read(), file_name=upload.name, by=request.user)
    except DiagramRefused as refused:
        return page(
            request, "bpm/definition_list.html", _list_page(form, refused.findings, upload.name), status=422
        )
    version = kept.versions[0]
    toast(request, _("Version %(number)s was taken in as a draft.") % {"number": version.number})
    return redirect(f"{reverse('bpm:definition_detail', args=[version.definition_id])}?version={version.pk}")


@require_safe
def definition_detail(request, pk: int):
    """A process: its versions, the diagram and findings of one of them, and the stages it guards."""
    demand_publish(request.user)
    definition = get_object_or_404(ProcessDefinition, pk=pk)
    return page(
        request, "bpm/definition_detail.html", _detail_page(request, definition, GateForm(definition))
    )


def _detail_page(request, definition: ProcessDefinition, gate_form: GateForm) -> dict:
    versions = list(definition.versions.select_related("uploaded_by", "published_by"))
    wanted = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.pk) == wanted), versions[0] if versions else None)
    ends = {node.id: end_label(node) for version in versions for node in ends_of(version)}
    gates = list(definition.gates.filter(is_active=True).select_related("stage__funnel"))
    return {
        "definition": definition,
        "versions": versions,
        "shown": shown,
        "findings": shown_findings(shown.findings) if shown else [],
        "names": json.dumps(run_pages.names_of(graph_of(shown)), ensure_ascii=False) if shown else "{}",
        "marks": json.dumps(_finding_marks(shown)) if shown else "{}",
        "gates": [(gate, [ends.get(end, end) for end in gate.granting_ends]) for gate in gates],
        "gate_form": gate_form,
        "triggers": trigger_lines(definition),
        "trigger_history": trigger_history(definition),
        "guards": definition.record_kind == "deals.deal",
        "is_published": any(version.status == "published" for version in versions),
    }


def _finding_marks(version: ProcessVersion) -> dict:
    """Elements with errors stand out on the diagram."""
    shown = shown_findings(version.errors)
    return {
        each["element"]: {"state": "failed", "lines": [each["message"]]} for each in shown if each["element"]
    }


@require_POST
@once
def version_publication(request, pk: int):
    """The version new runs start on from now on."""
    demand_publish(request.user)
    version = get_object_or_404(ProcessVersion, pk=pk)
    try:
        version = publish_version(version=version, by=request.user)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
    else:
        toast(request, _("Version %(number)s is published.") % {"number": version.number})
    return redirect(f"{reverse('bpm:definition_detail', args=[version.definition_id])}?version={version.pk}")


@require_safe
def version_xml(request, pk: int):
    """The diagram of a version, for the viewer."""
    demand_publish(request.user)
    return xml_answer(get_object_or_404(ProcessVersion, pk=pk).xml)


@require_POST
@once
def gate_create(request, pk: int):
    """Binds a process to a stage, in place of what guarded it before."""
    demand_publish(request.user)
    definition = get_object_or_404(ProcessDefinition, pk=pk)
    form = GateForm(definition, request.POST)
    if form.is_valid():
        try:
            gate = bind_gate(definition=definition, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("The stage “%(stage)s” is guarded now.") % {"stage": gate.stage})
            return redirect("bpm:definition_detail", pk)
    return page(request, "bpm/definition_detail.html", _detail_page(request, definition, form), status=422)


@require_POST
@once
def gate_delete(request, pk: int):
    """Takes a gate away; moves that already wait go on waiting for their runs."""
    demand_publish(request.user)
    gate = get_object_or_404(StageGate, pk=pk)
    unbind_gate(gate=gate, by=request.user)
    toast(request, _("The stage “%(stage)s” is open now.") % {"stage": gate.stage})
    return redirect("bpm:definition_detail", gate.definition_id)
