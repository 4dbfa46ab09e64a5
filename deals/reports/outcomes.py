"""Why deals were won, lost and set aside in a period, with counts and money; and whom they were up against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from crm.listing.periods import span, start_of
from crm.people.names import localised
from deals.models import Deal, DealCompetitor, DealStatus

PERIODS = ("this_month", "last_month", "this_quarter", "this_year", "last_year")


@dataclass(frozen=True)
class ReasonLine:
    """One reason or competitor. `share`: of the deals of its table, in per cent; `query` opens these deals."""

    label: str
    count: int
    worth: Decimal | None
    share: int
    query: str
    won: int = 0


@dataclass(frozen=True)
class Outcomes:
    won: list[ReasonLine]
    lost: list[ReasonLine]
    postponed: list[ReasonLine]
    competitors: list[ReasonLine]


def read_outcomes(user, period: str) -> Outcomes:
    """What the reader may see of it; four queries. Set-aside deals are counted as they stand today."""
    first, end = span(period)
    deals = Deal.objects.visible_to(user).order_by()
    closed = deals.filter(closed_at__gte=start_of(first), closed_at__lt=start_of(end))
    sees_money = "amount" not in user.access.hidden_fields(Deal)
    won, lost = closed.filter(status=DealStatus.WON), closed.filter(status=DealStatus.LOST)
    within = f"f=closed_at:period:{period}"
    return Outcomes(
        _lines(won, "outcome_reason", f"tab=won&{within}", sees_money),
        _lines(lost, "loss_reason", f"tab=lost&{within}", sees_money),
        _lines(deals.filter(status=DealStatus.POSTPONED), "outcome_reason", "tab=postponed", sees_money),
        _competitors(closed, within, sees_money),
    )


def _lines(deals, column: str, query: str, sees_money: bool) -> list[ReasonLine]:
    rows = list(
        deals.values_list(f"{column}_id", f"{column}__name", f"{column}__name_pl").annotate(
            count=Count("pk"), worth=Sum("worth")
        )
    )
    whole = sum(row[3] for row in rows)
    found = [
        ReasonLine(
            localised(name, name_pl) if pk else "", count, worth if sees_money else None, round(100 * count / whole),
            f"{query}&f={column}:any:{pk}" if pk else f"{query}&f={column}:empty",
        )
        for pk, name, name_pl, count, worth in rows
    ]  # fmt: skip
    return sorted(found, key=lambda line: (-line.count, line.label))


def _competitors(closed, within: str, sees_money: bool) -> list[ReasonLine]:
    rows = list(
        DealCompetitor.objects.filter(deal__in=closed.values("pk")).order_by()
        .values_list("competitor_id", "competitor__name", "competitor__name_pl")
        .annotate(count=Count("pk"), worth=Sum("deal__worth"), won=Count("pk", filter=Q(has_won=True)))
    )  # fmt: skip
    found = [
        ReasonLine(
            localised(name, name_pl), count, worth if sees_money else None, round(100 * won / count),
            f"tab=all&{within}&f=competitors:any:{pk}", won,
        )
        for pk, name, name_pl, count, worth, won in rows
    ]  # fmt: skip
    return sorted(found, key=lambda line: (-line.count, line.label))
