"""What deals tell the frame: their kind, menu entries, quick create, and the panel on a counterparty's card."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.history.bin import Follower, register_consequence, register_deletable, register_follower
from crm.history.undoing import Editor, register_editor
from crm.listing.lists import register_list
from crm.listing.portfolio import PortfolioKind, register_portfolio
from crm.people.kinds import RecordKind, register_kind
from crm.web.registry import (
    MenuEntry,
    Panel,
    QuickCreate,
    register_menu,
    register_panel,
    register_quick_create,
)
from deals.facts import FACT_RELATED, deal_fact_kinds, deal_facts
from deals.lists import DealList
from deals.models import OPEN_STATUSES, Deal
from deals.services import EDITABLE, edit_deal, pending_request

RIGHTS = (("reopen", _("reopen a closed deal")), ("override_gate", _("move a deal past its gate")))


def register_deals() -> None:
    register_list(DealList)
    register_kind(
        RecordKind(
            model=Deal, name=_("deal"), plural=_("deals"), icon="briefcase", detail_url="deals:deal_detail",
            rights=RIGHTS, searchable=True, facts=deal_facts, fact_related=FACT_RELATED, fact_kinds=deal_fact_kinds,
            summary=lambda deal: f"{deal.number} · {deal.counterparty.name} · {deal.stage}",
            summary_related=("counterparty", "stage"),
        )
    )  # fmt: skip
    register_deletable("deals.deal")
    register_portfolio(PortfolioKind("deals.deal", 40, Q(status__in=OPEN_STATUSES)))
    register_consequence("deals.deal", _withdrawn_move)
    register_editor(
        Editor("deals.deal", frozenset(EDITABLE), lambda record, **edit: edit_deal(deal=record, **edit))
    )
    register_follower(Follower("counterparties.counterparty", _("open deals"), _open_deals, asks=True))
    register_menu(
        MenuEntry("deals", _("Deals"), "briefcase", "deals:deal_list", 40, kind="deals.deal", phone=True)
    )
    register_menu(MenuEntry("board", _("Sales funnel"), "kanban", "deals:deal_board", 50, kind="deals.deal"))
    register_quick_create(
        QuickCreate(_("Deal"), "briefcase", "deals:deal_create", kind="deals.deal", order=30)
    )
    register_panel(
        Panel(
            "counterparties.counterparty", "deals", _("Deals"), 20, "deals:counterparty_deals",
            count=lambda record, user: Deal.objects.visible_to(user).filter(counterparty=record).count(),
            kind="deals.deal",
        )
    )  # fmt: skip


def _open_deals(counterparty):
    """A counterparty goes only with its open deals; closed ones keep its name."""
    return Deal.objects.open().filter(counterparty=counterparty, deleted_at=None)


def _withdrawn_move(deal) -> str:
    return gettext("The move that waits for a decision is withdrawn.") if pending_request(deal) else ""
