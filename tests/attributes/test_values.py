"""Values of attributes: what is accepted, what is stored, what is shown."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from crm.attributes.models import Attribute
from crm.attributes.values import clean_value, derived_row, python_value, show_value

CHOICES = [["gold", "Gold", "złoty"], ["plain", "Plain", "zwykły"]]


def attribute(kind: str, **options) -> Attribute:
    return Attribute(
        pk=1, key="x", name="X", kind=kind, choices=CHOICES if kind == "choice" else [], **options
    )


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("text", "  Łódź ", "Łódź"),
        ("number", "1 234,5", "1234.5"),
        ("number", Decimal("10.00"), "10"),
        ("money", "1 234,56", 123456),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", date(2026, 2, 28), "2026-02-28"),
        ("choice", "ZŁOTY", "gold"),
        ("bool", "tak", True),
        ("bool", "nie", False),
        ("text", "   ", None),
    ],
)
def test_values_are_stored_in_one_spelling(kind, raw, stored):
    assert clean_value(attribute(kind), raw) == stored


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("number", "abc"),
        ("number", "NaN"),
        ("number", "1e999"),
        ("money", "10000000000000"),
        ("date", "2026-02-30"),
        ("choice", "silver"),
        ("text", "x" * 4001),
    ],
)
def test_wrong_values_are_refused(kind, raw):
    with pytest.raises(ValidationError):
        clean_value(attribute(kind), raw)


def test_a_required_value_may_not_be_empty():
    with pytest.raises(ValidationError):
        clean_value(attribute("text", required=True), "")


def test_values_are_read_back_typed_and_shown():
    assert python_value(attribute("money"), 123456) == Decimal("1234.56")
    assert python_value(attribute("date"), "2026-02-28") == date(2026, 2, 28)
    assert show_value(attribute("choice"), "gold") == "Gold"
    assert show_value(attribute("bool"), True) == "yes"
    assert show_value(attribute("text"), None) == ""


def test_the_derived_row_is_folded_and_typed():
    assert derived_row(attribute("text", unique=True), "k", 1, "Łódź").text == "lodz"
    assert derived_row(attribute("text", unique=True), "k", 1, "Łódź").unique_key == "lodz"
    assert derived_row(attribute("money"), "k", 1, 123456).number == Decimal("1234.56")
    assert derived_row(attribute("date"), "k", 1, "2026-02-28").date == date(2026, 2, 28)
