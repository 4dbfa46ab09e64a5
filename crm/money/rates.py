"""What currencies are worth on a day: reading the dated rates, and writing them.

A rate holds from its day until the next one. A day before the first rate has none: nothing is ever guessed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from crm.money.models import Currency, Rate, RateChange, default_currency
from crm.money.rounding import round_money
from crm.money.signals import rates_changed

MILLION = Decimal(1_000_000)


def rates_on(day: date) -> dict[str, Decimal]:
    """{currency: what one unit is worth in the company's}, without those that have no rate yet. One query."""
    latest = (
        Rate.objects.filter(currency=OuterRef("pk"), date__lte=day).order_by("-date").values("millionths")
    )
    rows = Currency.objects.annotate(millionths=Subquery(latest[:1])).values_list("pk", "millionths")
    found = {code: Decimal(millionths) / MILLION for code, millionths in rows if millionths is not None}
    return {**found, default_currency(): Decimal(1)}


class RateTable:
    """All rates of some currencies, for converting amounts of many days. One query, none for the company's own."""

    def __init__(self, currencies: Iterable[str]) -> None:
        self.own = default_currency()
        self.days: dict[str, list[date]] = {}
        self.rates: dict[str, list[Decimal]] = {}
        foreign = set(currencies) - {self.own}
        rows = Rate.objects.filter(currency__in=foreign).order_by("date") if foreign else Rate.objects.none()
        for code, day, millionths in rows.values_list("currency_id", "date", "millionths"):
            self.days.setdefault(code, []).append(day)
            self.rates.setdefault(code, []).append(Decimal(millionths) / MILLION)

    def convert(self, amount: Decimal | None, currency: str, day: date) -> Decimal | None:
        """The amount in the company's currency; None for no amount and for a day without a rate."""
        if amount is None or currency == self.own:
            return amount
        place = bisect_right(self.days.get(currency, []), day)
        return round_money(amount * self.rates[currency][place - 1], self.own) if place else None


@transaction.atomic
def set_rates(*, rates: dict[tuple[str, date], Decimal], by=None) -> int:
    """Writes {(currency, day): rate}, over what is there, on record; returns how many differ. Tells `rates_changed`.

    `by`: None where nobody did it, such as a set-up.
    """
    codes = {code for code, _day in rates}
    present = {
        (rate.currency_id, rate.date): rate
        for rate in Rate.objects.filter(currency__in=codes, date__in={day for _code, day in rates})
    }
    wanted = {key: int((value * MILLION).to_integral_value()) for key, value in rates.items()}
    changed = {
        key: value for key, value in wanted.items() if key not in present or present[key].millionths != value
    }
    for (code, day), millionths in changed.items():
        Rate.objects.update_or_create(currency_id=code, date=day, defaults={"millionths": millionths})
    RateChange.objects.bulk_create(
        RateChange(
            currency_id=key[0],
            date=key[1],
            old=present[key].millionths if key in present else None,
            new=new,
            by=by,
        )
        for key, new in sorted(changed.items())
    )
    for code in {code for code, _day in changed}:
        since = min(day for other, day in changed if other == code)
        rates_changed.send(Rate, currency=code, since=since)
    return len(changed)


@transaction.atomic
def remove_rate(*, rate: Rate, by=None) -> None:
    """Takes a rate away, on record: from its day on the one before holds, if there is one."""
    if not Rate.objects.filter(pk=rate.pk).delete()[0]:
        return
    RateChange.objects.create(currency_id=rate.currency_id, date=rate.date, old=rate.millionths, by=by)
    rates_changed.send(Rate, currency=rate.currency_id, since=rate.date)


def today_rates() -> dict[str, Decimal]:
    return rates_on(timezone.localdate())
