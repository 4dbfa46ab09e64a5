"""The value of a bulk edit: from what was typed to what the services write, and from history back again."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.attributes.models import AttributedRecord
from crm.attributes.services import attributes_of
from crm.attributes.values import clean_value, python_value
from crm.history.editing import json_value
from crm.history.models import Event
from crm.listing.fields import ATTRIBUTE_PREFIX, Field
from crm.listing.lists import RecordList
from crm.money.fields import typed_amount

NO_SUCH_FIELD = gettext_noop("It has no such field.")
CHANGED_SINCE = gettext_noop("Somebody has changed it since.")
MOST_CHARACTERS = 4000


def editable_fields(rows: RecordList) -> list[Field]:
    """What may be written for many records at once."""
    locked = rows.user.access.locked_fields(rows.model)
    return [one for one in rows.all_fields if one.editable and not one.names & locked]


def parse(rows: RecordList, field: Field, text: str):
    """The value as the area's service takes it. Raises ValidationError with a text for the reader."""
    text = text.replace("\x00", "").strip()[:MOST_CHARACTERS]
    if field.attributes:
        clean_value(field.attributes[0], text)
        return text
    if field.dictionary is not None:
        return _entry(field, text)
    column = rows.model._meta.get_field(field.column)
    if not text:
        if not column.blank:
            raise ValidationError(_("This value is required."))
        return None if column.null else ""
    if field.kind == "date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValidationError(_("Enter a date as year-month-day.")) from None
    value = column.to_python(typed_amount(text) if field.kind in {"money", "number"} else text)
    column.run_validators(value)
    return value


def _entry(field: Field, text: str):
    if not text:
        return None
    known = text.isascii() and text.isdecimal() and len(text) < 19
    found = field.dictionary.objects.filter(pk=int(text), **field.offered).first() if known else None
    if found is None:
        raise ValidationError(_("Choose one of the offered values."))
    return found


def shown(rows: RecordList, field: Field, text: str) -> str:
    """The value as people read it."""
    return dict(rows.offers.of(field)).get(text, text) if field.kind in {"choice", "record"} else text


def changes_for(record, field: Field, value) -> dict:
    """The arguments of the area's edit service. Raises ValidationError for an attribute the record does not have."""
    if not field.attributes:
        return {"values": {field.column: value}, "attributes": None}
    schema = record.get_attribute_set_id()
    own = next((one for one in field.attributes if one.attribute_set_id == schema), None)
    if own is None:
        raise ValidationError(NO_SUCH_FIELD)
    return {"values": {}, "attributes": {own.key: value}}


def changes_back(record, event: Event) -> dict:
    """The arguments that write what stood before `event`. Raises ValidationError when that was overwritten since."""
    values, attributes = {}, {}
    schema = record.get_attribute_set_id() if isinstance(record, AttributedRecord) else None
    known = {one.field_name: one for one in attributes_of(schema)}
    for change in event.changes.all():
        if change.field.startswith(ATTRIBUTE_PREFIX):
            attribute = known.get(change.field)
            if attribute is None or record.attributes.get(attribute.key) != change.new:
                raise ValidationError(CHANGED_SINCE)
            attributes[attribute.key] = python_value(attribute, change.old)
            continue
        if json_value(getattr(record, change.field)) != change.new:
            raise ValidationError(CHANGED_SINCE)
        values[change.field] = _former(record._meta.get_field(change.field), change.old)
    return {"values": values, "attributes": attributes or None}


def _former(column, old):
    if old is None:
        return None
    if isinstance(column, ForeignKey):
        return column.related_model._base_manager.filter(pk=old).first()
    return column.to_python(old)
