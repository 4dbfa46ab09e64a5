"""Moving a deal: every change of stage and status is a request, from whichever channel it comes.

`deals.services` offers these names to the other areas.
"""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.notify.services import publish
from crm.people.visibility import may
from deals.events import record_move, record_request
from deals.ledger import write_transition
from deals.models import (
    CLOSED_STATUSES,
    OPEN_STATUSES,
    Deal,
    DealStatus,
    LossReason,
    RequestStatus,
    StageRequest,
    StageTransition,
    TransitionCause,
)
from deals.rules import RequestDecided, StageRefused, demand_move, demand_right
from deals.signals import (
    Hold,
    deal_request_withdrawn,
    deal_stage_changed,
    deal_stage_refused,
    deal_stage_requested,
)
from deals.worth import refresh_worth
from funnel.models import Stage


def locked(deal: Deal) -> Deal:
    """The deal as the database has it now, locked until the transaction ends.

    Locked without joins: PostgreSQL would drop a row whose stage changed while it waited for the lock.
    """
    Deal.objects.select_for_update().values_list("pk").get(pk=deal.pk)
    return Deal.objects.select_related("stage", "deal_type", "counterparty", "owner").get(pk=deal.pk)


@transaction.atomic
def request_stage(
    *, deal: Deal, stage: Stage | None = None, status: str | None = None, reason: str = "",
    loss_reason: LossReason | None = None, postponed_until: date | None = None, by, via: str = "",
) -> StageRequest:  # fmt: skip
    """Asks for another stage, status or both. Applied at once unless a receiver holds it; see the request's `status`.

    Raises StageRefused, with a text for the reader, when the move is not possible or `by` may not ask for it.
    """
    fresh = locked(deal)
    request = StageRequest(
        deal=fresh, from_stage=fresh.stage, to_stage=stage or fresh.stage,
        from_status=fresh.status, to_status=status or fresh.status,
        reason=reason.strip().replace("\x00", "")[:2000], loss_reason=loss_reason, postponed_until=postponed_until,
        requested_by=by, via=via,
    )  # fmt: skip
    if request.to_status not in DealStatus.values:
        raise StageRefused(_("There is no such status."))
    demand_move(request, by)
    request.save()
    holds = [
        answer
        for _receiver, answer in deal_stage_requested.send(StageRequest, request=request, by=by)
        if isinstance(answer, Hold)
    ]
    if holds:
        _hold(request, holds[0], by)
    else:
        _commit(request, fresh, by=by, cause=TransitionCause.REQUEST)
    deal.refresh_from_db()
    return request


def _hold(request: StageRequest, hold: Hold, by) -> None:
    request.refresh_from_db(fields=["status", "waits"])
    if not request.is_pending:
        return
    if not request.waits and hold.label:
        since = request.requested_at.isoformat()
        request.waits = [
            {
                "label": hold.label,
                "label_pl": hold.label_pl,
                "holder_id": None,
                "holder": "",
                "since": since,
                "due": None,
                "target": "",
            }
        ]
        request.save(update_fields=["waits"])
    record_request(request, kind="deal_stage_requested", by=by)
    publish(kind="deals.deal", record=request.deal)


@transaction.atomic
def apply_request(*, request: StageRequest, by, via: str = "") -> StageRequest:
    """Commits a pending request; `by` is whoever granted it. The requester's rights are checked again.

    When the requester may no longer move the deal, the request ends refused instead. Raises RequestDecided
    for a request that is not pending any more.
    """
    fresh = _locked_pending(request)
    try:
        demand_right(fresh, request.requested_by, request.to_status)
        if (fresh.stage_id, fresh.status) != (request.from_stage_id, request.from_status):
            raise StageRefused(_("The deal has moved meanwhile."))
    except StageRefused as refusal:
        return refuse_request(request=request, by=by, reason=refusal.messages[0], via=via)
    _commit(request, fresh, by=by, cause=TransitionCause.REQUEST, via=via)
    return request


@transaction.atomic
def override_request(*, request: StageRequest, by, reason: str) -> StageRequest:
    """Commits a pending request past whoever holds it. A right of its own; the reason stays on record."""
    fresh = _locked_pending(request)
    if not may(by, "override_gate", fresh):
        raise StageRefused(_("You may not move a deal past its gate."))
    if not reason.strip():
        raise StageRefused(_("Say why the deal passes its gate."))
    request.answer = reason.strip()[:2000]
    _commit(request, fresh, by=by, cause=TransitionCause.OVERRIDE)
    return request


