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
    REQUIREMENTS,
    Deal,
    DealStatus,
    LossReason,
    OutcomeReason,
    RequestStatus,
    StageRequest,
    StageTransition,
    TransitionCause,
)
from deals.proofs import blocking, lacks, missing_text, requirements_of, unmet
from deals.rules import RequestDecided, StageRefused, demand_move, demand_right, landing_stage
from deals.signals import (
    Hold,
    deal_request_withdrawn,
    deal_stage_changed,
    deal_stage_refused,
    deal_stage_requested,
)
from deals.worth import refresh_worth
from funnel.models import Mode, Stage


def locked(deal: Deal) -> Deal:
    """The deal as the database has it now, locked until the transaction ends.

    Locked without joins: PostgreSQL would drop a row whose stage changed while it waited for the lock.
    """
    Deal.objects.select_for_update().values_list("pk").get(pk=deal.pk)
    return Deal.objects.select_related("stage", "deal_type", "counterparty", "owner", "currency").get(
        pk=deal.pk
    )


@transaction.atomic
def request_stage(
    *, deal: Deal, stage: Stage | None = None, status: str | None = None, reason: str = "",
    loss_reason: LossReason | None = None, outcome_reason: OutcomeReason | None = None,
    postponed_until: date | None = None, by, via: str = "",
) -> StageRequest:  # fmt: skip
    """Asks for another stage, status or both. Applied at once unless a gate holds it; see the request's `status`.

    A gate is a receiver that holds the request, or a requirement of a stage that the deal does not meet. What was only
    advised and is missing stands in the returned request's `reminders`.

    Raises StageRefused, with a text for the reader, when the move is not possible or `by` may not ask for it.
    """
    fresh = locked(deal)
    request = StageRequest(
        deal=fresh, from_stage=fresh.stage, to_stage=stage or landing_stage(fresh.stage),
        from_status=fresh.status, to_status=status or fresh.status,
        reason=reason.strip().replace("\x00", "")[:2000], loss_reason=loss_reason, postponed_until=postponed_until,
        outcome_reason=outcome_reason,
        requested_by=by, via=via,
    )  # fmt: skip
    if request.to_status not in DealStatus.values:
        raise StageRefused(_("There is no such status."))
    if request.to_status == DealStatus.LOST:
        _give_up(fresh, by)
    demand_move(request, by)
    request.save()
    holds = _holds(deal_stage_requested.send(StageRequest, request=request, by=by))
    required = requirements_of(request)
    lacking = unmet(fresh, required)
    if holds or blocking(lacking):
        _hold(request, holds, required, blocking(lacking), by)
    else:
        _commit(request, fresh, by=by, cause=TransitionCause.REQUEST)
    request.reminders = [missing_text(fresh, one) for one in lacking if one.mode == Mode.ADVISORY]
    deal.refresh_from_db()
    return request


def _give_up(deal: Deal, by) -> None:
    """A lost deal waits for no other move: what is pending is withdrawn. A refusal of the loss brings it back."""
    pending = pending_request(deal)
    if pending is not None and pending.to_status != DealStatus.LOST:
        pending.deal = deal
        _withdraw(pending, by)


def _holds(answers: list) -> list[Hold]:
    """What the receivers returned, one hold or several each."""
    found = [answer if isinstance(answer, list) else [answer] for _receiver, answer in answers]
    return [hold for several in found for hold in several if isinstance(hold, Hold)]


def _hold(request: StageRequest, holds: list[Hold], required: list, lacking: list, by) -> None:
    """The request waits for its holders. A receiver may have decided it, or said what it waits for, meanwhile."""
    request.refresh_from_db(fields=["status", "waits"])
    if not request.is_pending:
        return
    request.holders = [hold.source for hold in holds] + [REQUIREMENTS] * bool(lacking)
    request.needed = len(holds) + len(blocking(required))
    waits = request.waits or [_wait_for(request, hold) for hold in holds]
    request.wait_for(lacks(request, lacking) + waits)
    request.save(update_fields=["waits", "due_at", "holders", "needed"])
    record_request(request, kind="deal_stage_requested", by=by)
    publish(kind="deals.deal", record=request.deal)


def _wait_for(request: StageRequest, hold: Hold) -> dict:
    return {
        "label": hold.label, "label_pl": hold.label_pl, "holder_id": None, "holder": "",
        "since": request.requested_at.isoformat(), "due": None, "target": "", "source": hold.source,
    }  # fmt: skip


@transaction.atomic
def release_hold(*, request: StageRequest, source: str, by, via: str = "") -> StageRequest:
    """One of those who hold the request lets it go; the last one lets the deal through, unless it lacks something now.

    Raises RequestDecided for a request that is not pending any more.
    """
    deal = _locked_pending(request)
    request.holders = [holder for holder in request.holders if holder != source]
    request.wait_for([wait for wait in request.waits if wait.get("source") != source])
    lacking = [] if request.holders else unmet(deal, blocking(requirements_of(request)))
    if lacking:
        request.holders = [REQUIREMENTS]
        request.wait_for(lacks(request, lacking))
    if not request.holders:
        return apply_request(request=request, by=by, via=via)
    request.save(update_fields=["waits", "due_at", "holders"])
    publish(kind="deals.deal", record=request.deal)
    return request


