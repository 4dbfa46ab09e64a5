"""Runs of processes: the list, one run on its diagram, the panel on a deal, and the operator's means."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bpm import control, retrying, run_pages, variables
from bpm.engine.values import decode
from bpm.forms import MoveForm, ReasonForm, RunFilterForm, VariableForm
from bpm.models import ProcessInstance
from crm.jobs.models import Job
from crm.web.access import get_visible
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once


def _instance(request, pk: int) -> ProcessInstance:
    rows = ProcessInstance.objects.select_related(
        "version__definition", "started_by", "version__published_by"
    )
    return get_visible(ProcessInstance, request.user, pk, queryset=rows)


@require_safe
def instance_list(request):
    """Runs on the records I see."""
    return page(
        request, "bpm/instance_list.html", run_pages.run_list(request.user, request.GET), partial="rows"
    )


@require_http_methods(["GET", "POST"])
@once
def retry_create(request):
    """All held runs of the list's filter are tried again, by a job."""
    if not retrying.may_retry(request.user):
        raise PermissionDenied
    form = RunFilterForm(request.POST or request.GET)
    form.is_valid()
    process, cause = form.cleaned_data.get("process"), form.cleaned_data.get("cause", "")
    chosen, error = {"process": process.pk if process else None, "cause": cause}, ""
    if request.method == "POST":
        try:
            job = retrying.request_retry(**chosen, by=request.user)
            return redirect(request, reverse("bpm:retry_detail", args=[job.pk]))
        except ValidationError as refused:
            error = " ".join(refused.messages)
    found = retrying.held_runs(request.user, **chosen)[: retrying.MOST_RUNS + 1].count()
    context = {
        "process": process, "cause": cause, "count": min(found, retrying.MOST_RUNS), "error": error,
        "is_capped": found > retrying.MOST_RUNS, "label": retrying.CAUSES[cause][0] if cause else "",
    }  # fmt: skip
    return page(request, "bpm/retry_create.html", context, partial="form", status=422 if error else 200)


@require_safe
def retry_detail(request, pk: int):
    """How far my bulk retry is, and what became of each run."""
    job = get_object_or_404(Job, pk=pk, by=request.user, kind=retrying.RETRY_HELD)
    return page(request, "bpm/retry_detail.html", run_pages.retry_page(request.user, job), partial="state")


@require_safe
def instance_detail(request, pk: int):
    """One run: the diagram with its marks, the steps as a table, the log."""
    context = run_pages.run_page(request, _instance(request, pk))
    return page(request, "bpm/instance_detail.html", context, partial="run")


@require_safe
def diagram_xml(request, pk: int):
    """The diagram of a run, for the viewer."""
    return xml_answer(_instance(request, pk).version.xml)


def xml_answer(xml: str) -> HttpResponse:
    """Somebody else's XML: never sniffed, never run."""
    response = HttpResponse(xml, content_type="application/xml; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _operated(request, pk: int, act):
    """Does what an operator asked, says why not, and shows the run again."""
    instance = _instance(request, pk)
    try:
        act(instance)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
    return redirect(request, _run_url(pk))


@require_POST
@once
def instance_retry(request, pk: int, token: int):
    """A held step is tried again; token 0 stands for the run as a whole."""
    if not token:
        return _operated(request, pk, lambda run: control.retry_instance(instance=run, by=request.user))
    return _operated(request, pk, lambda run: control.retry_step(instance=run, token=token, by=request.user))


@require_POST
@once
def instance_skip(request, pk: int, token: int):
    """A held step is left out, with a reason."""
    said = _said(request)
    return _operated(
        request, pk, lambda run: control.skip_step(instance=run, token=token, by=request.user, **said)
    )


def _said(request) -> dict[str, str]:
    """The reason an operator gives, and the outcome he chooses; what is unusable counts as not said."""
    form = ReasonForm(request.POST)
    form.is_valid()
    return {name: form.cleaned_data.get(name, "") for name in ("reason", "outcome")}


@require_http_methods(["GET", "POST"])
@once
def instance_move(request, pk: int, token: int):
    """A waiting step is taken to another one; offers only those from which the run can still end."""
    instance = _operable(request, pk)
    form = MoveForm(control.move_targets(instance, token), request.POST or None)
    if form.is_valid():
        try:
            control.move_step(instance=instance, token=token, by=request.user, **form.cleaned_data)
            return redirect(request, _run_url(pk))
        except ValidationError as error:
            form.add_error(None, error)
    label = run_pages.label_of_token(instance, token)
    return _form(request, "bpm/instance_move.html", instance, form, token=token, label=label)


@require_http_methods(["GET", "POST"])
@once
def instance_variable(request, pk: int):
    """A variable of the run is given another value; `name` says which."""
    instance = _operable(request, pk)
    if not variables.may_change(request.user, instance):
        raise PermissionDenied
    form = VariableForm(request.POST or None, initial=_first(instance, request.GET.get("name", "")))
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("name", "was", "reason")}
        try:
            variables.set_variable(instance=instance, value=form.new_value, by=request.user, **given)
            return redirect(request, _run_url(pk))
        except ValidationError as error:
            form.add_error(None, error)
    return _form(request, "bpm/instance_variable.html", instance, form)


def _first(instance: ProcessInstance, name: str) -> dict:
    if name not in instance.variables:
        return {"kind": "text"}
    value = decode(instance.variables[name])
    return {"name": name, "was": variables.written(value), **VariableForm.first(value)}


def _operable(request, pk: int) -> ProcessInstance:
    """The run for an operator. Raises PermissionDenied for whoever only sees it."""
    instance = _instance(request, pk)
    if not control.may_operate(request.user, instance):
        raise PermissionDenied
    return instance


def _form(request, template: str, instance: ProcessInstance, form, **more):
    context = {"instance": instance, "form": form, **more}
    return page(request, template, context, partial="form", status=422 if form.errors else 200)


def _run_url(pk: int) -> str:
    return reverse("bpm:instance_detail", args=[pk])


@require_POST
@once
def instance_suspension(request, pk: int):
    """A run stops where it stands, with a reason; what comes for it waits."""
    reason = _said(request)["reason"]
    return _operated(
        request, pk, lambda run: control.suspend_instance(instance=run, reason=reason, by=request.user)
    )


@require_POST
@once
def instance_resumption(request, pk: int):
    """A suspended run goes on."""
    return _operated(request, pk, lambda run: control.resume_instance(instance=run, by=request.user))


@require_POST
@once
def instance_cancellation(request, pk: int):
    """A run is called off, with a reason; the move that waits for it is refused."""
    reason = _said(request)["reason"]
    return _operated(
        request, pk, lambda run: control.cancel_instance(instance=run, reason=reason, by=request.user)
    )
