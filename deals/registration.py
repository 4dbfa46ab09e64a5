"""What deals tell the frame: their kind, menu entries, quick create, and the panel on a counterparty's card."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.history.bin import Follower, register_consequence, register_deletable, register_follower
from crm.history.undoing import Editor, register_editor
from crm.listing.lists import register_list
from crm.listing.portfolio import PortfolioKind, register_portfolio
from crm.people.fields import register_followers
from crm.people.kinds import RecordKind, register_kind
from crm.web.dictionaries import Dictionary, register_dictionary
from crm.web.registry import (
    MenuEntry,
    Panel,
    QuickCreate,
    register_menu,
    register_panel,
    register_quick_create,
)
from deals.catalogue import PRICES, PRODUCT, PRODUCT_FIELDS, edit_product, prices_of
from deals.competitors import COMPETITORS
from deals.facts import FACT_RELATED, deal_fact_kinds, deal_facts
from deals.lines import LINES
from deals.lists import DealList
from deals.models import (
    OPEN_STATUSES,
    Competitor,
    Deal,
    LossReason,
    OutcomeReason,
    Payment,
    Product,
    TaxRate,
)
from deals.parts import Part
from deals.parts_of_deals import MONEY_PARTS, PARTS, put_back
from deals.payment_lists import PAYMENT, PaymentList
from deals.payments import PAYMENTS, edit_payment
from deals.product_lists import ProductList
from deals.reports.morning import has_morning
from deals.services import EDITABLE, pending_request

RIGHTS = (("reopen", _("reopen a closed deal")), ("override_gate", _("move a deal past its gate")))


def register_deals() -> None:
    register_list(DealList)
    register_followers("deals.deal", dict.fromkeys([*MONEY_PARTS, "worth"], "amount"))
    register_followers("deals.deal", dict.fromkeys(["stuck", "overridden", "waits_for"], "stage"))
    register_kind(
        RecordKind(
            model=Deal, name=_("deal"), plural=_("deals"), icon="briefcase", detail_url="deals:deal_detail",
            rights=RIGHTS, searchable=True, facts=deal_facts, fact_related=FACT_RELATED, fact_kinds=deal_fact_kinds,
            summary=lambda deal: f"{deal.number} · {deal.counterparty.name} · {deal.stage}",
            summary_related=("counterparty", "stage"),
        )
    )  # fmt: skip
    register_deletable("deals.deal")
    register_portfolio(
        PortfolioKind("deals.deal", 40, Q(status__in=OPEN_STATUSES), {"counterparty": ("counterparty",)})
    )
    register_consequence("deals.deal", _withdrawn_move)
    register_editor(
        Editor(
            "deals.deal", frozenset(EDITABLE), put_back,
            parts={key: part.snapshot for key, part in PARTS.items()},
        )
    )  # fmt: skip
    register_follower(Follower("counterparties.counterparty", _("open deals"), _open_deals, asks=True))
    _register_pages()
    _register_panels()


def _register_pages() -> None:
    register_menu(
        MenuEntry("deals", _("Deals"), "briefcase", "deals:deal_list", 40, kind="deals.deal", phone=True)
    )
    register_menu(
        MenuEntry(
            "morning",
            _("Morning"),
            "sunrise",
            "deals:deal_morning",
            12,
            kind="deals.deal",
            allowed=has_morning,
        )
    )
    register_menu(MenuEntry("board", _("Sales funnel"), "kanban", "deals:deal_board", 50, kind="deals.deal"))
    register_quick_create(
        QuickCreate(_("Deal"), "briefcase", "deals:deal_create", kind="deals.deal", order=30)
    )


def _register_panels() -> None:
    register_panel(
        Panel(
            "counterparties.counterparty", "deals", _("Deals"), 20, "deals:counterparty_deals",
            count=lambda record, user: Deal.objects.visible_to(user).filter(counterparty=record).count(),
            kind="deals.deal",
        )
    )  # fmt: skip
    register_panel(
        Panel(
            "deals.deal",
            "lines",
            _("Products"),
            5,
            "deals:deal_lines",
            count=_count_of(LINES),
            kind="deals.deal",
        )
    )
    register_panel(
        Panel(
            "deals.deal", "payments", _("Payments"), 6, "deals:deal_payments", count=_count_of(PAYMENTS),
            kind="deals.deal",
        )
    )  # fmt: skip
    register_panel(
        Panel(
            "deals.deal", "competitors", _("Competitors"), 7, "deals:deal_competitors",
            count=_count_of(COMPETITORS), kind="deals.deal",
        )
    )  # fmt: skip


def register_products() -> None:
    register_list(ProductList)
    register_kind(
        RecordKind(
            model=Product, name=_("product"), plural=_("products"), icon="box", detail_url="deals:product_detail",
            searchable=True, common=True, summary=lambda product: f"{product.code or ''} {product.unit}".strip(),
        )
    )  # fmt: skip
    register_deletable(PRODUCT)
    register_editor(
        Editor(
            PRODUCT, frozenset(PRODUCT_FIELDS), lambda record, **edit: edit_product(product=record, **edit),
            has_attributes=False, parts={PRICES: prices_of},
        )
    )  # fmt: skip
    register_menu(MenuEntry("products", _("Products"), "box", "deals:product_list", 55, kind=PRODUCT))


def register_dictionaries() -> None:
    register_dictionary(
        Dictionary(LossReason, _("Why deals are lost.")),
        Dictionary(OutcomeReason, _("Why deals are won, or set aside."), ("outcome",), group="outcome"),
        Dictionary(Competitor, _("Whom deals are up against.")),
        Dictionary(TaxRate, _("What lines of deals are taxed with."), ("percent",)),
    )


def register_payments() -> None:
    register_list(PaymentList)
    register_kind(
        RecordKind(
            model=Payment, name=_("payment"), plural=_("payments"), icon="cash-stack",
            detail_url="deals:payment_detail", follows="deals.deal",
        )
    )  # fmt: skip
    register_editor(
        Editor(
            PAYMENT, frozenset(PAYMENTS.columns), lambda record, **edit: edit_payment(payment=record, **edit),
            has_attributes=False,
        )
    )  # fmt: skip
    register_menu(
        MenuEntry(
            "payments", _("Payments"), "cash-stack", "deals:payment_list", 52, kind=PAYMENT,
            allowed=lambda user: not PAYMENTS.is_hidden(user),
        )
    )  # fmt: skip


def _count_of(part: Part):
    """The number of rows, which the card has counted; nothing beside the heading while there are none."""
    return lambda deal, user: getattr(deal, f"{part.key}_count", 0) or None


def _open_deals(counterparty):
    """A counterparty goes only with its open deals; closed ones keep its name."""
    return Deal.objects.open().filter(counterparty=counterparty, deleted_at=None)


def _withdrawn_move(deal) -> str:
    return gettext("The move that waits for a decision is withdrawn.") if pending_request(deal) else ""
