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
    """Every difference, attribute by attribute, in batches of records. Those not in use are left out."""
    attributes = Attribute.objects.filter(is_converting=False, archived=False).select_related("attribute_set")
    for attribute in attributes.order_by("attribute_set", "pk"):
        yield from _differences_of(attribute)


def _differences_of(attribute: Attribute) -> Iterator[Difference]:
    records = records_of(attribute.attribute_set)
    if records is None:
        return
    kind, after = attribute.attribute_set.kind, 0
    while batch := list(records.filter(pk__gt=after).order_by("pk").only("pk", "attributes")[:BATCH]):
        found = AttributeValue.objects.filter(
            attribute=attribute, record_kind=kind, record_id__gt=after, record_id__lte=batch[-1].pk
        )
        pks = {record.pk for record in batch}
        stored = _by_record(row for row in found if row.record_id in pks)
        expected = _by_record(expected_rows(attribute, batch))
        for pk in sorted(stored.keys() | expected.keys()):
            have, want = stored.get(pk, ()), expected.get(pk, ())
            if not _agree(have, want):
                yield Difference(attribute, pk, have, want)
        after = batch[-1].pk


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
