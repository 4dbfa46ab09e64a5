"""What a deal's card shows: the stage bar, what it waits for, and its facts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.attributes.cards import attribute_facts
from crm.money.format import show_money
from crm.money.models import default_currency
from deals.gates import gates_of
from deals.models import Deal, DealStatus, StageRequest
from funnel.models import Stage
from funnel.services import map_of


@dataclass(frozen=True)
class Step:
    """One stage of the bar. `state`: done, current, ahead, won or lost; `is_target`: a pending move leads here."""

    stage: Stage
    state: str
    is_target: bool
    may_go: bool
    gate: str


def stage_bar(deal: Deal, pending: StageRequest | None) -> list[Step]:
    """Every stage of the deal's funnel. One query, one more for each gate describer."""
    way = map_of(deal.funnel_id, also=deal.stage_id)
    gates = gates_of(stage.pk for stage in way.stages)
    here = next((place for place, stage in enumerate(way.stages) if stage.pk == deal.stage_id), 0)
    free = deal.may_edit and deal.is_open and pending is None
    return [
        Step(
            stage=stage,
            state=_state(deal, place, here),
            is_target=pending is not None and pending.changes_stage and pending.to_stage_id == stage.pk,
            may_go=free and way.allows(deal.stage_id, stage.pk),
            gate=gates.get(stage.pk, ""),
        )
        for place, stage in enumerate(way.stages)
    ]


def _state(deal: Deal, place: int, here: int) -> str:
    if deal.status == DealStatus.WON:
        return "won"
    if place == here:
        return "lost" if deal.status == DealStatus.LOST else "current"
    return "done" if place < here else "ahead"


STATUS_PILLS = {
    DealStatus.ACTIVE: ("blue", "play-fill"),
    DealStatus.POSTPONED: ("amber", "pause-fill"),
    DealStatus.WON: ("green", "trophy-fill"),
    DealStatus.LOST: ("red", "x-lg"),
}


def status_pill(deal: Deal) -> tuple[str, str, str]:
    """(colour, label, icon) of the deal's status."""
    colour, icon = STATUS_PILLS[deal.status]
    return colour, deal.get_status_display().capitalize(), icon


def deal_card_facts(deal: Deal) -> list[tuple[str, str]]:
    """(name, shown value) of the deal's own fields; the card leaves empty ones out."""
    return [
        (_("Amount"), _amount(deal)),
        (_("Close date"), _close_date(deal)),
        (_("Postponed until"), _day(deal.postponed_until)),
        (_("Reason of loss"), str(deal.loss_reason) if deal.loss_reason else ""),
        (_("Reason"), str(deal.outcome_reason) if deal.outcome_reason else ""),
        (_("Deal type"), str(deal.deal_type)),
        (_("Funnel"), str(deal.funnel)),
        (_("Proven stage"), "" if deal.is_proven else str(deal.proven_stage or _("none"))),
        (_("At the stage"), _days(deal.days_at_stage)),
        (_("Opened"), _day(deal.created_at)),
        (_("Closed"), _day(deal.closed_at)),
    ]


def _amount(deal: Deal) -> str:
    """With what it comes to in the company's currency, or the word that this is not known."""
    shown = show_money(deal.amount, deal.currency_id)
    if not deal.is_foreign:
        return shown
    own = default_currency()
    if deal.worth is None:
        return _("%(amount)s (no rate to %(currency)s)") % {"amount": shown, "currency": own}
    return f"{shown} (≈ {show_money(deal.worth, own)})"


def _day(moment) -> str:
    return date_format(moment, "DATE_FORMAT") if moment else ""


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _close_date(deal: Deal) -> str:
    shown = _day(deal.close_date)
    if shown and deal.close_date_slips:
        put_off = ngettext("put off %(count)s time", "put off %(count)s times", deal.close_date_slips)
        shown = f"{shown} ({put_off % {'count': deal.close_date_slips}})"
    return shown


def attribute_sections(deal: Deal, user) -> list[tuple[str, list[tuple[str, str]]]]:
    """The filled attributes by section, as `user` may see them."""
    return attribute_facts(deal, user)
