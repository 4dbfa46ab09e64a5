"""One page tells all that guards a stage; funnels, stages, moves and types of deals are changed from it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.gates import Guard, guards_of
from deals.models import DealType
from deals.types import save_type
from funnel.forms import DealTypeForm, FunnelForm, OrderForm, RemovalForm, StageForm
from funnel.models import Funnel, Requirement, Stage
from funnel.requirements import requirement_kind, requirement_kinds
from funnel.requiring import demand_funnels
from funnel.shaping import order_records, remove_stage, restore_stage, save_funnel, save_stage, set_moves
from funnel.uses import open_counts

RECENT = 15
RECORDED = ("funnel.funnel", "funnel.stage", "funnel.requirement", "deals.dealtype", "bpm.stagegate")


@dataclass(frozen=True)
class RequirementLine:
    requirement: Requirement
    icon: str
    text: str


@dataclass(frozen=True)
class StageLine:
    """A stage with where deals go from it, how many stand there, and all that guards it."""

    stage: Stage
    moves: list[Stage]
    guards: list[Guard]
    requirements: list[RequirementLine]
    count: int


@dataclass(frozen=True)
class FunnelBox:
    funnel: Funnel
    lines: list[StageLine]
    retired: list[Stage]
    types: list[DealType]


@require_safe
def funnel_list(request):
    """Every funnel with its stages, what guards these, the types of deals that use it, and the latest changes."""
    demand_funnels(request.user)
    funnels = list(Funnel.objects.prefetch_related("stages__allowed_moves", "stages__requirements"))
    ids = [stage.pk for funnel in funnels for stage in funnel.stages.all()]
    guards, counts = guards_of(ids), open_counts(ids)
    types = list(DealType.objects.all())
    boxes = [
        FunnelBox(
            funnel,
            [_line(stage, guards, counts) for stage in funnel.stages.all() if stage.is_active],
            [stage for stage in funnel.stages.all() if not stage.is_active],
            [one for one in types if one.funnel_id == funnel.pk],
        )
        for funnel in funnels
    ]
    context = {"funnels": boxes, "kinds": requirement_kinds(), "types": types, "changes": _changes()}
    return page(request, "funnel/funnel_list.html", context)


def _line(stage: Stage, guards: dict, counts: dict) -> StageLine:
    return StageLine(
        stage,
        list(stage.allowed_moves.all()),
        guards.get(stage.pk, []),
        [_required(one) for one in stage.requirements.all()],
        counts.get(stage.pk, 0),
    )


def _required(requirement: Requirement) -> RequirementLine:
    kind = requirement_kind(requirement.kind)
    if kind is None:
        return RequirementLine(
            requirement, "question-circle", _("A requirement that nothing here knows any more")
        )
    return RequirementLine(requirement, kind.icon, kind.describe(requirement.options))


def _changes() -> list[LogEntry]:
    """The latest lines of the record about funnels."""
    asked = [tuple(label.split(".")) for label in RECORDED]
    rows = LogEntry.objects.filter(
        content_type__app_label__in={app for app, _model in asked},
        content_type__model__in={model for _app, model in asked},
    )
    return list(rows.select_related("user").order_by("-action_time")[:RECENT])


def _form_page(request, form, title: str, save: str = "", status: int = 200, **more):
    context = {"form": form, "title": title, "save": save, "url": reverse("funnel:funnel_list"), **more}
    return page(request, "funnel/settings_form.html", context, partial="form", status=status)


def _finished(request, text: str):
    toast(request, text)
    return done(request, reverse("funnel:funnel_list"), "funnel-changed")


def _answer(request, form, title: str, act, said: str, **more):
    """Shows the form, or saves what it holds: what the service refuses stands above the fields."""
    if request.method != "POST":
        return _form_page(request, form, title, **more)
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            return _finished(request, said)
    return _form_page(request, form, title, status=422, **more)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def funnel_create(request):
    demand_funnels(request.user)
    form = FunnelForm(request.POST or None)
    return _answer(
        request,
        form,
        _("New funnel"),
        lambda values: save_funnel(values=values, by=request.user),
        _("The funnel is there. Give it its stages."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def funnel_update(request, pk: int):
    demand_funnels(request.user)
    funnel = get_object_or_404(Funnel, pk=pk)
    form = FunnelForm(request.POST or None, instance=Funnel.objects.get(pk=pk))
    return _answer(
        request,
        form,
        str(funnel),
        lambda values: save_funnel(funnel=funnel, values=values, by=request.user),
        _("Saved."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def stage_create(request, pk: int):
    """A new stage at the end of a funnel."""
    demand_funnels(request.user)
    funnel = get_object_or_404(Funnel, pk=pk)
    form = StageForm(request.POST or None)
    return _answer(
        request,
        form,
        _("New stage in “%(funnel)s”") % {"funnel": funnel},
        lambda values: save_stage(funnel=funnel, values=values, by=request.user),
        _("The stage is there."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def stage_update(request, pk: int):
    demand_funnels(request.user)
    stage = get_object_or_404(Stage, pk=pk)
    form = StageForm(request.POST or None, instance=Stage.objects.get(pk=pk))
    return _answer(
        request,
        form,
        str(stage),
        lambda values: save_stage(stage=stage, values=values, by=request.user),
        _("Saved."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def stage_delete(request, pk: int):
    """Takes a stage out of its funnel; asks where its deals go."""
    demand_funnels(request.user)
    stage = get_object_or_404(Stage.objects.select_related("funnel"), pk=pk, is_active=True)
    count = open_counts([pk]).get(pk, 0)
    form = RemovalForm(request.POST if request.method == "POST" else None, stage=stage, count=count)
    return _answer(
        request,
        form,
        _("Remove “%(stage)s”?") % {"stage": stage},
        lambda values: remove_stage(stage=stage, to=values.get("to"), by=request.user),
        _("The stage is out of the funnel."),
        save=_("Remove"),
        count=count,
        about="removal",
    )


@require_POST
@once
def stage_restore(request, pk: int):
    """A retired stage stands at the end of its funnel again."""
    demand_funnels(request.user)
    stage = get_object_or_404(Stage.objects.select_related("funnel"), pk=pk, is_active=False)
    try:
        restore_stage(stage=stage, by=request.user)
    except ValidationError as refusal:
        toast(request, refusal.messages[0], level="error")
    else:
        toast(request, _("The stage is used again."))
    return redirect(request, reverse("funnel:funnel_list"))


@require_http_methods(["GET", "HEAD", "POST"])
@once
def funnel_order(request):
    """The order in which funnels are offered."""
    demand_funnels(request.user)
    return _order(request, Funnel.objects.all(), _("Order of funnels"))


@require_http_methods(["GET", "HEAD", "POST"])
@once
def stage_order(request, pk: int):
    """The order of a funnel's stages."""
    demand_funnels(request.user)
    funnel = get_object_or_404(Funnel, pk=pk)
    return _order(
        request, funnel.stages.filter(is_active=True), _("Order of “%(funnel)s”") % {"funnel": funnel}
    )


