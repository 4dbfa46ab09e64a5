"""Reading a schema and writing a record's values with their derived rows."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import EMPTY_VALUES
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute, AttributedRecord, AttributeKind, AttributeValue
from crm.attributes.values import clean_value, derived_rows, unique_text
from crm.files.models import StoredFile
from crm.files.services import store_file
from crm.people.access import kind_label


def attributes_of(attribute_set_id: int | None) -> list[Attribute]:
    """The attributes in use of a set, in the order of the card. One query."""
    if attribute_set_id is None:
        return []
    return list(
        Attribute.objects.filter(attribute_set_id=attribute_set_id, archived=False, is_converting=False)
    )


def clean_values(
    attributes: list[Attribute], raw: dict, *, partial: bool = False, by=None, record=None
) -> dict:
    """JSON values for `raw` ({attribute key: anything}); uploads stay uploads.

    `partial` checks only the keys given. An attribute whose condition does not hold is None and never missing.
    `by` and `record` as `clean_value` takes them. Raises ValidationError with a dict keyed by `field_name`.
    """
    values, errors = {}, {}
    for attribute in attributes:
        if partial and attribute.key not in raw:
            continue
        try:
            values[attribute.key] = clean_value(attribute, raw.get(attribute.key), by=by, record=record)
        except ValidationError as error:
            errors[attribute.key] = error
    kept = record.attributes if partial and record is not None else {}
    shown = applicable_keys(attributes, {**kept, **values})
    if found := {f"attr_{key}": error for key, error in errors.items() if key in shown}:
        raise ValidationError(found)
    return {
        item.key: values.get(item.key) if item.key in shown else None
        for item in attributes
        if item.key in values or item.key in errors
    }


def default_values(attributes: list[Attribute]) -> dict:
    """{key: JSON value} a new record starts with; a default that no longer fits is left out."""
    found = {}
    for attribute in attributes:
        if not attribute.default:
            continue
        try:
            found[attribute.key] = clean_value(attribute, attribute.default)
        except ValidationError:
            continue
    return found


def demand_unique(record: AttributedRecord, attributes: list[Attribute], values: dict) -> None:
    """Raises ValidationError (keyed by field name) when another record holds a unique attribute's value."""
    for attribute in attributes:
        value = values.get(attribute.key)
        if not attribute.unique or value is None or isinstance(value, UploadedFile):
            continue
        taken = AttributeValue.objects.filter(attribute=attribute, unique_key=unique_text(value))
        if taken.exclude(record_id=record.pk).exists():
            raise ValidationError({attribute.field_name: _("Another record already has this value.")})


def write_derived(record: AttributedRecord, attributes: list[Attribute]) -> None:
    """Makes the indexed rows equal the record's JSON and puts its files on its card; in the caller's transaction.

    Raises ValidationError (keyed by field name) when somebody has just taken a unique value.
    """
    kind = kind_label(type(record))
    _attach_files(record, attributes, kind)
    derived = [attribute for attribute in attributes if attribute.is_derived]
    if not derived:
        return
    AttributeValue.objects.filter(attribute__in=derived, record_kind=kind, record_id=record.pk).delete()
    rows = [
        row
        for attribute in derived
        if record.attributes.get(attribute.key) is not None
        for row in derived_rows(attribute, kind, record.pk, record.attributes[attribute.key])
    ]
    if any(row.unique_key is not None for row in rows):
        _write_unique(record, derived, rows)
    else:
        AttributeValue.objects.bulk_create(rows)


def _write_unique(record: AttributedRecord, derived: list[Attribute], rows: list[AttributeValue]) -> None:
    """Raises ValidationError when somebody took a unique value after it was checked."""
    try:
        with transaction.atomic():
            AttributeValue.objects.bulk_create(rows)
    except IntegrityError:
        demand_unique(record, derived, record.attributes)
        raise


def _attach_files(record: AttributedRecord, attributes: list[Attribute], kind: str) -> None:
    """A file uploaded for a record that did not exist yet comes onto its card."""
    pks = [record.attributes.get(item.key) for item in attributes if item.kind == AttributeKind.FILE]
    if loose := [pk for pk in pks if isinstance(pk, int)]:
        StoredFile.objects.filter(pk__in=loose, record_kind="").update(record_kind=kind, record_id=record.pk)


def set_attributes(
    record: AttributedRecord,
    raw: dict,
    *,
    partial: bool = False,
    by=None,
    known: list[Attribute] | None = None,
) -> dict:
    """Puts checked values on an unsaved or loaded record and returns {key: (old, new)} of what differs.

    A new record starts with the defaults of what `raw` does not name. `by` uploads files and must see the records
    that are linked; `known` are the attributes of its set, where they have been read. The caller saves the record and
    then calls `write_derived`. Raises ValidationError as `clean_values` does.
    """
    attributes = attributes_of(record.get_attribute_set_id()) if known is None else known
    if record.pk is None:
        raw = {**default_values(attributes), **raw}
    values = clean_values(attributes, raw, partial=partial, by=by, record=record)
    demand_unique(record, attributes, values)
    values = {key: _stored(record, value, attributes, key, by) for key, value in values.items()}
    before = dict(record.attributes)
    merged = {**before, **values} if partial else values
    own = {item.key for item in attributes}
    shown = applicable_keys(attributes, merged)
    record.attributes = {
        key: value
        for key, value in merged.items()
        if value not in EMPTY_VALUES and (key in shown or key not in own)
    }
    keys = sorted({*before, *record.attributes})
    return {
        key: (before.get(key), record.attributes.get(key))
        for key in keys
        if before.get(key) != record.attributes.get(key)
    }


def _stored(record: AttributedRecord, value, attributes: list[Attribute], key: str, by):
    """An upload becomes a stored file, at once on the card of a record that exists."""
    if not isinstance(value, UploadedFile):
        return value
    label = next(item.name for item in attributes if item.key == key)[:60]
    return store_file(upload=value, by=by, record=record if record.pk else None, label=label).pk
