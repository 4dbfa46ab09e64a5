"""What products cost on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Q

from deals.models import Price, PriceList, Product


def lists_on(day: date, currency: str):
    """The price lists of the currency that are good on the day."""
    begun = Q(valid_from=None) | Q(valid_from__lte=day)
    lasting = Q(valid_to=None) | Q(valid_to__gte=day)
    return PriceList.objects.filter(begun, lasting, is_active=True, currency_id=currency)


def prices_on(day: date, currency: str, products: Iterable[int]) -> dict[int, Decimal]:
    """{product: its price without tax}, from the list that began last; of two, the first in their order. One query."""
    found = Price.objects.filter(product__in=list(products), price_list__in=lists_on(day, currency))
    rows = sorted(
        found.values_list(
            "product_id", "amount", "price_list__valid_from", "price_list__position", "price_list_id"
        ),
        key=lambda row: (row[2] or date.min, -row[3], -row[4]),
    )
    return {product: amount for product, amount, *_rest in rows}


def price_of(product: Product, currency: str, day: date) -> Decimal | None:
    return prices_on(day, currency, [product.pk]).get(product.pk)