def _order(request, rows, title: str):
    form = OrderForm(request.POST if request.method == "POST" else None, rows=list(rows))
    return _answer(
        request,
        form,
        title,
        lambda values: order_records(rows=rows, ids=values["row"], by=request.user),
        _("The order is changed."),
        about="order",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def stage_moves(request, pk: int):
    """The moves a funnel allows, from each stage to each."""
    demand_funnels(request.user)
    funnel = get_object_or_404(Funnel, pk=pk)
    stages = list(funnel.stages.filter(is_active=True).prefetch_related("allowed_moves"))
    error, chosen = "", _allowed(stages)
    if request.method == "POST":
        chosen = _sent(request.POST.getlist("move"), stages)
        try:
            set_moves(funnel=funnel, moves=chosen, by=request.user)
        except ValidationError as refusal:
            error = refusal.messages[0]
        else:
            return _finished(request, _("The moves are changed."))
    context = {"funnel": funnel, "stages": stages, "rows": _matrix(stages, chosen), "error": error}
    return page(request, "funnel/stage_moves.html", context, partial="form", status=422 if error else 200)


def _allowed(stages: list[Stage]) -> dict[int, set[int]]:
    everywhere = {stage.pk for stage in stages}
    return {
        stage.pk: ({one.pk for one in stage.allowed_moves.all()} & everywhere or everywhere) - {stage.pk}
        for stage in stages
    }


def _sent(pairs: list[str], stages: list[Stage]) -> dict[int, set[int]]:
    """{stage id: ids} of `from-to` pairs; what names no stage of the funnel is passed over."""
    known = {str(stage.pk): stage.pk for stage in stages}
    found: dict[int, set[int]] = {stage.pk: set() for stage in stages}
    for pair in pairs:
        left, _dash, right = pair.partition("-")
        if left in known and right in known:
            found[known[left]].add(known[right])
    return found


@dataclass(frozen=True)
class MoveCell:
    """One possible move. `way`: next, skip, back, or self on the diagonal."""

    value: str
    way: str
    label: str
    is_allowed: bool


def _matrix(stages: list[Stage], chosen: dict[int, set[int]]) -> list[tuple[Stage, list[MoveCell]]]:
    return [
        (
            left,
            [
                MoveCell(
                    f"{left.pk}-{right.pk}",
                    "self"
                    if here == there
                    else "back"
                    if there < here
                    else "next"
                    if there == here + 1
                    else "skip",
                    f"{left} → {right}",
                    right.pk in chosen.get(left.pk, set()),
                )
                for there, right in enumerate(stages)
            ],
        )
        for here, left in enumerate(stages)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@once
def type_create(request):
    """A new type of deals with attributes of its own."""
    demand_funnels(request.user)
    form = DealTypeForm(request.POST or None)
    return _answer(
        request,
        form,
        _("New type of deals"),
        lambda values: save_type(values=values, by=request.user),
        _("The type is there."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def type_update(request, pk: int):
    """What a type is called, and which funnel its new deals go along."""
    demand_funnels(request.user)
    deal_type = get_object_or_404(DealType, pk=pk)
    form = DealTypeForm(request.POST or None, instance=DealType.objects.get(pk=pk))
    return _answer(
        request,
        form,
        str(deal_type),
        lambda values: save_type(deal_type=deal_type, values=values, by=request.user),
        _("Saved."),
    )
