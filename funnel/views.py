"""The settings of funnels: their stages, and what each of them requires."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.gates import gates_of
from funnel.forms import RequirementForm
from funnel.models import Funnel, Requirement, Stage
from funnel.requirements import RequirementKind, requirement_kind, requirement_kinds
from funnel.requiring import add_requirement, demand_funnels, remove_requirement


@dataclass(frozen=True)
class RequirementLine:
    requirement: Requirement
    icon: str
    text: str


@dataclass(frozen=True)
class StageLine:
    """A stage with what guards it. `process`: the name of the process in front of it."""

    stage: Stage
    moves: list[Stage]
    process: str
    requirements: list[RequirementLine]


@require_safe
def funnel_list(request):
    """Every funnel with its stages and what these require."""
    demand_funnels(request.user)
    funnels = list(Funnel.objects.prefetch_related("stages__allowed_moves", "stages__requirements"))
    gates = gates_of(stage.pk for funnel in funnels for stage in funnel.stages.all())
    lines = [(funnel, [_line(stage, gates) for stage in funnel.stages.all()]) for funnel in funnels]
    return page(request, "funnel/funnel_list.html", {"funnels": lines, "kinds": requirement_kinds()})


def _line(stage: Stage, gates: dict[int, str]) -> StageLine:
    required = [_required(one) for one in stage.requirements.all()]
    return StageLine(stage, list(stage.allowed_moves.all()), gates.get(stage.pk, ""), required)


def _required(requirement: Requirement) -> RequirementLine:
    kind = requirement_kind(requirement.kind)
    if kind is None:
        return RequirementLine(
            requirement, "question-circle", _("A requirement that nothing here knows any more")
        )
    return RequirementLine(requirement, kind.icon, kind.describe(requirement.options))


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
    form, options = RequirementForm(data), found.form(data, stage=stage)
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
