"""Rows of a deal changed where they stand: one input for each value, saved when it is left."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import get_format

from crm.money.fields import MoneyField
from deals.parts import Part, RowConflict, edit_row


@dataclass
class Cell:
    """One value of one row as an input. `text`: what it holds; `choices`: (value, label) of a select."""

    name: str
    id: str
    url: str
    label: str
    text: str
    kind: str = "text"
    choices: list = field(default_factory=list)
    error: str = ""

    @property
    def vals(self) -> str:
        """What goes along: the value as the editor saw it, so that another's change is not written over."""
        # An empty box is not sent by browsers, so it is said beside it.
        sent = {f"{self.name}-sent": "1"} if self.kind == "check" else {}
        return json.dumps({"seen": self.text, **sent})


def plain(value, *, is_money: bool = False) -> str:
    """A stored value as it is typed: no groups, the decimal sign of the language, dates as inputs want them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, Decimal):
        text = f"{value.normalize():f}"
        whole, _sign, rest = text.partition(".")
        rest = rest.ljust(2, "0") if rest and is_money else rest
        return f"{whole}{get_format('DECIMAL_SEPARATOR')}{rest}" if rest else whole
    if isinstance(value, models.Model):
        return str(value.pk)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _kind(one: forms.Field) -> str:
    if isinstance(one, forms.ChoiceField | forms.ModelChoiceField):
        return "select"
    if isinstance(one, forms.DateField):
        return "date"
    if isinstance(one, forms.BooleanField):
        return "check"
    return "number" if isinstance(one, forms.DecimalField) else "text"


def cells_of(
    part: Part, row, form: type[forms.ModelForm], url: str, choices: dict | None = None
) -> dict[str, Cell]:
    """{name: cell} of the form's fields for one row. `choices`: those of selects, read once for all rows."""
    found = {}
    for name, one in form.base_fields.items():
        column = part.model._meta.get_field(name)
        text = plain(getattr(row, column.attname), is_money=isinstance(column, MoneyField))
        offered = (choices or {}).get(name, [])
        found[name] = Cell(
            name, f"{part.key}-{row.pk}-{name}", url, str(one.label or ""), text, _kind(one), offered
        )
    return found


def save_cell(*, part: Part, row, form: forms.ModelForm, name: str, data, by):
    """Writes the one value that was sent. Raises PermissionDenied, RowConflict, ValidationError."""
    one = form.fields[name]
    raw = data.get(name, "")
    value = one.clean(_given(one, raw))
    seen = {}
    if "seen" in data:
        try:
            seen = {name: _empty_as_stored(part, name, one.clean(_given(one, data["seen"])))}
        except ValidationError as error:
            # What was seen cannot be read any more, such as a tax rate that is gone: it has been changed.
            raise RowConflict(error.messages) from error
    return edit_row(part=part, row=row, values={name: _empty_as_stored(part, name, value)}, seen=seen, by=by)


def _given(one: forms.Field, raw: str):
    return raw == "1" if isinstance(one, forms.BooleanField) else raw


def _empty_as_stored(part: Part, name: str, value):
    """Nothing typed into a number that is never empty is its usual value."""
    column = part.model._meta.get_field(name)
    return column.get_default() if value is None and not column.null else value
