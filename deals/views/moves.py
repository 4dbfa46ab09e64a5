"""Moving a deal: stage, closing, reopening, withdrawing, passing a gate."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.forms import ClosureForm, OverrideForm, StageForm
from deals.models import Deal, DealStatus, StageRequest
from deals.rules import demand_right
from deals.selectors import destination, pending_requests
from deals.services import first_text, override_request, pending_request, request_stage, withdraw_request
from deals.views.board import moved_on_board
from deals.views.cards import card_context, card_state, full_deals

BOARD, CARD = "board-changes", "deal-state"


def _editable(request, pk: int) -> Deal:
    return get_visible(Deal, request.user, pk, "edit", queryset=full_deals(request.user))


def _attempt(request, act) -> StageRequest | None:
    """Runs a move; a refusal becomes a message and None."""
    try:
        moved = act()
    except ValidationError as refusal:
        toast(request, first_text(refusal), level=messages.ERROR)
        return None
    _tell(request, moved)
    return moved


def _tell(request, moved: StageRequest) -> None:
    if moved.is_pending:
        toast(
            request,
            _("The move to “%(place)s” waits for a decision.") % {"place": destination(moved)},
            level=messages.INFO,
        )
    elif moved.status == "applied" and moved.changes_stage:
        toast(request, _("Moved to “%(stage)s”.") % {"stage": moved.to_stage})


def _answer(request, deal: Deal, moved: StageRequest | None):
    """Each channel gets its own answer: the board tiles, the card its bar, a dialog its end, a form a page."""
    status = 200 if moved is not None else 422
    target = request.htmx.target if wants_fragment(request) else None
    if target == BOARD:
        return moved_on_board(request, deal, status)
    if target == CARD:
        return card_state(request, deal.pk, status)
    url = reverse("deals:deal_detail", args=[deal.pk])
    if target is None:
        return redirect(request, url)
    if moved is None:
        return page(
            request, "deals/deal_stage.html", card_context(request, deal), partial="choices", status=status
        )
    return done(request, url, "history-changed", "card-changed", deal_changed={"id": deal.pk})


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_stage(request, pk: int):
    """Asks for another stage; the GET offers the stages one by one, for keyboards and fingers."""
    deal = _editable(request, pk)
    if request.method != "POST":
        return page(request, "deals/deal_stage.html", card_context(request, deal), partial="choices")
    form = StageForm(request.POST, deal=deal)
    moved = None
    if form.is_valid():
        values = form.cleaned_data
        moved = _attempt(
            request,
            lambda: request_stage(deal=deal, stage=values["stage"], reason=values["reason"], by=request.user),
        )
    else:
        toast(request, _("The deal's funnel has no such stage."), level=messages.ERROR)
    return _answer(request, deal, moved)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_closure(request, pk: int):
    """Won, lost with a reason, or postponed (`?to=`)."""
    deal = _editable(request, pk)
    posting = request.method == "POST"
    form = ClosureForm(
        request.POST if posting else None, to=(request.POST if posting else request.GET).get("to", "")
    )
    context = {"form": form, "deal": deal}
    if not posting:
        return page(request, "deals/deal_closure.html", context, partial="form")
    if not form.is_valid() or not _closed(request, deal, form):
        return page(request, "deals/deal_closure.html", context, partial="form", status=422)
    url = reverse("deals:deal_detail", args=[pk])
    return done(request, url, "history-changed", "card-changed", deal_changed={"id": pk})


def _closed(request, deal: Deal, form: ClosureForm) -> bool:
    given = {
        name: form.cleaned_data[name] for name in ("loss_reason", "postponed_until") if name in form.fields
    }
    try:
        moved = request_stage(
            deal=deal, status=form.to, reason=form.cleaned_data["reason"], by=request.user, **given
        )
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
        return False
    _tell(request, moved)
    return True


@require_POST
@once
def deal_reopening(request, pk: int):
    """Makes a closed or postponed deal active again; a closed one needs the right to reopen."""
    deal = _editable(request, pk)
    try:
        demand_right(deal, request.user, DealStatus.ACTIVE)
    except ValidationError:
        raise PermissionDenied from None
    moved = _attempt(request, lambda: request_stage(deal=deal, status=DealStatus.ACTIVE, by=request.user))
    return _answer(request, deal, moved)


@require_POST
@once
def deal_withdrawal(request, pk: int):
    """Takes the pending move back."""
    deal = get_visible(Deal, request.user, pk, queryset=full_deals(request.user))
    pending = pending_request(deal)
    if not deal.may_edit and (pending is None or pending.requested_by_id != request.user.pk):
        raise PermissionDenied
    if pending is None:
        toast(request, _("Nothing is waiting any more."), level=messages.INFO)
        return _answer(request, deal, None)
    moved = _attempt(request, lambda: withdraw_request(request=pending, by=request.user))
    return _answer(request, deal, moved)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_override(request, pk: int):
    """Moves a waiting deal past its gate: a right of its own, with a reason that stays on record."""
    deal = get_visible(Deal, request.user, pk, "override_gate", queryset=full_deals(request.user))
    pending = pending_requests([pk]).get(pk)
    if pending is None:
        toast(request, _("Nothing is waiting any more."), level=messages.INFO)
        return redirect(request, reverse("deals:deal_detail", args=[pk]))
    form = OverrideForm(request.POST or None)
    context = {"form": form, "deal": deal, "destination": destination(pending)}
    if request.method != "POST":
        return page(request, "deals/deal_override.html", context, partial="form")
    if not form.is_valid():
        return page(request, "deals/deal_override.html", context, partial="form", status=422)
    moved = _attempt(
        request,
        lambda: override_request(request=pending, by=request.user, reason=form.cleaned_data["reason"]),
    )
    return _answer(request, deal, moved)
