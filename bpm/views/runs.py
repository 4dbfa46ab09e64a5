"""Runs of processes: the list, one run on its diagram, the panel on a deal, and the operator's means."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from bpm import control, run_pages
from bpm.forms import ReasonForm
from bpm.models import ProcessInstance
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
    return redirect(request, reverse("bpm:instance_detail", args=[pk]))


@require_POST
@once
def instance_retry(request, pk: int, token: int):
    """A held step is tried again; token 0 stands for the run as a whole."""
    if not token:
        return _operated(request, pk, lambda run: control.resume_instance(instance=run, by=request.user))
    return _operated(request, pk, lambda run: control.retry_step(instance=run, token=token, by=request.user))


@require_POST
@once
def instance_skip(request, pk: int, token: int):
    """A held step is left out, with a reason."""
    form = ReasonForm(request.POST)
    form.is_valid()
    reason, outcome = form.cleaned_data.get("reason", ""), form.cleaned_data.get("outcome", "")
    return _operated(
        request, pk,
        lambda run: control.skip_step(instance=run, token=token, outcome=outcome, reason=reason, by=request.user),
    )  # fmt: skip


@require_POST
@once
def instance_cancellation(request, pk: int):
    """A run is called off, with a reason; the move that waits for it is refused."""
    form = ReasonForm(request.POST)
    form.is_valid()
    reason = form.cleaned_data.get("reason", "")
    return _operated(
        request, pk, lambda run: control.cancel_instance(instance=run, reason=reason, by=request.user)
    )
