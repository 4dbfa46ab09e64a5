"""Columns of a counterparty's requisites, addresses and classes, and the fields they become.

What forms check is checked here by the same functions, with the country of the row.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum import iban

from counterparties.cleaning import clean_registry_number, clean_statistical_number
from counterparties.models import Category, Counterparty, Industry, Region
from counterparties.rows import ACCOUNTS, ADDRESSES, MOST_ROWS
from crm.listing.imports.headers import HEADERS, names
from crm.listing.imports.registry import ImportField, Values
from crm.listing.imports.vocabulary import column

MOST_EMPLOYEES = 10_000_000
MESSAGES = {
    "registry_number": _("“%(text)s” is not a court register number: a Polish KRS number has ten digits."),
    "statistical_number": _("“%(text)s” is not a REGON number: check its digits."),
    "accounts": _("“%(text)s” is not a bank account number: check its digits."),
    "employee_count": _("“%(text)s” is not a number of people."),
}
ADDRESS_PARTS = ("street", "postal_code", "city", "country")
# By the kind of a further address: what its columns are called, with the English and Polish words that tell it.
_ADDRESSES = {
    "postal": (
        {
            "street": _("Postal address: street"),
            "postal_code": _("Postal address: code"),
            "city": _("Postal address: city"),
            "country": _("Postal address: country"),
        },
        ("Correspondence", "Correspondence address", "Postal address"),
        ("korespondencyjny", "do korespondencji", "adresu korespondencyjnego"),
    ),
    "delivery": (
        {
            "street": _("Delivery address: street"),
            "postal_code": _("Delivery address: code"),
            "city": _("Delivery address: city"),
            "country": _("Delivery address: country"),
        },
        ("Delivery", "Delivery address", "Shipping", "Shipping address"),
        ("dostawy", "do wysyłki", "wysyłki"),
    ),
}
_ENGLISH_PARTS = {
    "street": names("street, street address"),
    "postal_code": names("postal code, zip, zip code, postcode, zip postal code"),
    "city": names("city, town"),
    "country": names("country, country code"),
}
_POLISH_PARTS = {
    "street": names("Adres, Ulica"),
    "postal_code": names("Kod pocztowy, Kod"),
    "city": names("Miasto, Miejscowość"),
    "country": names("Kraj"),
}


def read_accounts(text: str, country: str) -> list[dict]:
    return ACCOUNTS.clean_rows(text, country)


def read_employees(text: str, country: str) -> int:
    """Also "12 000" and what spreadsheets make of whole numbers, 12.0. Raises ValidationError."""
    digits = "".join(text.split()).removesuffix(".0").removesuffix(",0")
    if not digits.isdecimal() or int(digits[:10]) > MOST_EMPLOYEES:
        raise ValidationError(MESSAGES["employee_count"])
    return int(digits)


def requisite_columns() -> list[ImportField]:
    return [
        _checked("registry_number", _("KRS"), clean_registry_number),
        _checked("statistical_number", _("REGON"), clean_statistical_number),
        _checked("accounts", _("Bank accounts"), read_accounts, joins=True, looks_like=_is_account),
        _checked("employee_count", _("Employees"), read_employees),
        ImportField(
            "industry", _("Industry"), kind="dictionary", dictionary=Industry, aliases=HEADERS["industry"]
        ),
    ]


def _checked(key: str, label, reads, **more) -> ImportField:
    return ImportField(key, label, kind="checked", reads=reads, fault=key, aliases=HEADERS[key], **more)


def _is_account(text: str) -> bool:
    """Twenty-six digits without the country's letters are a Polish account."""
    written = iban.compact(text).upper()
    return iban.is_valid(f"PL{written}" if len(written) == 26 and written.isdecimal() else written)


def address_columns() -> list[ImportField]:
    """The registered address, then further ones by their kind."""
    own = [
        *(column(key) for key in ("address", "postal_code", "city")),
        ImportField("region", _("Region"), kind="dictionary", dictionary=Region, aliases=HEADERS["region"]),
        column("country"),
    ]
    return own + [
        column(
            "address" if part == "street" else part, new_key=f"{kind}_{part}", label=labels[part],
            aliases=_called(english, polish, part), max_length=120, looks_like=None,
        )
        for kind, (labels, english, polish) in _ADDRESSES.items()
        for part in ADDRESS_PARTS
    ]  # fmt: skip


def _called(english: tuple[str, ...], polish: tuple[str, ...], part: str) -> tuple[str, ...]:
    found = [f"{word} {name}" for word in english for name in _ENGLISH_PARTS[part]]
    found += [f"{name} {word}" for word in polish for name in _POLISH_PARTS[part]]
    return tuple([*found, *english, *(f"Adres {word}" for word in polish)] if part == "street" else found)


def category_column() -> ImportField:
    """Of the categories given by hand: what rules give follows from them."""
    choices = Category.objects.filter(rule="", is_active=True).order_by("group__position", "position", "id")
    return ImportField(
        "categories", _("Categories"), kind="choices", joins=True, aliases=HEADERS["categories"],
        choices=tuple((one.pk, (one.name, one.name_pl)) for one in choices),
    )  # fmt: skip


def rows_added(record: Counterparty, values: Values) -> dict[str, Any]:
    """Accounts, further addresses and categories of a row, behind those the record has."""
    found: dict[str, Any] = {}
    if accounts := values.get("accounts"):
        found["accounts"] = _joined(record.accounts, accounts, lambda row: row["iban"])
    if addresses := _addresses(values):
        found["addresses"] = _joined(record.addresses, addresses, _same_address)
    if categories := values.get("categories"):
        found["categories"] = sorted({*record.categories, *categories})
    return found


def _joined(present: list[dict], fresh: list[dict], same) -> list[dict]:
    known = {same(row) for row in present}
    return [*present, *(row for row in fresh if same(row) not in known)][:MOST_ROWS]


def _same_address(row: dict) -> str:
    return json.dumps(row, sort_keys=True)


def _addresses(values: Values) -> list[dict]:
    """Raises ValidationError."""
    rows = []
    for kind in _ADDRESSES:
        cells = {part: values.get(f"{kind}_{part}", "") for part in ADDRESS_PARTS}
        if any(cells.values()):
            rows.append({"kind": kind, **cells})
    return ADDRESSES.clean_rows(rows) if rows else []
