"""Rows in one column: phones, e-mails, messengers, bank accounts and addresses of a record.

A JSON column is the truth, so that editing, conflicts, history, undo, imports and merges treat several phones as they
treat any other field. A `Shape` says what a row holds, how it is checked, and how it reads as a text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import iban as iban_numbers
from stdnum.exceptions import ValidationError as NumberError

from counterparties.banks import bank_of
from crm.people.company import company_country
from crm.people.phones import read_phone, show_phone, split_phones

MOST_ROWS = 20
LONGEST_CELL = 250
LABELS = {
    "": "",
    "work": gettext_lazy("work"),
    "mobile": gettext_lazy("mobile"),
    "home": gettext_lazy("at home"),
    "invoices": gettext_lazy("invoices"),
    "fax": gettext_lazy("fax"),
    "other": gettext_lazy("other"),
}
SERVICES = {
    "whatsapp": "WhatsApp",
    "signal": "Signal",
    "telegram": "Telegram",
    "messenger": "Messenger",
    "viber": "Viber",
    "linkedin": "LinkedIn",
    "teams": "Teams",
    "other": gettext_lazy("other"),
}
ADDRESS_KINDS = {
    "postal": gettext_lazy("postal"),
    "delivery": gettext_lazy("delivery"),
    "branch": gettext_lazy("branch"),
    "other": gettext_lazy("other"),
}


@dataclass(frozen=True)
class Cell:
    """One input of a row; `choices` (value → label) make it a choice. `width`: small, wide or empty."""

    key: str
    label: object
    choices: dict | None = None
    width: str = ""
    input_type: str = "text"
    autocomplete: str = "off"


@dataclass(frozen=True)
class Shape:
    """`clean(row, country)` gives the row as stored or raises ValidationError; `text` shows it.

    `split(text, country)`: the rows of one written text, such as a spreadsheet's cell. `main`: the cell that a plain
    text fills. `is_ordered`: the first row is the main one, which people choose.
    """

    cells: tuple[Cell, ...]
    main: str
    clean: Callable[[dict, str], dict]
    text: Callable[[dict], str]
    split: Callable[[str, str], list]
    is_ordered: bool = False

    def clean_rows(self, given, country: str = "") -> list[dict]:
        """Rows as stored, from rows, texts, or one text; each once, empty ones left out. Raises ValidationError."""
        if isinstance(given, str):
            given = self.split(given, country)
        found: list[dict] = []
        for row in given or []:
            cells = self._cells(row)
            if any(value for key, value in cells.items() if not self._is_choice(key)):
                cleaned = self.clean(cells, country)
                if all(self.same_key(cleaned) != self.same_key(other) for other in found):
                    found.append(cleaned)
        if len(found) > MOST_ROWS:
            raise ValidationError(_("At most %(count)s."), params={"count": MOST_ROWS})
        return found

    def same_key(self, row: dict):
        """What makes two rows the same."""
        return row.get("number") or row.get("email") or row.get("iban") or tuple(sorted(row.items()))

    def _cells(self, row) -> dict[str, str]:
        given = row if isinstance(row, dict) else {self.main: row}
        cells = {}
        for cell in self.cells:
            text = " ".join(str(given.get(cell.key) or "").replace("\x00", "").split())[:LONGEST_CELL]
            if cell.choices is not None and text not in cell.choices:
                text = next(iter(cell.choices))
            cells[cell.key] = text
        return cells

    def _is_choice(self, key: str) -> bool:
        return any(cell.key == key and cell.choices is not None for cell in self.cells)


class RowsField(models.JSONField):
    """The rows of a shape; an empty list by default. A text is not taken: services clean first."""

    def __init__(self, shape: Shape | None = None, verbose_name=None, **kwargs):
        self.shape = shape
        super().__init__(verbose_name, **{"default": list, "blank": True, **kwargs})

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {key: value for key, value in kwargs.items() if key != "shape"}

    def shown_text(self, value) -> str:
        """The rows as one text, for history."""
        return ", ".join(self.shape.text(row) for row in value or [])


def _phone(row: dict, country: str) -> dict:
    number, extension = read_phone(row["raw"], country)
    if not number:
        raise ValidationError(_("“%(text)s” is not a telephone number."), params={"text": row["raw"]})
    return {"label": row["label"], "raw": row["raw"], "number": number, "ext": extension}


def _email(row: dict, country: str) -> dict:
    email = row["email"].lower()
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError(_("“%(text)s” is not an e-mail address."), params={"text": email}) from None
    return {"label": row["label"], "email": email}


def _messenger(row: dict, country: str) -> dict:
    return {"service": row["service"], "handle": row["handle"]}


def _account(row: dict, country: str) -> dict:
    written = iban_numbers.compact(row["iban"]).upper()
    if written[:2].isdigit():
        written = f"{country or company_country()}{written}"
    try:
        number = iban_numbers.validate(written)
    except NumberError:
        raise ValidationError(
            _("“%(text)s” is not a valid account number: check its digits."), params={"text": row["iban"]}
        ) from None
    currency = row["currency"].upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise ValidationError(
            _("“%(text)s” is no currency: three letters, such as PLN."), params={"text": currency}
        )
    return {"iban": number, "bank": row["bank"] or bank_of(number), "currency": currency}


def _address(row: dict, country: str) -> dict:
    found = {**row, "country": row["country"].upper()}
    if found["country"] and not (len(found["country"]) == 2 and found["country"].isalpha()):
        raise ValidationError(
            _("“%(text)s” is no country: two letters, such as PL."), params={"text": row["country"]}
        )
    return found


def _with_label(text: str, label: str) -> str:
    return f"{text} ({LABELS[label]})" if LABELS.get(label) else text


def phone_text(row: dict) -> str:
    """The number as people write it, with its extension."""
    shown, word = show_phone(row["number"]), _("ext.")
    return f"{shown} {word} {row['ext']}" if row.get("ext") else shown


def address_text(row: dict) -> str:
    """One line: street, postal code and town, region, country."""
    town = " ".join(part for part in (row["postal_code"], row["city"]) if part)
    return ", ".join(part for part in (row["street"], town, row["region"], row["country"]) if part)


def _account_text(row: dict) -> str:
    return " ".join(part for part in (iban_numbers.format(row["iban"]), row["currency"], row["bank"]) if part)


def _parts(text: str, country: str) -> list[str]:
    return [part for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]


def _phones(text: str, country: str) -> list[str]:
    several = split_phones(text, country)
    return several if len(several) > 1 else [text]


_PHONE_LABELS = {key: LABELS[key] for key in ("", "work", "mobile", "home", "fax", "other")}
_EMAIL_LABELS = {key: LABELS[key] for key in ("", "work", "home", "invoices", "other")}
PHONES = Shape(
    (
        Cell("raw", gettext_lazy("Number"), width="wide", input_type="tel"),
        Cell("label", gettext_lazy("Kind"), _PHONE_LABELS, "small"),
    ),
    "raw",
    _phone,
    lambda row: _with_label(phone_text(row), row["label"]),
    _phones,
    is_ordered=True,
)
EMAILS = Shape(
    (
        Cell("email", gettext_lazy("E-mail"), width="wide", input_type="email"),
        Cell("label", gettext_lazy("Kind"), _EMAIL_LABELS, "small"),
    ),
    "email",
    _email,
    lambda row: _with_label(row["email"], row["label"]),
    _parts,
    is_ordered=True,
)
MESSENGERS = Shape(
    (
        Cell("handle", gettext_lazy("Name or number"), width="wide"),
        Cell("service", gettext_lazy("Service"), SERVICES, "small"),
    ),
    "handle",
    _messenger,
    lambda row: f"{SERVICES.get(row['service'], row['service'])}: {row['handle']}",
    _parts,
)
ACCOUNTS = Shape(
    (
        Cell("iban", gettext_lazy("Account number (IBAN)"), width="wide"),
        Cell("currency", gettext_lazy("Currency"), width="small"),
        Cell("bank", gettext_lazy("Bank")),
    ),
    "iban",
    _account,
    _account_text,
    _parts,
    is_ordered=True,
)
ADDRESSES = Shape(
    (
        Cell("kind", gettext_lazy("Kind"), ADDRESS_KINDS, "small"),
        Cell("street", gettext_lazy("Street and number"), width="wide"),
        Cell("postal_code", gettext_lazy("Postal code"), width="small"),
        Cell("city", gettext_lazy("City")),
        Cell("region", gettext_lazy("Region")),
        Cell("country", gettext_lazy("Country"), width="small"),
    ),
    "street",
    _address,
    lambda row: f"{ADDRESS_KINDS.get(row['kind'], row['kind'])}: {address_text(row)}",
    lambda text, country: [text],
)
SHAPES = {
    "phones": PHONES,
    "emails": EMAILS,
    "messengers": MESSENGERS,
    "accounts": ACCOUNTS,
    "addresses": ADDRESSES,
}
SINGLES = {"phone": "phones", "email": "emails"}
_VALUE = {"phone": "number", "email": "email"}


def rows_of(record, name: str) -> list[dict]:
    """The rows of `phones` or `emails`, also of a record that was written with the single column alone."""
    rows = list(getattr(record, name) or [])
    for single, many in SINGLES.items():
        value = getattr(record, single, "")
        if name == many and value and (not rows or rows[0][_VALUE[single]] != value):
            rows = [_plain_row(single, value), *(row for row in rows if row[_VALUE[single]] != value)]
    return rows


def with_first(single: str, rows: list[dict], value: str) -> list[dict]:
    """The rows with that of `value` at the head, added when it is not among them."""
    column = _VALUE[single]
    if rows[0][column] == value:
        return rows
    row = next((row for row in rows if row[column] == value), None) or _plain_row(single, value)
    return [row, *(other for other in rows if other[column] != value)]


def _plain_row(single: str, value: str, typed: str = "") -> dict:
    if single == "email":
        return {"label": "", "email": value}
    if not typed or typed == value:
        return {"label": "", "raw": show_phone(value), "number": value, "ext": ""}
    return {"label": "", "raw": typed, "number": value, "ext": read_phone(typed)[1]}


def with_texts(record, single: str, texts: list[tuple[str, str]]) -> dict:
    """{single: …, several: …} with cleaned (text, label) pairs.

    The first stands in the place of the first row, the others are added; a label is written where there was none.
    """
    column, many = _VALUE[single], SINGLES[single]
    rows = _replaced(single, rows_of(record, many), texts[0][0], "")
    for text, label in texts:
        place = next((place for place, row in enumerate(rows) if row[column] == text), len(rows))
        row = rows.pop(place) if place < len(rows) else _plain_row(single, text)
        rows.insert(place, row if row["label"] or not label else {**row, "label": label})
    return {single: texts[0][0], many: rows[:MOST_ROWS]}


def with_rows(record, values: dict, typed: dict) -> dict:
    """Cleaned `values` in which `phone` and `phones`, `email` and `emails` say the same.

    Several win over one; one takes the first one's place and keeps the further ones. `typed`: the values as written.
    """
    found = dict(values)
    for single, many in SINGLES.items():
        present = rows_of(record, many)
        if many in values:
            rows = values[many]
        elif single in values:
            rows = _replaced(single, present, values[single], str(typed.get(single) or ""))
        else:
            continue
        found[many] = getattr(record, many) if rows == present else rows
        found[single] = rows[0][_VALUE[single]] if rows else ""
    return found


def _replaced(single: str, present: list[dict], value: str, typed: str) -> list[dict]:
    column = _VALUE[single]
    same = next((row for row in present if row[column] == value), None)
    first = [same or _plain_row(single, value, typed)] if value else []
    return [*first, *(row for row in present[1:] if row[column] != value)]
