"""The calendar of close dates: which active deals are to close on which day of a month, and what they are worth."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum

from crm.people.fields import mask
from deals.models import Deal, DealStatus

SHOWN = 4
MOST_DEALS = 1000


@dataclass
class DaySums:
    """How many deals, what they are worth in the company's currency, and how many of them have no rate."""

    count: int = 0
    worth: Decimal = Decimal(0)
    unrated: int = 0

    def add(self, other: DaySums) -> None:
        self.count += other.count
        self.worth += other.worth
        self.unrated += other.unrated


@dataclass
class CloseDay:
    """One day: its sums, and the first of its deals."""

    day: date
    is_in_month: bool
    sums: DaySums = field(default_factory=DaySums)
    deals: list[Deal] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.sums.count - len(self.deals)


@dataclass
class CloseMonth:
    """Whole weeks around a month; `sums` are those of the month's own days."""

    first: date
    weeks: list[list[CloseDay]]
    sums: DaySums = field(default_factory=DaySums)

    @property
    def previous(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def next(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def days(self) -> Iterable[CloseDay]:
        return (day for week in self.weeks for day in week)


def month_of(user, first: date, owner_id: int | None = None) -> CloseMonth:
    """The month that begins on `first`, as the reader may see it. Two queries."""
    weeks = [
        [CloseDay(day, day.month == first.month) for day in week]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]
    month = CloseMonth(first, weeks)
    span = Q(close_date__range=(weeks[0][0].day, weeks[-1][-1].day), status=DealStatus.ACTIVE)
    deals = Deal.objects.visible_to(user).filter(span)
    deals = deals.filter(owner_id=owner_id) if owner_id else deals
    _add_sums(month, deals, is_blind="amount" in user.access.hidden_fields(Deal))
    _add_deals(month, deals, user)
    return month


def _add_sums(month: CloseMonth, deals, *, is_blind: bool) -> None:
    by_day = {one.day: one for one in month.days}
    rows = deals.order_by().values_list("close_date").annotate(
        Count("pk"), Sum("worth"), unrated=Count("amount") - Count("worth")
    )  # fmt: skip
    for day, count, worth, unrated in rows:
        sums = DaySums(count) if is_blind else DaySums(count, worth or Decimal(0), unrated)
        by_day[day].sums = sums
        if by_day[day].is_in_month:
            month.sums.add(sums)


def _add_deals(month: CloseMonth, deals, user) -> None:
    by_day = {one.day: one for one in month.days}
    rows = list(deals.select_related("counterparty", "stage").order_by("close_date", "pk")[:MOST_DEALS])
    mask(user, rows)
    for deal in rows:
        day = by_day[deal.close_date]
        if len(day.deals) < SHOWN:
            day.deals.append(deal)
