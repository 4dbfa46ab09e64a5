"""Products with a price, and lines of deals, made through the services."""

from decimal import Decimal

from crm.money.models import default_currency
from deals.catalogue import create_product, set_prices
from deals.models import Price, PriceList, Product, TaxRate


def make_tax_rate(percent: str = "23", *, is_default: bool = True) -> TaxRate:
    return TaxRate.objects.get_or_create(
        name=f"{percent} %", defaults={"percent": Decimal(percent), "is_default": is_default}
    )[0]


def make_price_list(name: str = "Catalogue", currency: str | None = None, **values) -> PriceList:
    defaults = {"currency_id": currency or default_currency(), **values}
    return PriceList.objects.get_or_create(name=name, defaults=defaults)[0]


def make_product(
    by, name: str = "Pallet rack", *, price: str | None = "100", price_list=None, **values
) -> Product:
    """A product of 23 %, on the price list unless its price is None."""
    values = {"unit": "pc", "tax_rate": make_tax_rate(), **values, "name": name}
    product = create_product(values=values, by=by)
    if price is not None:
        set_prices(product=product, amounts={(price_list or make_price_list()).pk: Decimal(price)}, by=by)
    return product


def price_on(product: Product, price_list: PriceList) -> Decimal | None:
    return (
        Price.objects.filter(product=product, price_list=price_list).values_list("amount", flat=True).first()
    )
