"""Demo products on two price lists, and lines of demo deals."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from random import Random

from django.utils import timezone

from crm.money.models import default_currency
from crm.people.models import User
from crm.web.demo import Demo
from deals.catalogue import create_product, set_prices
from deals.models import (
    Deal,
    DealLine,
    DealStatus,
    Payment,
    PaymentTemplate,
    PriceList,
    Product,
    QuoteTemplate,
    TaxRate,
)
from deals.payments import split
from deals.prices import price_of
from deals.quotes import make_quote
from deals.sums import sum_line, total_of

# code, name, Polish name, unit, price, service
PRODUCTS = [
    ("LP-200", "Packing line LP-200", "Linia pakująca LP-200", "szt.", 148_000),
    ("RM-4", "Pallet rack, 4 levels", "Regał paletowy, 4 poziomy", "szt.", 3_450),
    ("WF-16", "Forklift 1.6 t", "Wózek widłowy 1,6 t", "szt.", 96_500),
    ("KS-30", "Screw compressor 30 kW", "Kompresor śrubowy 30 kW", "szt.", 58_900),
    ("PV-050", "Photovoltaic set 50 kW", "Zestaw fotowoltaiczny 50 kW", "kpl.", 171_000),
    ("TM-7", "Mobile terminal TM-7", "Terminal mobilny TM-7", "szt.", 2_890),
    ("DE-4", "Label printer DE-4", "Drukarka etykiet DE-4", "szt.", 1_950),
    ("WMS-L", "WMS licence, 1 place", "Licencja WMS, 1 stanowisko", "szt.", 1_240),
    ("INT-ERP", "Integration with the ERP", "Integracja z ERP", "godz.", 260),
    ("MON", "Assembly on site", "Montaż na miejscu", "dzień", 2_100),
    ("SRV-12", "Service, 12 months", "Serwis, 12 miesięcy", "kpl.", 9_600),
    ("SZK", "Operators' training", "Szkolenie operatorów", "dzień", 3_200),
]
EURO = Decimal("4.27")
QUOTES = 5


def load(demo: Demo) -> None:
    """The catalogue, kept by marketing."""
    if Product.objects.exists():
        return
    keeper = User.objects.get(username="marketing")
    rate = TaxRate.objects.filter(is_default=True).first()
    own = PriceList.objects.create(
        name=f"Catalogue {demo.today.year}", name_pl=f"Cennik {demo.today.year}", currency_id=default_currency(),
        valid_from=demo.today - timedelta(days=200), position=1,
    )  # fmt: skip
    export = PriceList.objects.create(
        name="Export", name_pl="Eksport", currency_id="EUR", valid_from=demo.today - timedelta(days=90), position=2
    )  # fmt: skip
    for code, name, name_pl, unit, price in PRODUCTS:
        values = {"code": code, "name": name, "name_pl": name_pl, "unit": unit, "tax_rate": rate}
        product = create_product(values=values, by=keeper)
        amounts = {own.pk: Decimal(price), export.pk: (price / EURO).quantize(Decimal(1))}
        set_prices(product=product, amounts=amounts, by=keeper)


def sell(demo: Demo, deal: Deal) -> None:
    """Lines of one to four products on a fresh deal; their sum becomes its amount, which the caller saves."""
    rng = demo.randomness(f"lines of deal {deal.pk}")
    products = list(Product.objects.select_related("tax_rate").order_by("pk"))
    lines = [_line(rng, deal, product) for product in rng.sample(products, rng.randint(1, 4))]
    for line in lines:
        line.net, line.tax = sum_line(line, deal.currency_id)
    DealLine.objects.bulk_create(lines)
    deal.amount = total_of(lines).net


def _line(rng: Random, deal: Deal, product: Product) -> DealLine:
    price = price_of(product, deal.currency_id, timezone.localdate())
    return DealLine(
        deal=deal, product=product, name=product.name_pl, unit=product.unit, unit_price=price,
        quantity=Decimal(rng.choice([1, 1, 2, 3, 5])), discount=Decimal(rng.choice([0, 0, 0, 5, 10])),
        tax_rate=product.tax_rate, tax_percent=product.tax_rate.percent if product.tax_rate else Decimal(0),
    )  # fmt: skip


def bill(demo: Demo, deal: Deal) -> None:
    """Payments by one of the schedules; of a won deal some have come, some in part, and one or the other is late."""
    rng = demo.randomness(f"payments of deal {deal.pk}")
    shares = list(rng.choice(list(PaymentTemplate.objects.order_by("pk"))).shares.all())
    amounts = split(deal.amount, [share.percent for share in shares], deal.currency_id)
    for place, (share, amount) in enumerate(zip(shares, amounts, strict=True)):
        day = deal.close_date + timedelta(days=share.days)
        has_come = deal.status == "won" and day < demo.today and rng.random() < 0.8
        is_invoiced = has_come or day < demo.today or (deal.status == "won" and rng.random() < 0.4)
        half = (amount / 2).quantize(Decimal("0.01")) if place and rng.random() < 0.3 else amount
        Payment.objects.create(
            deal=deal, name=share.name_pl, planned_date=day, amount=amount, is_invoiced=is_invoiced,
            invoice_number=f"FV/{deal.pk}/{place + 1}/{day.year}" if is_invoiced else "",
            received_date=day if has_come else None, received_amount=half if has_come else None,
        )  # fmt: skip


def promise(demo: Demo, deal: Deal) -> None:
    """One payment more of a won deal, a part of which has come before its day."""
    Payment.objects.create(
        deal=deal, name="Usługi dodatkowe", planned_date=demo.today + timedelta(days=21), amount=Decimal(6_000),
        is_invoiced=True, invoice_number=f"FV/{deal.pk}/9/{demo.today.year}", received_date=demo.today,
        received_amount=Decimal(2_500),
    )  # fmt: skip


def quote(demo: Demo, deals: list[Deal]) -> None:
    """Quotes of some running deals with lines, drawn from the templates in turn."""
    templates = list(QuoteTemplate.objects.order_by("pk"))
    sold = [deal for deal in deals if deal.status == DealStatus.ACTIVE and deal.lines.exists()]
    for deal, template in zip(sold[:QUOTES], cycle(templates), strict=False):
        valid_until = demo.today + timedelta(days=template.valid_days)
        make_quote(deal=deal, template=template, valid_until=valid_until, by=deal.owner)
