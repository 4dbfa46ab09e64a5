"""All records of a set at once, also deleted ones: for rebuilding, converting and checking what is stored."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from crm.attributes.models import Attribute, AttributeSet, AttributeValue
from crm.attributes.values import derived_rows
from crm.people.kinds import kind_named


def records_of(attribute_set: AttributeSet) -> QuerySet | None:
    """The records the set describes; None for a kind no area offers."""
    kind = kind_named(attribute_set.kind)
    if kind is None:
        return None
    records = kind.model._base_manager.all()
    lookup = kind.model.attribute_set_lookup
    return records.filter(**{lookup: attribute_set.pk}) if lookup else records


def holders_of(attribute: Attribute) -> QuerySet | None:
    """The records that have a value of the attribute, by id."""
    records = records_of(attribute.attribute_set)
    return None if records is None else records.filter(attributes__has_key=attribute.key).order_by("pk")


def expected_rows(attribute: Attribute, records: Iterable) -> list[AttributeValue]:
    """The derived rows the records' values ask for, none for an attribute that is not searched."""
    if not attribute.is_derived:
        return []
    kind = attribute.attribute_set.kind
    return [
        row
        for record in records
        if record.attributes.get(attribute.key) is not None
        for row in derived_rows(attribute, kind, record.pk, record.attributes[attribute.key])
    ]


def rewrite_rows(attribute: Attribute, records: list) -> int:
    """Makes the derived rows of these records right; returns how many hold a unique value that another one has."""
    pks = [record.pk for record in records]
    AttributeValue.objects.filter(attribute=attribute, record_id__in=pks).delete()
    rows = expected_rows(attribute, records)
    repeated = _yield_taken_keys(attribute, rows)
    AttributeValue.objects.bulk_create(rows, batch_size=500)
    return repeated


def _yield_taken_keys(attribute: Attribute, rows: list[AttributeValue]) -> int:
    wanted = [row.unique_key for row in rows if row.unique_key is not None]
    taken = set(
        AttributeValue.objects.filter(attribute=attribute, unique_key__in=wanted).values_list(
            "unique_key", flat=True
        )
    )
    repeated = 0
    for row in rows:
        if row.unique_key is None:
            continue
        if row.unique_key in taken:
            row.unique_key = None
            repeated += 1
        else:
            taken.add(row.unique_key)
    return repeated
