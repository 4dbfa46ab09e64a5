"""The list of deals: its columns, filters and tabs."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.lists import COUNT_CAP, Column, Filter, RecordList
from deals.models import Deal, DealStatus
from deals.selectors import FilterChoices, filter_choices

ALL = "all"


class DealList(RecordList):
    """One page of deals. Open ones unless another tab is asked for; `all` shows every status."""

    model = Deal
    columns = [
        Column("name", _("Name"), "sort_key"),
        Column("counterparty", _("Counterparty")),
        Column("stage", _("Stage")),
        Column("amount", _("Amount"), "amount", "money"),
        Column("close_date", _("Close date"), "close_date", "date"),
        Column("next", _("Next step")),
        Column("stage_since", _("Since"), "stage_since", "date"),
        Column("owner", _("Owner"), kind="person"),
    ]
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
        if not params.get("sort") and self._sortable(sort):
            self.sort = sort
        self.tab = params.get("tab") or DealStatus.ACTIVE

    @cached_property
    def choices(self) -> FilterChoices:
        return filter_choices()

    @property
    def filters(self) -> list[Filter]:
        return [
            Filter(
                "owner",
                _("Owner"),
                lambda user: self.choices.owners,
                lambda value, user: Q(owner_id=int(value)),
            ),
            Filter(
                "stage",
                _("Stage"),
                lambda user: self.choices.stages,
                lambda value, user: Q(stage_id=int(value)),
            ),
            Filter(
                "type",
                _("Deal type"),
                lambda user: self.choices.types,
                lambda value, user: Q(deal_type_id=int(value)),
            ),
        ]

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

    def joined(self, rows):
        return rows.select_related("counterparty", "stage", "owner")

    @property
    def is_filtered(self) -> bool:
        """The first tab is where one starts, not a filter."""
        return bool(self.query or any(active.value for active in self.active_filters))
