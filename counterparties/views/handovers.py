"""Handing a portfolio over: whose, to whom, what it would be, how far it is, and the way back."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterparties.handover import hand_over, may_hand_over, preview_handover, undo_handover
from counterparties.handover_form import HandOverForm
from counterparties.models import HandOver
from counterparties.splitting import RULES, preview_groups
from crm.listing.bulk.services import NotUndoable
from crm.listing.models import BulkItem
from crm.people.kinds import kind_named
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

SHOWN = 50


def _demand(request) -> None:
    if not may_hand_over(request.user):
        raise PermissionDenied


@require_safe
def handover_list(request):
    """The latest hand-overs."""
    _demand(request)
    rows = HandOver.objects.visible_to(request.user).select_related("source", "made_by")
    context = {"rows": rows.annotate(parts=Count("runs"))[:SHOWN]}
    return page(request, "counterparties/handover_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def handover_create(request):
    """A GET with `source` shows what that person has; a POST begins."""
    _demand(request)
    sent = request.POST if request.method == "POST" else None
    given = sent or request.GET
    form = HandOverForm(sent, user=request.user, given=given)
    preview = _offer(form, request.user, given)
    if sent is not None and form.is_valid():
        try:
            made = hand_over(by=request.user, source=form.source, **form.chosen())
        except ValidationError as error:
            form.refuse(error)
        else:
            toast(request, _("The hand-over has begun."))
            return redirect(request, reverse("counterparties:handover_detail", args=[made.pk]))
    context = {"form": form, "preview": preview}
    status = 422 if sent is not None else 200
    return page(request, "counterparties/handover_create.html", context, partial="form", status=status)


def _offer(form: HandOverForm, user, given) -> list:
    """Puts on the form what there is to hand over, and who gets which part of it."""
    options = {"source": form.source, "by": user, "closed_too": bool(given.get("closed_too"))}
    preview = preview_handover(**options) if form.source else []
    form.offer(preview, given.getlist("kinds"))
    if form.source and form.rule and form.successors:
        form.offer_groups(preview_groups(**options, rule=form.rule))
    return preview


def _visible(request, pk: int) -> HandOver:
    rows = HandOver.objects.visible_to(request.user).select_related("source", "made_by")
    made = rows.filter(pk=pk).first()
    if made is None:
        raise Http404
    return made


@require_safe
def handover_detail(request, pk: int):
    """Each part: what went to whom, how far it is, what stayed behind."""
    made = _visible(request, pk)
    runs = list(made.runs.select_related("job", "undo_job").order_by("pk"))
    counts: dict[int, dict[str, int]] = {}
    rows = BulkItem.objects.filter(run__in=runs).order_by().values_list("run", "status")
    for run_pk, status, number in rows.annotate(Count("pk")):
        counts.setdefault(run_pk, {})[status] = number
    parts = [(run, kind_named(run.kind), counts.get(run.pk, {})) for run in runs]
    is_open = any((run.undo_job or run.job).is_open for run in runs)
    may_undo = (
        made.made_by_id == request.user.pk and not is_open and any(run.undo_job is None for run in runs)
    )
    context = {
        "rule": RULES.get(made.rule) if made.rule else "",
        "made": made,
        "parts": parts,
        "is_open": is_open,
        "may_undo": may_undo,
    }
    return page(request, "counterparties/handover_detail.html", context, partial="state")


@require_POST
@once
def handover_undo(request, pk: int):
    """Takes all of it back, except what was handed on meanwhile."""
    made = _visible(request, pk)
    try:
        undo_handover(made=made, by=request.user)
    except NotUndoable:
        toast(request, _("It is being undone already, or has not ended."))
    return redirect(request, reverse("counterparties:handover_detail", args=[pk]))
