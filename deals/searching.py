"""The name of the counterparty in a deal's search text, when counterparties are merged or parted again."""

from __future__ import annotations

from django.db.models import F, Value
from django.db.models.functions import Concat, Left, Length

from counterparties.matching.models import Merge
from counterparties.models import Counterparty
from crm.people.folding import fold
from deals.models import Deal


def moved_deals(merge: Merge) -> dict[int, list[int]]:
    """{id of the merged counterparty: ids of the deals that moved from it}."""
    found: dict[int, list[int]] = {}
    for step in merge.steps.filter(model="deals.deal", column="counterparty_id"):
        for pk, former in step.rows:
            found.setdefault(former, []).append(pk)
    return found


def rename_counterparty(pks: list[int], former: str, counterparty: Counterparty) -> None:
    """Deals `pks` are found by the name of `counterparty` instead of `former`; two statements for all of them."""
    old, new = fold(former), fold(counterparty.name)
    rows = Deal.objects.filter(pk__in=pks, counterparty=counterparty)
    if old != new:
        rows.filter(search_text__endswith=f" {old}").update(
            search_text=Concat(Left(F("search_text"), Length(F("search_text")) - len(old)), Value(new))
        )
    for deal in rows.exclude(search_text__endswith=f" {new}"):
        deal.refresh_search()
        Deal.objects.filter(pk=deal.pk).update(search_text=deal.search_text)
