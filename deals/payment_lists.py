"""The list of payments of all deals: who owes what, since when, and what has come."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from crm.listing.counting import capped_counts
from crm.listing.fields import Field
from crm.listing.lists import COUNT_CAP, RecordList
from crm.people.search import matching
from deals.models import Deal, DealStatus, Payment
from deals.models.payments import STILL_OPEN
from deals.payments import edit_payment

PAYMENT = "deals.payment"
ALL = "all"

FIELDS = (
    Field("deal", _("Deal"), path="deal__name", get=lambda payment: payment.deal.name),
    Field("number", _("Number"), path="deal__number"),
    Field("counterparty", _("Counterparty"), path="deal__counterparty__name"),
    Field("name", _("What for")),
    Field("status", _("Status"), computed=True, get=lambda payment: str(payment.status.label)),
    Field("planned_date", _("Planned for"), "date", sort="planned_date"),
    Field("amount", _("Amount"), "money", sort="amount"),
    Field("open", _("Still to come"), "money", computed=True, get=lambda payment: payment.open_amount),
    Field("currency", _("Currency"), path="deal__currency_id"),
    Field("received_date", _("Received on"), "date", sort="received_date", editable=True),
    Field("received_amount", _("Received"), "money", editable=True),
    Field("is_invoiced", _("Invoiced"), "bool", editable=True),
    Field("invoice_number", _("Invoice")),
    Field("owner", _("Owner"), "person", path="deal__owner"),
    Field("deal_status", _("Deal is"), "choice", path="deal__status", pairs=tuple(DealStatus.choices)),
)


class PaymentList(RecordList):
    """One page of payments, the oldest first. Of lost deals nothing is due or late any more."""

    model = Payment
    url_name = "deals:payment_list"
    fields = FIELDS
    default_columns = (
        "deal", "counterparty", "planned_date", "amount", "status", "received_date", "received_amount", "owner",
    )  # fmt: skip
    quick = ("owner",)
    default_sort = "planned_date"
    is_searched = True
    tabs = [
        ("overdue", _("Late")),
        ("due", _("Upcoming")),
        ("received", _("Received")),
        (ALL, _("All")),
    ]

    def __init__(self, user, params):
        super().__init__(user, params)
        self.tab = self.params.get("tab") if self.params.get("tab") in dict(self.tabs) else "overdue"
        if self.tab == "received" and not self.params.get("sort"):
            self.sort = "-received_date"

    def search(self, rows: QuerySet) -> QuerySet:
        """By the deal's name or number, its counterparty, or the number of the invoice."""
        deals = Deal.objects.filter(matching(self.query, self.user, Deal)).values("pk")
        return rows.filter(Q(deal__in=deals) | Q(invoice_number__icontains=self.query))

    @property
    def _conditions(self) -> dict[str, Q]:
        today, alive = timezone.localdate(), ~Q(deal__status=DealStatus.LOST)
        return {
            "overdue": STILL_OPEN & alive & Q(planned_date__lt=today),
            "due": STILL_OPEN & alive & Q(planned_date__gte=today),
            "received": Q(received_date__isnull=False) & ~STILL_OPEN,
        }

    @cached_property
    def matching_rows(self) -> QuerySet:
        return self.filtered.filter(self._conditions.get(self.tab, Q()))

    @cached_property
    def counts(self) -> list[tuple[str, str, int]]:
        """(value, label, count) of every tab. One query."""
        rows = self.filtered.order_by()
        parts = [(key, rows.filter(self._conditions.get(key, Q()))) for key, _label in self.tabs]
        found = capped_counts(parts, COUNT_CAP + 1)
        return [(key, label, found[key]) for key, label in self.tabs]

    def tab_counts(self) -> list[tuple[str, str, int]]:
        return self.counts

    @property
    def count(self) -> int:
        """Taken from the tabs' counts: no query of its own."""
        return {key: count for key, _label, count in self.counts}[self.tab]

    @property
    def is_filtered(self) -> bool:
        """The first tab is where one starts, not a filter."""
        return bool(self.query or self.conditions or any(active.value for active in self.active_filters))

    def joined(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("deal__counterparty", "deal__owner")

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_payment(payment=record, **changes)
