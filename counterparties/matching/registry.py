"""Which kinds can be merged, and which rows name a record by its kind and id.

Rows that point at a record by a foreign key need no registration: they are found in the models, uniqueness included
(see `counterparties.matching.relinking`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import models

from crm.people.visibility import OwnedRecord


@dataclass(frozen=True)
class MergeKind:
    """`fields()`: the names of the fields that may be chosen.

    `derived`: those of them that follow from others and are not asked about.
    `check(survivor, merged)` raises ValidationError for records that must not become one.
    """

    model: type[OwnedRecord]
    fields: Callable[[], Iterable[str]]
    derived: frozenset[str] = frozenset()
    check: Callable[[OwnedRecord, list[OwnedRecord]], None] | None = None


@dataclass(frozen=True)
class Pointer:
    """A table whose rows name a record by two columns, its kind's label and its id."""

    model: type[models.Model]
    kind_field: str = "record_kind"
    id_field: str = "record_id"


_kinds: dict[str, MergeKind] = {}
_pointers: dict[str, Pointer] = {}


def register_mergeable(*kinds: MergeKind) -> None:
    """Called from `AppConfig.ready()` of the area whose records may be merged."""
    _kinds.update({kind.model._meta.label_lower: kind for kind in kinds})


def register_pointer(*pointers: Pointer) -> None:
    """Called from `AppConfig.ready()` of the area that owns the table."""
    _pointers.update({pointer.model._meta.label_lower: pointer for pointer in pointers})


def merge_kind(label: str) -> MergeKind | None:
    return _kinds.get(label)


def mergeable_kinds() -> list[str]:
    return list(_kinds)


def pointers() -> list[Pointer]:
    return list(_pointers.values())
