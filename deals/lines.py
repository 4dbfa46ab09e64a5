"""A deal's lines: products and free texts whose sum is the deal's amount."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.money.fields import LIMIT
from crm.money.format import show_money
from deals.models import Deal, DealLine, DealSettings, Product, TaxRate
from deals.parts import Part, add_row
from deals.prices import price_of
from deals.sums import sum_line, total_of

LINES_EVENT = "deal_lines_changed"


def _describe(line: DealLine) -> str:
    price = show_money(line.unit_price, line.deal.currency_id)
    discount = f" −{line.discount.normalize():f} %" if line.discount else ""
    many = f"{line.quantity.normalize():f} {line.unit}".strip()
    return f"{line.name}: {many} × {price}{discount}, tax {line.tax_percent.normalize():f} %"


def _prepare(line: DealLine, changed: set) -> None:
    if "tax_rate" in changed:
        line.tax_percent = line.tax_rate.percent if line.tax_rate else Decimal(0)


def _settle(deal: Deal) -> dict:
    """Sums every line up; the deal's amount follows, and stays as it is once the last line is gone."""
    lines = list(DealLine.objects.filter(deal=deal))
    for line in lines:
        sums = sum_line(line, deal.currency_id)
        if sums != (line.net, line.tax):
            line.net, line.tax = sums
            if line.gross > LIMIT:
                raise ValidationError({"unit_price": _("The amount is too large.")})
            line.save(update_fields=["net", "tax"])
    if not lines:
        return {}
    amount = total_of(lines).amount(DealSettings.read().amount_basis)
    if amount > LIMIT:
        raise ValidationError({"unit_price": _("The amount is too large.")})
    return {"amount": amount}


LINES = Part(
    key="lines", label=gettext_lazy("lines"), model=DealLine, event=LINES_EVENT, describe=_describe,
    columns=("product", "name", "unit", "quantity", "unit_price", "discount", "tax_rate", "tax_percent"),
    prepare=_prepare, settle=_settle,
)  # fmt: skip


def default_tax_rate() -> TaxRate | None:
    return TaxRate.objects.filter(is_default=True, is_active=True).first()


def add_line(
    *, deal: Deal, product: Product | None = None, name: str = "", quantity: Decimal | None = None, unit: str = "",
    unit_price: Decimal | None = None, discount: Decimal | None = None, tax_rate: TaxRate | None = None,
    by, via: str = "",
) -> DealLine:  # fmt: skip
    """A line of a product or of a free text; what is not given comes from the product and the price lists.

    Raises PermissionDenied, ValidationError (keyed by column).
    """
    if product is not None:
        name, unit = name or str(product), unit or product.unit
        tax_rate = tax_rate or product.tax_rate
        if unit_price is None:
            unit_price = price_of(product, deal.currency_id, timezone.localdate())
    if unit_price is None:
        raise ValidationError({"unit_price": _no_price(product, deal)})
    values = {
        "product": product, "name": " ".join(name.split()), "unit": unit, "unit_price": unit_price,
        "quantity": Decimal(1) if quantity is None else quantity, "discount": discount or Decimal(0),
        "tax_rate": tax_rate or default_tax_rate(),
    }  # fmt: skip
    return add_row(part=LINES, deal=deal, values=values, by=by, via=via)


def _no_price(product: Product | None, deal: Deal) -> str:
    if product is None:
        return _("Type a price.")
    return _("“%(product)s” has no price in %(currency)s today. Type one.") % {
        "product": product,
        "currency": deal.currency_id,
    }
