"""What deals are worth in the company's currency.

An open deal is counted at today's rate, a closed one at that of the day it was closed. Without a rate of that day
`worth` is empty, which pages say; it is never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils import timezone

from crm.money.rates import RateTable
from crm.people.many_rows import update_rows
from deals.models import Deal


def refresh_worth(deals: Iterable[Deal]) -> int:
    """Writes what these deals are worth, in one statement; returns how many differ. Not an edit: no new version."""
    rows = list(deals)
    table = RateTable(deal.currency_id for deal in rows)
    changed = {}
    for deal in rows:
        worth = table.convert(deal.amount, deal.currency_id, _day(deal))
        if worth != deal.worth:
            deal.worth = worth
            changed[deal.pk] = (worth,)
    update_rows(Deal, ("worth",), changed)
    return len(changed)


def _day(deal: Deal) -> date:
    return (
        timezone.localdate() if deal.is_open or deal.closed_at is None else timezone.localdate(deal.closed_at)
    )
