"""The list of deals: its fields, filters and tabs."""

from __future__ import annotations

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.fields import TAGS, Field
from crm.listing.lists import COUNT_CAP, RecordList
from deals import many
from deals.models import Deal, DealStatus, DealType, LossReason
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
    Field("next", _("Next step"), computed=True),
    TAGS,
    Field("stage_since", _("Since"), "moment", sort="stage_since"),
    Field("postponed_until", _("Postponed until"), "date"),
    Field("loss_reason", _("Reason of loss"), "record", dictionary=LossReason, joins=("loss_reason",)),
    Field("owner", _("Owner"), "person", joins=("owner",)),
    Field("created_at", _("Added"), "moment", sort="id"),
    Field("updated_at", _("Changed"), "moment"),
    Field("closed_at", _("Closed"), "moment"),
)  # fmt: skip


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
