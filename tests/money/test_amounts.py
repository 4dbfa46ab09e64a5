"""Amounts: as people type them, as both databases keep them, as readers see them."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from crm.money.fields import LIMIT, from_hundredths, to_hundredths, typed_amount
from crm.money.format import show_money


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("1234", "1234"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,5", "1234.5"),
        ("12,500.50", "12500.50"),
        ("12.500,50", "12500.50"),
        ("1.234.567", "1234567"),
        ("1'000", "1000"),
        ("0,5", "0.5"),
        ("-3,20", "-3.20"),
    ],
)
def test_typed_amount_reads_either_decimal_sign(typed, plain):
    assert typed_amount(typed) == plain


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_hundredths_come_back_exactly(hundredths):
    assert to_hundredths(from_hundredths(hundredths)) == hundredths


def test_halves_are_rounded_away_from_zero():
    assert to_hundredths(Decimal("1.005")) == 101
    assert to_hundredths(Decimal("-1.005")) == -101


@pytest.mark.parametrize("amount", [LIMIT + 1, Decimal("NaN"), Decimal("Infinity")])
def test_amounts_beyond_the_limit_are_refused(amount):
    with pytest.raises(ValidationError):
        to_hundredths(amount)


def test_amounts_are_shown_in_the_readers_language():
    with override("pl"):
        assert show_money(Decimal("12500.50"), "PLN") == "12\u00a0500,50\u00a0zł"
        assert show_money(None, "PLN") == ""
    with override("en"):
        assert show_money(Decimal("12500.00"), "EUR") == "12,500\u00a0€"