@transaction.atomic
def refuse_request(*, request: StageRequest, by, reason: str, via: str = "") -> StageRequest:
    """Ends a pending request; the deal stays where it is. Raises RequestDecided as `apply_request` does."""
    _locked_pending(request)
    _decide(request, RequestStatus.REFUSED, by, answer=reason.strip()[:2000])
    record_request(request, kind="deal_stage_refused", by=by, via=via)
    deal_stage_refused.send(StageRequest, request=request, by=by, reason=request.answer)
    publish(kind="deals.deal", record=request.deal)
    return request


@transaction.atomic
def withdraw_request(*, request: StageRequest, by) -> StageRequest:
    """Takes a pending request back: whoever asked, or may edit the deal. Raises StageRefused, RequestDecided."""
    fresh = _locked_pending(request)
    if by.pk != request.requested_by_id and not may(by, "edit", fresh):
        raise StageRefused(_("You may not move this deal."))
    return _withdraw(request, by)


@transaction.atomic
def drop_requests(*, deals: list[Deal], by) -> None:
    """Takes back what deals wait for because they go themselves; whoever may delete a deal may do this."""
    found = StageRequest.objects.filter(deal__in=deals, status=RequestStatus.PENDING)
    for request in found.select_related("deal").order_by("deal_id"):
        _locked_pending(request)
        _withdraw(request, by)


def _withdraw(request: StageRequest, by) -> StageRequest:
    _decide(request, RequestStatus.WITHDRAWN, by)
    record_request(request, kind="deal_request_withdrawn", by=by)
    deal_request_withdrawn.send(StageRequest, request=request, by=by)
    publish(kind="deals.deal", record=request.deal)
    return request


@transaction.atomic
def set_waits(*, request: StageRequest, waits: list[dict]) -> None:
    """Says anew what a pending request waits for; without effect once it is decided."""
    if StageRequest.objects.filter(pk=request.pk, status=RequestStatus.PENDING).update(waits=waits):
        request.waits = waits
        publish(kind="deals.deal", record=request.deal)


def pending_request(deal: Deal) -> StageRequest | None:
    """The move the deal waits for, with its stages."""
    found = StageRequest.objects.filter(deal=deal, status=RequestStatus.PENDING)
    return found.select_related("to_stage", "from_stage", "requested_by").first()


def _locked_pending(request: StageRequest) -> Deal:
    """Locks the deal, then reads the request: the order every writer keeps."""
    deal = locked(request.deal)
    request.refresh_from_db(fields=["status", "waits"])
    if not request.is_pending:
        raise RequestDecided(_("This request has been decided already."))
    request.deal = deal
    return deal


def _decide(request: StageRequest, status: str, by, answer: str = "") -> None:
    request.status, request.decided_by, request.decided_at = status, by, timezone.now()
    request.answer = answer or request.answer
    request.waits = []
    request.save(update_fields=["status", "decided_by", "decided_at", "answer", "waits"])


def _commit(request: StageRequest, deal: Deal, *, by, cause: str, via: str = "") -> StageTransition:
    """Writes the deal, its ledger row, the event and the decision, and tells the areas above."""
    now = timezone.now()
    values = _new_place(request, deal, now)
    moved = Deal.objects.filter(pk=deal.pk, stage_id=request.from_stage_id, status=request.from_status)
    if not moved.place(**values, version=F("version") + 1, updated_at=now):
        raise StageRefused(_("The deal has moved meanwhile."))
    deal.refresh_from_db()
    _decide(request, RequestStatus.APPLIED, by)
    if request.to_status != request.from_status:
        refresh_worth([deal])
    transition = write_transition(
        deal=deal, cause=cause, by=request.requested_by if cause == TransitionCause.REQUEST else by, at=now,
        from_stage_id=request.from_stage_id, from_status=request.from_status, request=request, via=via or request.via,
    )  # fmt: skip
    record_move(request, transition, by=by)
    deal_stage_changed.send(Deal, deal=deal, transition=transition, by=by)
    publish(kind="deals.deal", record=deal)
    return transition


def _new_place(request: StageRequest, deal: Deal, now) -> dict:
    status = request.to_status
    values = {
        "stage_id": request.to_stage_id,
        "status": status,
        "loss_reason": request.loss_reason if status == DealStatus.LOST else None,
        "postponed_until": request.postponed_until if status == DealStatus.POSTPONED else None,
        "stage_since": now if request.changes_stage else deal.stage_since,
    }
    if status in CLOSED_STATUSES:
        values["closed_at"] = deal.closed_at or now
    elif status in OPEN_STATUSES:
        values["closed_at"] = None
    if status == request.from_status == DealStatus.POSTPONED:
        values["postponed_until"] = deal.postponed_until
    return values


def first_text(error: ValidationError) -> str:
    """What a toast or an operation says of a refusal."""
    return str(error.messages[0])
