"""Rounding to what can be paid: the currency's smallest unit."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

# Amounts are kept in hundredths, whatever the currency.
_FINEST = 2


def round_money(amount: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit, halves away from zero: 2 places for PLN, none for JPY; never finer than 0.01."""
    places = min(get_currency_precision(currency), _FINEST)
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
