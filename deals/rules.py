"""What may move where, and who may move it. Raises, never writes."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.people.visibility import may
from deals.models import (
    CLOSED_STATUSES,
    Deal,
    DealSettings,
    DealStatus,
    LossReason,
    Outcome,
    OutcomeReason,
    RequestStatus,
    StageRequest,
)
from funnel.models import Stage


class StageRefused(ValidationError):
    """A deal may not go where it was asked to; the text says why."""


class RequestDecided(ValidationError):
    """The request was applied, refused or withdrawn before."""


def demand_move(request: StageRequest, by) -> None:
    """Raises StageRefused unless `by` may ask for this move now. `request` is an unsaved draft."""
    demand_right(request.deal, by, request.to_status)
    waiting = (
        StageRequest.objects.filter(deal=request.deal, status=RequestStatus.PENDING)
        .select_related("to_stage")
        .first()
    )
    if waiting is not None:
        raise StageRefused(_already_waiting(waiting, request))
    if request.to_stage_id == request.from_stage_id and request.to_status == request.from_status:
        raise StageRefused(_("The deal is already there."))
    _demand_stage(request)
    _demand_closure(request)


def demand_right(deal: Deal, by, to_status: str) -> None:
    """Raises StageRefused unless `by` may move this deal, and may reopen it where that is asked."""
    if not may(by, "edit", deal):
        raise StageRefused(_("You may not move this deal."))
    reopening = deal.status in CLOSED_STATUSES and to_status not in CLOSED_STATUSES
    if reopening and not may(by, "reopen", deal):
        raise StageRefused(_("You may not reopen this deal."))


def _already_waiting(waiting: StageRequest, wanted: StageRequest) -> str:
    if (waiting.to_stage_id, waiting.to_status) == (wanted.to_stage_id, wanted.to_status):
        return _("This move is already waiting for a decision.")
    if waiting.changes_stage:
        return _("A move to “%(stage)s” is already waiting. Withdraw it first.") % {"stage": waiting.to_stage}
    return _("Another change of this deal is already waiting. Withdraw it first.")


def _demand_stage(request: StageRequest) -> None:
    if request.to_stage_id == request.from_stage_id:
        return
    if request.to_stage.funnel_id != request.deal.funnel_id:
        raise StageRefused(_("“%(stage)s” belongs to another funnel.") % {"stage": request.to_stage})
    if not request.to_stage.is_active:
        raise StageRefused(_("“%(stage)s” is not used any more.") % {"stage": request.to_stage})
    if request.from_status in CLOSED_STATUSES and request.to_status in CLOSED_STATUSES:
        raise StageRefused(_("The deal is closed. Reopen it first."))
    demand_allowed(request.from_stage, request.to_stage)


def demand_allowed(from_stage: Stage, to_stage: Stage) -> None:
    """Raises StageRefused when the funnel's allowed moves leave the target out."""
    allowed = list(from_stage.allowed_moves.all())
    if allowed and to_stage not in allowed:
        names = ", ".join(str(stage) for stage in allowed)
        raise StageRefused(
            _("From “%(here)s” a deal goes only to: %(stages)s.") % {"here": from_stage, "stages": names}
        )


def landing_stage(stage: Stage) -> Stage:
    """Where a deal stands on when it is taken up again: a retired stage has become the one before it."""
    if stage.is_active:
        return stage
    used = list(Stage.objects.filter(funnel_id=stage.funnel_id, is_active=True).order_by("position", "id"))
    before = [one for one in used if one.position <= stage.position]
    return before[-1] if before else used[0] if used else stage


def _demand_closure(request: StageRequest) -> None:
    if request.to_status == DealStatus.LOST:
        if request.from_status == DealStatus.WON:
            raise StageRefused(_("The deal is closed. Reopen it first."))
        if request.loss_reason is None:
            raise StageRefused(_("Say why the deal was lost."))
    elif request.to_status == DealStatus.WON and request.from_status == DealStatus.LOST:
        raise StageRefused(_("The deal is closed. Reopen it first."))
    elif request.to_status == DealStatus.POSTPONED:
        if request.from_status in CLOSED_STATUSES:
            raise StageRefused(_("The deal is closed. Reopen it first."))
        if request.postponed_until is not None and request.postponed_until <= timezone.localdate():
            raise StageRefused(_("Postpone the deal to a day that is still to come."))

    _demand_reason(request)


def _demand_reason(request: StageRequest) -> None:
    """A deal is won, or set aside, for a reason that fits, and without one only where none is asked for."""
    reason = request.outcome_reason
    if reason is not None and reason.outcome != request.to_status:
        raise StageRefused(_("This reason is not for that."))
    is_asked = request.to_status in Outcome.values and request.to_status != request.from_status
    if reason is None and is_asked and DealSettings.read().needs_reason(request.to_status):
        raise StageRefused(_("Say why."))


def offered_reasons(outcome: str):
    """The reasons of winning or postponing that a person may choose."""
    return OutcomeReason.objects.filter(outcome=outcome, is_active=True)


def offered_loss_reasons():
    """The reasons a person may choose."""
    return LossReason.objects.filter(is_active=True)
