"""Moving a deal: stage, closing, reopening, withdrawing, passing a gate."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.history.editing import EditConflict
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect, trigger, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.forms import ClosureForm, OverrideForm, StageForm
from deals.models import REQUIREMENTS, Deal, DealStatus, StageRequest
from deals.proof_form import ProofForm
from deals.proofs import proofs_of, unproven_move
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
    for reminder in getattr(moved, "reminders", ()):
        toast(request, _("Still advised here: %(what)s.") % {"what": reminder}, level=messages.WARNING)


def _answer(request, deal: Deal, moved: StageRequest | None):
    """Each channel gets its own answer; what the deal lacks is asked for at once."""
    answer = _channel_answer(request, deal, moved)
    if moved is not None and moved.is_pending and REQUIREMENTS in moved.holders and wants_fragment(request):
        trigger(answer, dialog_open={"url": reverse("deals:deal_proof", args=[deal.pk])})
    return answer


def _channel_answer(request, deal: Deal, moved: StageRequest | None):
    """The board gets its tiles, the card its bar, a dialog its end, a form a page."""
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
    return _closed_dialog(request, deal.pk)


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
    return _closed_dialog(request, pk)


def _closed(request, deal: Deal, form: ClosureForm) -> bool:
    given = {
        name: form.cleaned_data[name]
        for name in ("loss_reason", "outcome_reason", "postponed_until")
        if name in form.fields
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
        lambda: override_request(request=pending, by=request.user, **form.cleaned_data),
    )
    return _answer(request, deal, moved)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_proof(request, pk: int):
    """What a waiting move lacks, and the form that supplies it on the spot; the last proof moves the deal.

    For a deal that stands ahead of its proof: what it has never shown.
    """
    deal = _editable(request, pk)
    pending = pending_request(deal) or unproven_move(deal)
    if pending is None:
        toast(request, _("Nothing is waiting any more."), level=messages.INFO)
        return _answer(request, deal, None) if request.method == "POST" else _closed_dialog(request, pk)
    pending.deal = deal
    proofs = proofs_of(pending)
    form = ProofForm(
        request.POST or None, request.FILES or None, instance=deal, user=request.user, proofs=proofs
    )
    context = {"form": form, "deal": deal, "proofs": proofs, "destination": destination(pending)}
    context["waits"] = pending.pk is not None
    if request.method != "POST":
        return page(request, "deals/deal_proof.html", context, partial="form")
    if not form.is_valid() or not _supplied(request, deal, form):
        return page(request, "deals/deal_proof.html", context, partial="form", status=422)
    if pending.pk is None:
        toast(request, _("Saved."))
        return _closed_dialog(request, pk)
    pending.refresh_from_db()
    if pending.is_pending:
        toast(request, _("Saved. The move waits for the rest."), level=messages.INFO)
    else:
        _tell(request, pending)
    return _closed_dialog(request, pk)


def _supplied(request, deal: Deal, form: ProofForm) -> bool:
    try:
        form.save_to(deal, request.user)
    except EditConflict:
        form.add_error(None, _("Somebody has just changed the same field. Look at the card and try again."))
        return False
    except ValidationError as error:
        form.refuse(error)
        return False
    return True


def _closed_dialog(request, pk: int):
    url = reverse("deals:deal_detail", args=[pk])
    return done(request, url, "history-changed", "card-changed", deal_changed={"id": pk})
