"""The list of deals: its fields, filters and tabs."""

from __future__ import annotations

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.fields import TAGS, Field, next_step
from crm.listing.lists import COUNT_CAP, ReadyView, RecordList
from deals import many
from deals.attention import ask_overridden, ask_stuck, ask_waits_for, holder_names, is_stuck, with_moves
from deals.competitors import ask_competitors, competitor_names
from deals.models import Competitor, Deal, DealStatus, DealType, LossReason, OutcomeReason
from deals.services import edit_deal
from funnel.models import Stage

ALL = "all"

FIELDS = (
    Field("name", _("Name"), sort="sort_key"),
    Field("number", _("Number")),
    Field("counterparty", _("Counterparty"), path="counterparty__name", joins=("counterparty",)),
    Field("type", _("Deal type"), "record", path="deal_type", dictionary=DealType, joins=("deal_type",),
          offered={"is_active": True}),
    Field("stage", _("Stage"), "record", dictionary=Stage, joins=("stage",), group="funnel__key",
          offered={"is_active": True, "funnel__is_active": True}),
    Field("status", _("Status"), "choice", pairs=tuple(DealStatus.choices)),
    Field("amount", _("Amount"), "money", sort="amount", editable=True),
    Field("worth", _("In the company's currency"), "money", sort="worth"),
    Field("currency", _("Currency"), path="currency_id"),
    Field("close_date", _("Close date"), "date", sort="close_date", editable=True),
    Field("close_date_slips", _("Times put off"), "number"),
    next_step("deals.deal"),
    Field("waits_for", _("Move waits for"), "person", computed=True, get=holder_names, ask=ask_waits_for),
    Field("stuck", _("Stuck"), "bool", computed=True, get=is_stuck, ask=ask_stuck, joins=("stage",)),
    Field("overridden", _("Ahead of its proof"), "bool", computed=True, get=lambda deal: deal.is_overridden,
          ask=ask_overridden, joins=("stage", "proven_stage")),
    TAGS,
    Field("stage_since", _("Since"), "moment", sort="stage_since"),
    Field("postponed_until", _("Postponed until"), "date"),
    Field("loss_reason", _("Reason of loss"), "record", dictionary=LossReason, joins=("loss_reason",)),
    Field("outcome_reason", _("Reason of winning or postponing"), "record", dictionary=OutcomeReason,
          joins=("outcome_reason",), group="outcome"),
    Field("competitors", _("Competitors"), "records", dictionary=Competitor, computed=True, get=competitor_names,
          ask=ask_competitors),
    Field("owner", _("Owner"), "person", joins=("owner",)),
    Field("created_at", _("Added"), "moment", sort="id"),
    Field("updated_at", _("Changed"), "moment"),
    Field("closed_at", _("Closed"), "moment"),
)  # fmt: skip


READY = (
    ReadyView("waiting", _("Waiting for me"), "f=waits_for:any:me"),
    ReadyView("stuck", _("Stuck"), "f=stuck:yes"),
    ReadyView("overridden", _("Ahead of their proof"), "f=overridden:yes"),
    ReadyView("idle", _("Without next step"), "f=next:empty"),
)


class DealList(RecordList):
    """One page of deals. Open ones unless another tab is asked for; `all` shows every status."""

    model = Deal
    url_name = "deals:deal_list"
    fields = FIELDS
    default_columns = (
        "name", "counterparty", "stage", "amount", "close_date", "next", "stage_since", "owner",
    )  # fmt: skip
    quick = ("owner", "stage", "type")
    default_sort = "-id"
    pages = {"board": "deals:deal_board"}
    ready = READY
    tab_field = "status"
    tabs = [
        (DealStatus.ACTIVE, _("Active")),
        (DealStatus.POSTPONED, _("Postponed")),
        (DealStatus.WON, _("Won")),
        (DealStatus.LOST, _("Lost")),
    ]

    def __init__(self, user, params, *, sort: str = ""):
        super().__init__(user, params)
        if not self.params.get("sort") and self._sortable(sort):
            self.sort = sort
        self.tab = self.params.get("tab") or DealStatus.ACTIVE

    def joined(self, rows):
        if any(one.key == "competitors" for one in self.columns):
            rows = rows.prefetch_related("competitors__competitor")
        return with_moves(rows) if any(one.key in {"stuck", "waits_for"} for one in self.columns) else rows

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_deal(deal=record, **changes)

    many_fields = many.FIELDS
    edit_many = staticmethod(many.edit_deals)

    @cached_property
    def counts(self) -> list[tuple[str, str, int]]:
        """(value, label, count) of every tab, and of all together. One query."""
        rows = self.tab_counts()
        return [*rows, (ALL, _("All"), sum(count for *_rest, count in rows))]

    @property
    def count(self) -> int:
        """Taken from the tabs' counts: no query of its own."""
        found = {str(value): count for value, _label, count in self.counts}
        return min(found.get(str(self.tab), found[ALL]), COUNT_CAP + 1)

    @property
    def is_filtered(self) -> bool:
        """The first tab is where one starts, not a filter."""
        return bool(self.query or self.conditions or any(active.value for active in self.active_filters))


class BoardList(DealList):
    """The filters and saved views of the list, asked of a board: running deals, laid out as `group` says."""

    quick = ("owner", "type")

    def __init__(self, user, params):
        given = params.copy() if isinstance(params, QueryDict) else QueryDict(mutable=True)
        funnel = given.get("funnel", "")
        for name in ("funnel", "after", "ids", "as", "column", "shown"):
            given.pop(name, None)
        if not given:
            # A board without filters shows everything: the default view is the list's.
            given["view"] = "0"
        super().__init__(user, given)
        self.params = self.params.copy()
        self.params["as"], self.params["funnel"] = "board", funnel

    @property
    def query_string(self) -> str:
        """The filters alone: what the board's script, its further tiles and the dialogs of filters send."""
        params = QueryDict(super().query_string, mutable=True)
        for name in ("tab", "ids", "cols", "sort"):
            params.pop(name, None)
        return params.urlencode()