def review_request(*, deal_id: int, by) -> None:
    """Looks again at what a waiting move lacks: the last thing supplied lets the deal through.

    Called by whoever writes what a requirement may ask for. Takes part in the caller's transaction.
    """
    request = pending_request_of(deal_id)
    if request is None or REQUIREMENTS not in request.holders:
        return
    deal = _locked_pending(request)
    lacking = unmet(deal, blocking(requirements_of(request)))
    if lacking:
        set_waits(request=request, waits=lacks(request, lacking), source=REQUIREMENTS)
    else:
        release_hold(request=request, source=REQUIREMENTS, by=by)


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
def override_request(*, request: StageRequest, by, reason: str, calls_off: bool = True) -> StageRequest:
    """Commits a pending request past whoever holds it. A right of its own; the reason stays on record.

    `calls_off`: the processes that hold it are called off; otherwise they go on to their end without deciding it.
    """
    fresh = _locked_pending(request)
    if not may(by, "override_gate", fresh):
        raise StageRefused(_("You may not move a deal past its gate."))
    if not reason.strip():
        raise StageRefused(_("Say why the deal passes its gate."))
    request.answer = reason.strip()[:2000]
    _commit(request, fresh, by=by, cause=TransitionCause.OVERRIDE, calls_off=calls_off)
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


def place_deals(*, deals: list[Deal], to: Stage) -> None:
    """Writes that these deals stand at `to`: for `deals.retiring`, beside its ledger rows."""
    now = timezone.now()
    proven = [deal.pk for deal in deals if deal.is_proven]
    Deal.objects.filter(pk__in=proven).place(proven_stage=to)
    Deal.objects.filter(pk__in=[deal.pk for deal in deals]).place(
        stage=to, stage_since=now, version=F("version") + 1, updated_at=now
    )


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
def set_waits(*, request: StageRequest, waits: list[dict], source: str) -> None:
    """Says anew what a pending request waits for on behalf of one holder; without effect once it is decided."""
    held = StageRequest.objects.select_for_update().filter(pk=request.pk, status=RequestStatus.PENDING)
    present = held.values_list("waits", flat=True).first()
    if present is None:
        return
    others = [wait for wait in present if wait.get("source") not in {source, None}]
    request.wait_for(
        sorted(
            [*others, *({**wait, "source": source} for wait in waits)],
            key=lambda wait: wait["holder_id"] is None,
        )
    )
    StageRequest.objects.filter(pk=request.pk).update(waits=request.waits, due_at=request.due_at)
    publish(kind="deals.deal", record=request.deal)


def pending_request(deal: Deal) -> StageRequest | None:
    """The move the deal waits for, with its stages."""
    return pending_request_of(deal.pk)


def pending_request_of(deal_id: int) -> StageRequest | None:
    found = StageRequest.objects.filter(deal_id=deal_id, status=RequestStatus.PENDING)
    return found.select_related("to_stage", "from_stage", "requested_by", "deal").first()


def _locked_pending(request: StageRequest) -> Deal:
    """Locks the deal, then reads the request: the order every writer keeps."""
    deal = locked(request.deal)
    request.refresh_from_db(fields=["status", "waits", "holders"])
    if not request.is_pending:
        raise RequestDecided(_("This request has been decided already."))
    request.deal = deal
    return deal


def _decide(request: StageRequest, status: str, by, answer: str = "") -> None:
    request.status, request.decided_by, request.decided_at = status, by, timezone.now()
    request.answer = answer or request.answer
    request.waits, request.due_at, request.holders = [], None, []
    request.save(update_fields=["status", "decided_by", "decided_at", "answer", "waits", "due_at", "holders"])


def _commit(
    request: StageRequest, deal: Deal, *, by, cause: str, via: str = "", calls_off: bool = True
) -> StageTransition:
    """Writes the deal, its ledger row, the event and the decision, and tells the areas above."""
    now = timezone.now()
    values = _new_place(request, deal, now)
    if cause == TransitionCause.REQUEST and request.changes_stage:
        values["proven_stage_id"] = request.to_stage_id
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
    deal_stage_changed.send(Deal, deal=deal, transition=transition, by=by, calls_off=calls_off)
    publish(kind="deals.deal", record=deal)
    return transition


def _new_place(request: StageRequest, deal: Deal, now) -> dict:
    status = request.to_status
    values = {
        "stage_id": request.to_stage_id,
        "status": status,
        "loss_reason": request.loss_reason if status == DealStatus.LOST else None,
        "outcome_reason": request.outcome_reason,
        "postponed_until": request.postponed_until if status == DealStatus.POSTPONED else None,
        "stage_since": now if request.changes_stage else deal.stage_since,
    }
    if status in CLOSED_STATUSES:
        values["closed_at"] = deal.closed_at or now
    elif status in OPEN_STATUSES:
        values["closed_at"] = None
    if status == request.from_status:
        values["outcome_reason"] = deal.outcome_reason
    if status == request.from_status == DealStatus.POSTPONED:
        values["postponed_until"] = deal.postponed_until
    return values


def first_text(error: ValidationError) -> str:
    """What a toast or an operation says of a refusal."""
    return str(error.messages[0])
