"""How deals read in history: the kinds of events, and writing them onto every card they belong on."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.history.kinds import EventKind, Group, named, register_event
from crm.history.services import record_event
from deals.models import CLOSED_STATUSES, Deal, DealStatus, StageRequest, StageTransition, TransitionCause

KINDS = (
    EventKind(
        "deal_created", _("opened the deal at “%(stage)s”"),
        "plus-circle", Group.CHANGE, "blue",
    ),
    EventKind(
        "deal_cloned", _("made the deal after %(deal)s"),
        "copy", Group.CHANGE, "blue",
    ),
    EventKind(
        "deal_number_changed", _("the number of the deal changed"),
        "hash", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_changed", _("changed the deal"),
        "pencil", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_stage_requested", _("asked to move the deal from “%(from)s” to “%(to)s”"),
        "hourglass-split", Group.STAGE, "amber",
    ),
    EventKind(
        "deal_moved_forward", _("moved the deal forward from “%(from)s” to “%(to)s”"),
        "arrow-right", Group.STAGE, "green",
    ),
    EventKind(
        "deal_moved_back", _("moved the deal back from “%(from)s” to “%(to)s”"),
        "arrow-left", Group.STAGE, "red",
    ),
    EventKind(
        "deal_stage_overridden", _("moved the deal past its gate from “%(from)s” to “%(to)s”"),
        "unlock", Group.STAGE, "amber",
    ),
    EventKind(
        "deal_stage_retired", _("retired the stage “%(from)s”; the deal stands at “%(to)s” now"),
        "signpost-2", Group.STAGE, "grey",
    ),
    EventKind(
        "deal_stage_refused", _("refused the move from “%(from)s” to “%(to)s”"),
        "slash-circle", Group.STAGE, "red",
    ),
    EventKind(
        "deal_request_withdrawn", _("withdrew the move from “%(from)s” to “%(to)s”"),
        "arrow-counterclockwise", Group.STAGE, "grey",
    ),
    EventKind(
        "deal_won", _("won the deal"),
        "trophy", Group.STAGE, "green",
    ),
    EventKind(
        "deal_lost", _("lost the deal: %(loss_reason)s"),
        "x-circle", Group.STAGE, "red",
    ),
    EventKind(
        "deal_postponed", _("postponed the deal until %(until)s"),
        "pause-circle", Group.STAGE, "amber",
    ),
    EventKind(
        "deal_set_aside", _("postponed the deal"),
        "pause-circle", Group.STAGE, "amber",
    ),
    EventKind(
        "deal_reopened", _("reopened the deal"),
        "play-circle", Group.STAGE, "blue",
    ),
    EventKind(
        "deal_resumed", _("took the deal up again"),
        "play-circle", Group.STAGE, "blue",
    ),
    EventKind(
        "deal_file_attached", _("attached “%(file)s”"),
        "paperclip", Group.FILE, "grey",
    ),
    EventKind(
        "deal_lines_changed", _("changed the products of the deal"),
        "box", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_payments_changed", _("changed the payments of the deal"),
        "cash-stack", Group.CHANGE, "grey",
    ),
    EventKind(
        "payment_changed", _("changed the payment “%(payment)s”"),
        "cash-stack", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_competitors_changed", _("changed the competitors of the deal"),
        "people", Group.CHANGE, "grey",
    ),
    EventKind(
        "product_created", _("added the product"),
        "plus-circle", Group.CHANGE, "blue",
    ),
    EventKind(
        "product_changed", _("changed the product"),
        "pencil", Group.CHANGE, "grey",
    ),
    EventKind(
        "product_prices_changed", _("changed the prices"),
        "cash-stack", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_contact_role", _("said what a contact is in the deal: %(role)s"),
        "person", Group.CHANGE, "grey",
    ),
    EventKind(
        "deal_contacts_changed", _("changed the contacts of the deal"),
        "people", Group.CHANGE, "grey",
    ),
)  # fmt: skip


def register_deal_events() -> None:
    register_event(*KINDS)


def cards_of(deal: Deal) -> list:
    """The cards a deal's events also stand on: its counterparty and its contacts."""
    return [deal.counterparty, *deal.contacts.all()]


def record_request(request: StageRequest, *, kind: str, by, via: str = "") -> None:
    """An event about a request that moved nothing: asked, refused, withdrawn."""
    payload = _places(request) | {"note": request.answer or request.reason}
    record_event(
        kind=kind,
        subject=request.deal,
        by=by,
        cards=cards_of(request.deal),
        payload=payload,
        via=via or request.via,
    )


def record_move(request: StageRequest, transition: StageTransition, *, by) -> None:
    """The event of a committed move, under the name of whoever asked for it; `by` granted it."""
    deal = transition.deal
    actor = by if transition.cause == TransitionCause.OVERRIDE else request.requested_by
    payload = _places(request) | {"note": request.answer or request.reason, "granted_by": str(by)}
    if request.loss_reason is not None:
        payload["loss_reason"] = named(request.loss_reason)
    if request.outcome_reason is not None:
        payload["note"] = " – ".join(filter(None, [request.outcome_reason.name, payload["note"]]))
    if request.postponed_until is not None:
        payload["until"] = request.postponed_until.isoformat()
    record_event(
        kind=_move_kind(request, transition), subject=deal, by=actor, cards=cards_of(deal), payload=payload,
        via=transition.via, version=deal.version, at=transition.at,
    )  # fmt: skip


def _places(request: StageRequest) -> dict:
    """From and to as people read them; a change of status alone names the statuses."""
    if request.changes_stage:
        return {"from": named(request.from_stage), "to": named(request.to_stage)}
    return {"from": STATUS_NAMES[request.from_status], "to": STATUS_NAMES[request.to_status]}


STATUS_NAMES = {
    DealStatus.ACTIVE: {"name": "active", "name_pl": "aktywne"},
    DealStatus.POSTPONED: {"name": "postponed", "name_pl": "odłożone"},
    DealStatus.WON: {"name": "won", "name_pl": "wygrane"},
    DealStatus.LOST: {"name": "lost", "name_pl": "przegrane"},
}


def _move_kind(request: StageRequest, transition: StageTransition) -> str:
    if transition.cause == TransitionCause.OVERRIDE:
        return "deal_stage_overridden"
    if request.from_status != request.to_status:
        return _status_kind(request)
    forward = (request.to_stage.position, request.to_stage_id) > (
        request.from_stage.position,
        request.from_stage_id,
    )
    return "deal_moved_forward" if forward else "deal_moved_back"


def _status_kind(request: StageRequest) -> str:
    if request.to_status == DealStatus.POSTPONED:
        return "deal_postponed" if request.postponed_until else "deal_set_aside"
    if request.to_status == DealStatus.ACTIVE:
        return "deal_reopened" if request.from_status in CLOSED_STATUSES else "deal_resumed"
    return "deal_won" if request.to_status == DealStatus.WON else "deal_lost"
