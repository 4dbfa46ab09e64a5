"""Reading a schema and writing a record's values with their derived rows."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.attributes.models import Attribute, AttributedRecord, AttributeValue
from crm.attributes.values import clean_value, derived_row
from crm.people.access import kind_label
from crm.people.folding import fold


def attributes_of(attribute_set_id: int | None) -> list[Attribute]:
    """The attributes in use of a set, in the order of the card. One query."""
    if attribute_set_id is None:
        return []
    return list(Attribute.objects.filter(attribute_set_id=attribute_set_id, archived=False))


def clean_values(attributes: list[Attribute], raw: dict, *, partial: bool = False) -> dict:
    """JSON values for `raw` ({attribute key: anything}), without empty ones.

    `partial` checks only the keys given. Raises ValidationError with a dict keyed by `field_name`.
    """
    values, errors = {}, {}
    for attribute in attributes:
        if partial and attribute.key not in raw:
            continue
        try:
            values[attribute.key] = clean_value(attribute, raw.get(attribute.key))
        except ValidationError as error:
            errors[attribute.field_name] = error
    if errors:
        raise ValidationError(errors)
    return values


def demand_unique(record: AttributedRecord, attributes: list[Attribute], values: dict) -> None:
    """Raises ValidationError (keyed by field name) when another record holds a unique attribute's value."""
    for attribute in attributes:
        value = values.get(attribute.key)
        if not attribute.unique or value is None:
            continue
        taken = AttributeValue.objects.filter(attribute=attribute, unique_key=fold(value)[:200])
        if taken.exclude(record_id=record.pk).exists():
            raise ValidationError({attribute.field_name: _("Another record already has this value.")})


def write_derived(record: AttributedRecord, attributes: list[Attribute]) -> None:
    """Makes the indexed rows equal the record's JSON; inside the caller's transaction."""
    kind = kind_label(type(record))
    derived = [attribute for attribute in attributes if attribute.is_derived]
    if not derived:
        return
    AttributeValue.objects.filter(record_kind=kind, record_id=record.pk).delete()
    rows = [
        derived_row(attribute, kind, record.pk, record.attributes[attribute.key])
        for attribute in derived
        if record.attributes.get(attribute.key) is not None
    ]
    AttributeValue.objects.bulk_create(rows)


def set_attributes(record: AttributedRecord, raw: dict, *, partial: bool = False) -> dict:
    """Puts checked values on an unsaved or loaded record and returns {key: (old, new)} of what differs.

    The caller saves the record and then calls `write_derived`. Raises ValidationError as `clean_values` does.
    """
    attributes = attributes_of(record.get_attribute_set_id())
    values = clean_values(attributes, raw, partial=partial)
    demand_unique(record, attributes, values)
    before = dict(record.attributes)
    merged = {**before, **values} if partial else values
    record.attributes = {key: value for key, value in merged.items() if value is not None}
    keys = sorted({*before, *record.attributes})
    return {
        key: (before.get(key), record.attributes.get(key))
        for key in keys
        if before.get(key) != record.attributes.get(key)
    }
