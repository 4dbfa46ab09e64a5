"""The page of the administration that changes the kind of an attribute: what, what it would do, how far it is."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from crm.attributes.admin_forms import KindForm
from crm.attributes.conversion import (
    JOB,
    demand_no_dependents,
    preview_change,
    proposed_choices,
    retyped,
    start_change,
)
from crm.attributes.models import Attribute
from crm.jobs.models import Job
from crm.jobs.services import retry

REFRESH_SECONDS = 2


def kind_change(request, pk: int, *, model_admin):
    """GET: the form, or how far a change is. POST: the preview; `confirm` begins, `resume` goes on after a failure."""
    attribute = get_object_or_404(Attribute.objects.select_related("attribute_set"), pk=pk)
    if not model_admin.has_change_permission(request, attribute.attribute_set):
        raise PermissionDenied
    job = Job.objects.filter(kind=JOB, key=f"attribute:{pk}").first()
    context = {
        "attribute": attribute,
        "job": job,
        "title": _("Change the kind of “%(name)s”") % {"name": attribute},
    }
    if attribute.is_converting:
        if job is not None and job.status in Job.RETRYABLE and "resume" in request.POST:
            retry(job=job, by=request.user)
            return redirect(request.path)
        return _page(request, model_admin, context)
    if request.method != "POST":
        context["form"] = KindForm(
            initial={"kind": attribute.kind, "choices": _choices(attribute, request.user)}
        )
        return _page(request, model_admin, context)
    form = context["form"] = KindForm(request.POST)
    target = _target(attribute, form)
    if target is not None and "confirm" in request.POST:
        return _begin(request, attribute, target)
    if target is not None:
        context |= {
            "target": target,
            "preview": preview_change(attribute=attribute, target=target, by=request.user),
        }
    return _page(request, model_admin, context, 200 if target else 422)


def _choices(attribute: Attribute, user) -> list:
    return attribute.choices or proposed_choices(attribute=attribute, by=user)


def _target(attribute: Attribute, form: KindForm) -> Attribute | None:
    if not form.is_valid():
        return None
    try:
        demand_no_dependents(attribute, form.cleaned_data["kind"])
        return retyped(attribute, **form.cleaned_data)
    except ValidationError as error:
        for name, errors in error.message_dict.items():
            form.add_error(name if name in form.fields else None, errors)
        return None


def _begin(request, attribute: Attribute, target: Attribute):
    try:
        start_change(attribute=attribute, target=target, by=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(request.path)


def _page(request, model_admin, context: dict, status: int = 200):
    context = {**model_admin.admin_site.each_context(request), **context, "opts": model_admin.model._meta}
    response = TemplateResponse(request, "attributes/kind_change.html", context, status=status)
    if context["attribute"].is_converting and context["job"] is not None and context["job"].is_open:
        response["Refresh"] = str(REFRESH_SECONDS)
    return response
