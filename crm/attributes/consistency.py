"""Comparing the derived rows with the truth, which is the JSON on each record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crm.attributes.models import Attribute, AttributeValue
from crm.attributes.stored import expected_rows, records_of

BATCH = 1000


@dataclass(frozen=True)
class Difference:
    """One value whose derived rows are not what its JSON asks for."""

    attribute: Attribute
    record_id: int
    found: tuple
    expected: tuple

    def __str__(self) -> str:
        where = f"{self.attribute.attribute_set.kind}/{self.record_id} {self.attribute.key}"
        return f"{where}: {list(self.found)} instead of {list(self.expected)}"


def differences() -> Iterator[Difference]:
    """Every difference, each set's records read once, in batches. Attributes not in use are left out."""
    attributes = Attribute.objects.filter(is_converting=False, archived=False).select_related("attribute_set")
    sets: dict[int, list[Attribute]] = {}
    for attribute in attributes.order_by("attribute_set", "pk"):
        sets.setdefault(attribute.attribute_set_id, []).append(attribute)
    for group in sets.values():
        yield from _rows_of_nothing([one for one in group if not one.is_derived])
        yield from _differences_of([one for one in group if one.is_derived])


def _rows_of_nothing(attributes: list[Attribute], after: int = 0) -> Iterator[Difference]:
    """Rows of attributes that are not searched, or of records beyond the last one."""
    known = {one.pk: one for one in attributes}
    for row in AttributeValue.objects.filter(attribute__in=known, record_id__gt=after):
        yield Difference(known[row.attribute_id], row.record_id, ("row",), ())


def _differences_of(attributes: list[Attribute]) -> Iterator[Difference]:
    records = records_of(attributes[0].attribute_set) if attributes else None
    if records is None:
        return
    after = 0
    while batch := list(records.filter(pk__gt=after).order_by("pk").only("pk", "attributes")[:BATCH]):
        rows = AttributeValue.objects.filter(
            attribute__in=attributes, record_id__gt=after, record_id__lte=batch[-1].pk
        )
        stored: dict[int, list[AttributeValue]] = {}
        for row in rows:
            stored.setdefault(row.attribute_id, []).append(row)
        for attribute in attributes:
            yield from _compared(attribute, stored.get(attribute.pk, []), expected_rows(attribute, batch))
        after = batch[-1].pk
    yield from _rows_of_nothing(attributes, after)


def _compared(attribute: Attribute, stored: list, expected: list) -> Iterator[Difference]:
    have, want = _by_record(stored), _by_record(expected)
    for pk in sorted(have.keys() | want.keys()):
        if not _agree(have.get(pk, ()), want.get(pk, ())):
            yield Difference(attribute, pk, have.get(pk, ()), want.get(pk, ()))


def _by_record(rows) -> dict[int, tuple]:
    """(place, text, number, date, unique key) of each row, by record."""
    found: dict[int, list] = {}
    for row in rows:
        number = None if row.number is None else row.number.normalize()
        found.setdefault(row.record_id, []).append((row.place, row.text, number, row.date, row.unique_key))
    return {pk: tuple(sorted(values, key=lambda value: value[0])) for pk, values in found.items()}


def _agree(have: tuple, want: tuple) -> bool:
    """Equal, except that a unique value which another record has already is not in the key."""
    return len(have) == len(want) and all(
        one[:4] == other[:4] and one[4] in {None, other[4]} for one, other in zip(have, want, strict=True)
    )
