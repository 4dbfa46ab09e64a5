"""What a stage requires of a deal: adding and taking away."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from funnel.forms import RequirementForm
from funnel.models import Requirement, Stage
from funnel.requirements import RequirementKind, requirement_kind, requirement_kinds
from funnel.requiring import add_requirement, demand_funnels, remove_requirement


@require_http_methods(["GET", "HEAD", "POST"])
@once
def requirement_create(request, pk: int):
    """Adds a requirement to a stage; `?kind=` says of which kind, else of the first."""
    demand_funnels(request.user)
    stage = get_object_or_404(Stage, pk=pk)
    found = requirement_kind(request.GET.get("kind", requirement_kinds()[0].key))
    if found is None:
        raise Http404
    data = request.POST or None
    form, options = RequirementForm(data), found.form(data)
    if (
        request.method == "POST"
        and form.is_valid()
        and options.is_valid()
        and _added(stage, found, form, options, request)
    ):
        toast(request, _("Required from now on."))
        return done(request, reverse("funnel:funnel_list"), "funnel-changed")
    context = {"form": form, "options": options, "stage": stage, "kind": found}
    return page(
        request,
        "funnel/requirement_create.html",
        context,
        partial="form",
        status=422 if data is not None else 200,
    )


def _added(stage: Stage, kind: RequirementKind, form, options, request) -> bool:
    try:
        add_requirement(
            stage=stage, kind=kind.key, options=options.cleaned_data, by=request.user, **form.cleaned_data
        )
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


@require_POST
@once
def requirement_delete(request, pk: int):
    """Takes a requirement away."""
    demand_funnels(request.user)
    remove_requirement(requirement=get_object_or_404(Requirement, pk=pk), by=request.user)
    toast(request, _("No longer required."))
    return redirect(request, reverse("funnel:funnel_list"))
