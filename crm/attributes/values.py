"""Values of attributes: checking, storing as JSON, reading back, showing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, URLValidator, validate_email
from django.db.models import QuerySet
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm.attributes.models import Attribute, AttributeKind, AttributeValue
from crm.attributes.references import (
    clean_file,
    clean_link,
    clean_person,
    link_parts,
    show_file,
    show_link,
    show_person,
)
from crm.money.fields import to_hundredths, typed_amount
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.folding import fold
from crm.people.phones import normalise_phone, show_phone

TEXT_LIMIT = 4000
NUMBER_LIMIT = 100
URL_LIMIT = 1000
YES = {"1", "true", "yes", "on", "tak", "prawda", "t", "y", "x"}
NO = {"0", "false", "no", "off", "nie", "falsz", "n", "f"}
_web_address = URLValidator(schemes=["http", "https"])


def clean_value(attribute: Attribute, raw, *, by=None, record=None):
    """The JSON value of what a form, file or process supplied; None when empty. An upload stays an upload.

    `by` must see what a link leads to; without him only the link that `record` has already is taken.
    Raises ValidationError naming what is wrong, also for a required value that is missing.
    """
    raw = _tidy(raw)
    if raw is None or raw == "" or raw == []:
        if attribute.required and attribute.kind != AttributeKind.BOOL:
            raise ValidationError(_("This value is required."))
        return None
    if pointing := _pointing.get(attribute.kind):
        return pointing(attribute, raw, by=by, record=record)
    present = record.attributes.get(attribute.key) if record is not None else None
    return _cleaners[attribute.kind](attribute, raw, present)


def _tidy(raw):
    """Texts without what no database keeps (NUL, half characters) and lists as lists; too long texts are refused."""
    if isinstance(raw, tuple | set | frozenset | QuerySet):
        raw = list(raw)
    if isinstance(raw, list):
        return [item for item in map(_tidy, raw) if item not in (None, "")]
    if not isinstance(raw, str):
        return raw
    if len(raw) > TEXT_LIMIT * 2:
        raise ValidationError(_("At most %(limit)s characters."), params={"limit": TEXT_LIMIT})
    return raw.encode("utf-8", "ignore").decode().replace("\x00", "").strip()


def _clean_text(attribute: Attribute, raw, present=None) -> str:
    text = str(raw).strip()
    if len(text) > TEXT_LIMIT:
        raise ValidationError(_("At most %(limit)s characters."), params={"limit": TEXT_LIMIT})
    return text


def _decimal(raw) -> Decimal:
    text = typed_amount(raw) if isinstance(raw, str) else str(raw)
    try:
        number = Decimal(text) if len(text) <= NUMBER_LIMIT else Decimal("NaN")
    except InvalidOperation:
        raise ValidationError(_("Enter a number.")) from None
    if not number.is_finite():
        raise ValidationError(_("Enter a number."))
    return number


def _clean_number(attribute: Attribute, raw, present=None) -> str:
    number = _decimal(raw)
    DecimalValidator(20, 6)(number)
    return format(number.normalize(), "f")


def _clean_money(attribute: Attribute, raw, present=None) -> int:
    return to_hundredths(_decimal(raw))


def _clean_date(attribute: Attribute, raw, present=None) -> str:
    if isinstance(raw, date):
        return raw.isoformat()[:10]
    text = str(raw)[:10]
    for read in (date.fromisoformat, lambda given: datetime.strptime(given, "%d.%m.%Y").date()):
        try:
            return read(text).isoformat()
        except ValueError:
            continue
    raise ValidationError(_("Enter a date as year-month-day."))


def _clean_choice(attribute: Attribute, raw, present=None) -> str:
    if raw == present and isinstance(raw, str):
        return raw
    for value, label, label_pl in attribute.choices:
        if fold(raw) in {fold(value), fold(label), fold(label_pl)}:
            return value
    raise ValidationError(_("%(value)s is not one of the choices."), params={"value": str(raw)[:80]})


def _clean_choices(attribute: Attribute, raw, present=None) -> list[str]:
    """In the order of the choices, each once; what an administrator took away meanwhile may stay."""
    given = raw if isinstance(raw, list) else [part for part in _separated(str(raw)) if part]
    stay = set(present) if isinstance(present, list) else set()
    found = {_clean_choice(attribute, item, item if item in stay else None) for item in given[:1000]}
    order = [value for value, *_labels in attribute.choices]
    return [value for value in order if value in found] + sorted(found - set(order))


def _separated(text: str) -> list[str]:
    for sign in ";|\n":
        text = text.replace(sign, ",")
    return [part.strip() for part in text.split(",")]


def _clean_bool(attribute: Attribute, raw, present=None) -> bool:
    return raw if isinstance(raw, bool) else fold(raw) in YES


def _clean_url(attribute: Attribute, raw, present=None) -> str:
    """Only http and https; a bare domain gets https."""
    text = str(raw)
    address = text if "://" in text else f"https://{text}"
    try:
        if len(address) > URL_LIMIT:
            raise ValidationError("")
        _web_address(address)
    except ValidationError:
        raise ValidationError(_("Enter a web address that begins with http:// or https://.")) from None
    return address


def _clean_phone(attribute: Attribute, raw, present=None) -> str:
    number = normalise_phone(raw)
    if not number:
        raise ValidationError(_("Enter a telephone number."))
    return number


def _clean_email(attribute: Attribute, raw, present=None) -> str:
    text = str(raw)
    try:
        validate_email(text[:320])
    except ValidationError:
        raise ValidationError(_("Enter an e-mail address.")) from None
    if len(text) > 254:
        raise ValidationError(_("Enter an e-mail address."))
    return text.lower()


_cleaners = {
    AttributeKind.TEXT: _clean_text,
    AttributeKind.NUMBER: _clean_number,
    AttributeKind.MONEY: _clean_money,
    AttributeKind.DATE: _clean_date,
    AttributeKind.CHOICE: _clean_choice,
    AttributeKind.CHOICES: _clean_choices,
    AttributeKind.BOOL: _clean_bool,
    AttributeKind.URL: _clean_url,
    AttributeKind.PHONE: _clean_phone,
    AttributeKind.EMAIL: _clean_email,
}
_pointing = {
    AttributeKind.PERSON: clean_person,
    AttributeKind.LINK: clean_link,
    AttributeKind.FILE: clean_file,
}


def python_value(attribute: Attribute, value):
    """What a form field starts from: Decimal, date, text, list or bool. What is not of the kind comes back as it is."""
    if value is None:
        return None
    try:
        if attribute.kind == AttributeKind.MONEY:
            return Decimal(value) / 100
        if attribute.kind == AttributeKind.NUMBER:
            return Decimal(value)
        return date.fromisoformat(value) if attribute.kind == AttributeKind.DATE else value
    except (ValueError, TypeError, InvalidOperation):
        return value


def show_value(attribute: Attribute, value) -> str:
    """The value as people read it, in the language of the moment; empty text for None.

    Of a link only what everybody may know: see `crm.attributes.references.readable_links`.
    """
    typed = python_value(attribute, value)
    if typed is None:
        return ""
    kind = attribute.kind
    if kind == AttributeKind.MONEY and isinstance(typed, Decimal):
        return show_money(typed, default_currency())
    if kind == AttributeKind.NUMBER and isinstance(typed, Decimal):
        return number_format(typed)
    if kind == AttributeKind.DATE and isinstance(typed, date):
        return date_format(typed, "SHORT_DATE_FORMAT")
    if kind == AttributeKind.BOOL and isinstance(typed, bool):
        return _("yes") if typed else _("no")
    if kind in {AttributeKind.CHOICE, AttributeKind.CHOICES}:
        labels = dict(attribute.choice_labels())
        items = typed if isinstance(typed, list) else [typed]
        return ", ".join(str(labels.get(str(item), item)) for item in items)
    if kind == AttributeKind.PHONE:
        return show_phone(str(typed))
    return _showing.get(kind, str)(typed)


_showing = {
    AttributeKind.PERSON: show_person,
    AttributeKind.LINK: show_link,
    AttributeKind.FILE: show_file,
}


def unique_text(value) -> str:
    """The spelling by which unique values are compared."""
    return fold(",".join(map(str, value)) if isinstance(value, list) else value)[:200]


def derived_rows(attribute: Attribute, record_kind: str, record_id: int, value) -> list[AttributeValue]:
    """The indexed copies of one non-empty value: one row, or one for each of several choices."""
    items = value if isinstance(value, list) else [value]
    rows = [derived_row(attribute, record_kind, record_id, item) for item in items]
    for place, row in enumerate(rows):
        row.place = place
        row.unique_key = unique_text(value) if attribute.unique and not place else None
    return rows


def derived_row(attribute: Attribute, record_kind: str, record_id: int, value) -> AttributeValue:
    """The indexed copy of one value that is not a list."""
    row = AttributeValue(attribute=attribute, record_kind=record_kind, record_id=record_id)
    typed, kind = python_value(attribute, value), attribute.kind
    if kind in {AttributeKind.NUMBER, AttributeKind.MONEY}:
        row.number = typed if isinstance(typed, Decimal) else None
    elif kind == AttributeKind.DATE:
        row.date = typed if isinstance(typed, date) else None
    elif kind in {AttributeKind.PERSON, AttributeKind.FILE}:
        row.number = Decimal(value) if isinstance(value, int) else None
    else:
        row.text = fold(typed)[:200]
        parts = link_parts(value) if kind == AttributeKind.LINK else None
        row.number = Decimal(parts[1]) if parts else None
    if attribute.unique:
        row.unique_key = unique_text(value)
    return row
