"""What hangs on a whole company's deals: lines of every third one, payments of the won ones."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from crm.web.demo import Demo
from deals.models import Deal, DealLine, DealStatus, Payment, PaymentTemplate, Price, Product
from deals.payments import split
from deals.sums import sum_line

EVERY = 3
LATE_DAYS = 45
"""What was promised longer ago has come, but for a few."""


class Rows:
    """The tables, the catalogue with its prices by currency, and the schedules."""

    def __init__(self, demo: Demo) -> None:
        self.demo, self.rng = demo, demo.randomness("rows of deals")
        self.lines = demo.bulk.table(
            DealLine,
            "deal_id product_id name unit quantity unit_price discount tax_rate_id tax_percent net tax",
        )
        self.payments = demo.bulk.table(
            Payment,
            "deal_id name planned_date amount is_invoiced invoice_number received_date received_amount",
        )
        self.products = list(Product.objects.select_related("tax_rate").order_by("pk"))
        self.prices = {
            (product, currency): amount
            for product, currency, amount in Price.objects.values_list(
                "product_id", "price_list__currency", "amount"
            )
        }
        templates = PaymentTemplate.objects.prefetch_related("shares").order_by("pk")
        self.schedules = [list(one.shares.all()) for one in templates]

    def sell(self, deal: Deal, pk: int) -> None:
        """Every third deal is of lines: the one that will be `pk` gets them, and their sum as its amount."""
        if pk % EVERY:
            return
        total = Decimal(0)
        for product in self.rng.sample(self.products, self.rng.choice((1, 1, 2, 3))):
            line = self._line(deal, product)
            net, tax = sum_line(line, deal.currency_id)
            self.lines.add(
                pk, product.pk, line.name, line.unit, line.quantity, line.unit_price, line.discount,
                line.tax_rate_id, line.tax_percent, net, tax,
            )  # fmt: skip
            total += net
        deal.amount = total

    def _line(self, deal: Deal, product: Product) -> DealLine:
        rate = product.tax_rate
        return DealLine(
            name=product.name_pl, unit=product.unit, quantity=Decimal(self.rng.choice((1, 1, 1, 2, 3, 5))),
            unit_price=self.prices[product.pk, deal.currency_id], discount=Decimal(self.rng.choice((0, 0, 0, 5, 10))),
            tax_rate_id=rate.pk if rate else None, tax_percent=rate.percent if rate else Decimal(0),
        )  # fmt: skip

    def bill(self, deal: Deal) -> None:
        """The schedule of a won deal: old payments have come, later ones wait, some are late or came in part."""
        if deal.status != DealStatus.WON:
            return
        shares = self.rng.choice(self.schedules)
        amounts = split(deal.amount, [share.percent for share in shares], deal.currency_id)
        for place, (share, amount) in enumerate(zip(shares, amounts, strict=True), start=1):
            day = deal.close_date + timedelta(days=share.days + 14)
            came, received = self._receipt(day, amount)
            is_invoiced = day < self.demo.today + timedelta(days=14)
            number = f"FV/{deal.pk}/{place}/{day.year}" if is_invoiced else ""
            self.payments.add(deal.pk, share.name_pl, day, amount, is_invoiced, number, came, received)

    def _receipt(self, day: date, amount: Decimal) -> tuple[date | None, Decimal | None]:
        today = self.demo.today
        if day >= today or self.rng.random() < (0.3 if day > today - timedelta(days=LATE_DAYS) else 0.004):
            return None, None
        came = min(day + timedelta(days=self.rng.randint(-3, 9)), today)
        return came, (amount / 2).quantize(Decimal("0.01")) if self.rng.random() < 0.02 else amount
