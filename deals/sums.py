"""What lines come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from crm.money.rounding import round_money
from deals.models import AmountBasis, DealLine

HUNDRED = Decimal(100)


def sum_line(line: DealLine, currency: str) -> tuple[Decimal, Decimal]:
    """(without tax, tax) of one line.

    Every line is rounded on its own, halves away from zero, to the minor unit of the currency: first
    quantity × unit price − discount, then the tax on that rounded amount. Sums of lines are sums of rounded
    amounts, so that a page, a quote and an invoice written line by line agree to the last grosz.
    """
    net = round_money(line.quantity * line.unit_price * (HUNDRED - line.discount) / HUNDRED, currency)
    return net, round_money(net * line.tax_percent / HUNDRED, currency)


@dataclass
class Totals:
    """Of several lines. `by_rate`: {percentage: (without tax, tax)}, the highest first."""

    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    by_rate: dict[Decimal, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def amount(self, basis: str) -> Decimal:
        """What the deal is worth, by the company's choice."""
        return self.gross if basis == AmountBasis.GROSS else self.net


def total_of(lines: Iterable[DealLine]) -> Totals:
    """The sums of lines that have been summed up one by one."""
    found = Totals()
    for line in sorted(lines, key=lambda one: -one.tax_percent):
        found.net += line.net
        found.tax += line.tax
        net, tax = found.by_rate.get(line.tax_percent, (Decimal(0), Decimal(0)))
        found.by_rate[line.tax_percent] = (net + line.net, tax + line.tax)
    return found
