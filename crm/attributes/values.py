"""Values of attributes: checking, storing as JSON, reading back, showing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm.attributes.models import Attribute, AttributeKind, AttributeValue
from crm.money.fields import to_hundredths, typed_amount
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.folding import fold

TEXT_LIMIT = 4000


def clean_value(attribute: Attribute, raw):
    """The JSON value of what a form, file or process supplied; None when empty.

    Raises ValidationError naming what is wrong, also for a required value that is missing.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if attribute.required and attribute.kind != AttributeKind.BOOL:
            raise ValidationError(_("This value is required."))
        return None
    return _cleaners[attribute.kind](attribute, raw)


def _clean_text(attribute: Attribute, raw) -> str:
    text = str(raw).strip().replace("\x00", "")
    if len(text) > TEXT_LIMIT:
        raise ValidationError(_("At most %(limit)s characters."), params={"limit": TEXT_LIMIT})
    return text


def _decimal(raw) -> Decimal:
    try:
        number = Decimal(typed_amount(raw) if isinstance(raw, str) else str(raw))
    except InvalidOperation:
        raise ValidationError(_("Enter a number.")) from None
    if not number.is_finite():
        raise ValidationError(_("Enter a number."))
    return number


def _clean_number(attribute: Attribute, raw) -> str:
    number = _decimal(raw)
    DecimalValidator(20, 6)(number)
    return format(number.normalize(), "f")


def _clean_money(attribute: Attribute, raw) -> int:
    return to_hundredths(_decimal(raw))


def _clean_date(attribute: Attribute, raw) -> str:
    try:
        return (raw if isinstance(raw, date) else date.fromisoformat(str(raw)[:10])).isoformat()[:10]
    except ValueError:
        raise ValidationError(_("Enter a date as year-month-day.")) from None


def _clean_choice(attribute: Attribute, raw) -> str:
    for value, label, label_pl in attribute.choices:
        if fold(raw) in {fold(value), fold(label), fold(label_pl)}:
            return value
    raise ValidationError(_("%(value)s is not one of the choices."), params={"value": raw})


def _clean_bool(attribute: Attribute, raw) -> bool:
    return (
        raw
        if isinstance(raw, bool)
        else fold(raw) in {"1", "true", "yes", "on", "tak", "prawda", "t", "y", "x"}
    )


_cleaners = {
    AttributeKind.TEXT: _clean_text,
    AttributeKind.NUMBER: _clean_number,
    AttributeKind.MONEY: _clean_money,
    AttributeKind.DATE: _clean_date,
    AttributeKind.CHOICE: _clean_choice,
    AttributeKind.BOOL: _clean_bool,
}


def python_value(attribute: Attribute, value):
    """What a form field starts from: Decimal, date, text or bool."""
    if value is None:
        return None
    if attribute.kind == AttributeKind.MONEY:
        return Decimal(value) / 100
    if attribute.kind == AttributeKind.NUMBER:
        return Decimal(value)
    return date.fromisoformat(value) if attribute.kind == AttributeKind.DATE else value


def show_value(attribute: Attribute, value) -> str:
    """The value as people read it, in the language of the moment; empty text for None."""
    value = python_value(attribute, value)
    if value is None:
        return ""
    if attribute.kind == AttributeKind.MONEY:
        return show_money(value, default_currency())
    if attribute.kind == AttributeKind.NUMBER:
        return number_format(value)
    if attribute.kind == AttributeKind.DATE:
        return date_format(value, "SHORT_DATE_FORMAT")
    if attribute.kind == AttributeKind.CHOICE:
        return dict(attribute.choice_labels()).get(value, value)
    return (_("yes") if value else _("no")) if attribute.kind == AttributeKind.BOOL else str(value)


def derived_row(attribute: Attribute, record_kind: str, record_id: int, value) -> AttributeValue:
    """The indexed copy of one non-empty value."""
    row = AttributeValue(attribute=attribute, record_kind=record_kind, record_id=record_id)
    typed = python_value(attribute, value)
    if attribute.kind in {AttributeKind.NUMBER, AttributeKind.MONEY}:
        row.number = typed
    elif attribute.kind == AttributeKind.DATE:
        row.date = typed
    else:
        row.text = fold(typed)[:200]
    if attribute.unique:
        row.unique_key = fold(value)[:200]
    return row
