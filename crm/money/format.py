"""Amounts as people read them."""

from decimal import Decimal

from babel.numbers import format_currency
from django.utils.translation import get_language


def show_money(amount: Decimal | None, currency: str, *, cents: bool | None = None) -> str:
    """`12 500 zł` or `12,500 zł` by the reader's language; cents only where there are any. Empty for None."""
    if amount is None:
        return ""
    whole = amount == amount.to_integral_value()
    digits = not whole if cents is None else cents
    locale = "pl" if (get_language() or "").startswith("pl") else "en_GB"
    pattern = "#,##0.00\u00a0¤" if digits else "#,##0\u00a0¤"
    return format_currency(amount, currency, pattern, locale=locale, currency_digits=False)
