"""Telling that a counterparty, a contact or another matchable record is there already.

Values are compared in the spelling that is stored: see `counterparties.cleaning` and `counterparties.name_keys`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, ContactPoint, Counterparty, Matchable, Reachable
from counterparties.name_keys import name_key, person_key
from counterparties.rows import PHONES, SINGLES, rows_of
from crm.people.access import kind_label
from crm.people.kinds import RecordKind, kind_of

LABELS = {
    "tax_number": _("tax number"),
    "phone": _("phone"),
    "email": _("e-mail"),
    "name_key": _("name"),
}
# The surest first.
COLUMNS = tuple(LABELS)
SHOWN = 10


@dataclass(frozen=True)
class Duplicate:
    """A record with the same values. Of an invisible one only its kind, that it exists, and its owner may be told."""

    record: Matchable
    columns: tuple[str, ...]
    is_visible: bool

    @property
    def kind(self) -> RecordKind:
        return kind_of(self.record)

    @property
    def url(self) -> str:
        return self.kind.url(self.record.pk) if self.is_visible else ""

    @property
    def reasons(self) -> str:
        """What is the same, in words."""
        return ", ".join(str(LABELS[column]) for column in self.columns)


def matches(model: type[Matchable], wanted: dict[str, Iterable[str]], *, exclude: int | None = None):
    """The records of `model`, deleted ones apart, that have one of the wanted values in one of the columns."""
    fields = {field.name for field in model._meta.fields}
    condition = Q(pk__in=[])
    for column, values in wanted.items():
        given = {value for value in values if value}
        if given and column in fields:
            # The partial indexes hold no empty values, and SQLite uses them only when the query says so too.
            condition |= Q(**{f"{column}__in": given}) & ~Q(**{column: ""})
    if further := list(further_points(model, wanted)):
        condition |= Q(pk__in=further)
    return model._base_manager.filter(condition, deleted_at=None).exclude(pk=exclude).select_related("owner")


def further_points(
    model: type[Matchable], wanted: dict[str, Iterable[str]]
) -> dict[int, set[tuple[str, str]]]:
    """{record id: {(column, value)}} of records whose second or later phone or e-mail is wanted. One query."""
    if not issubclass(model, Reachable):
        return {}
    given = {column: {value for value in wanted.get(column, ()) if value} for column in ("phone", "email")}
    condition = Q(pk__in=[])
    for channel, values in given.items():
        condition |= Q(channel=channel, value__in=values) if values else Q(pk__in=[])
    found: dict[int, set[tuple[str, str]]] = {}
    points = (
        ContactPoint.objects.filter(condition, record_kind=kind_label(model)) if any(given.values()) else ()
    )
    for point in points:
        found.setdefault(point.record_id, set()).add((point.channel, point.value))
    return found


def find_counterparties(
    *,
    names: Iterable[str] = (),
    tax_numbers: Iterable[str] = (),
    phones: Iterable[str] = (),
    emails: Iterable[str] = (),
) -> dict[tuple[str, str], list[Counterparty]]:
    """Counterparties by what they share with the given sets: {(column, value): [counterparty]}, one query.

    Columns are tax_number, phone, email and name_key. Nothing is said here about who may see them.
    """
    keys = {name_key(name) for name in names}
    wanted = {"tax_number": set(tax_numbers), "phone": set(phones), "email": set(emails), "name_key": keys}
    found: dict[tuple[str, str], list[Counterparty]] = {}
    for record in matches(Counterparty, wanted).order_by("pk"):
        for column, values in wanted.items():
            for value in _values(record, column) & set(values):
                found.setdefault((column, value), []).append(record)
    return found


def _values(record: Matchable, column: str) -> set[str]:
    """All the record has of a column: every phone and e-mail, the one tax number, the one name."""
    values = {getattr(record, column, "")}
    if column in SINGLES and isinstance(record, Reachable):
        values |= {PHONES.same_key(row) for row in rows_of(record, SINGLES[column])}
    return values - {""}


def duplicates_of(
    user, model: type[Matchable], wanted: dict[str, Iterable[str]], *, exclude: int | None = None
) -> list[Duplicate]:
    """At most SHOWN records that share a value, the surest first, and whether the user may see each. Two queries."""
    records = list(matches(model, wanted, exclude=exclude).order_by("-pk")[: SHOWN * 3])
    if not records:
        return []
    pks = [record.pk for record in records]
    visible = set(model.objects.visible_to(user).filter(pk__in=pks).values_list("pk", flat=True))
    found = [Duplicate(record, _shared(record, wanted), record.pk in visible) for record in records]
    found.sort(key=lambda one: ([COLUMNS.index(column) for column in one.columns], -one.record.pk))
    return found[:SHOWN]


def _shared(record: Matchable, wanted: dict[str, Iterable[str]]) -> tuple[str, ...]:
    return tuple(column for column in COLUMNS if _values(record, column) & set(wanted.get(column, ())))


def _points_wanted(values: dict) -> dict[str, list[str]]:
    """Every phone and e-mail of cleaned values, those of `phones` and `emails` too."""
    return {
        single: [values.get(single, ""), *(PHONES.same_key(row) for row in values.get(many, ()))]
        for single, many in SINGLES.items()
    }


def organisation_wanted(values: dict) -> dict[str, list[str]]:
    """What to compare for a company or client: cleaned values with `name`."""
    return {
        "tax_number": [values.get("tax_number", "")],
        **_points_wanted(values),
        "name_key": [name_key(values.get("name", ""))],
    }


def person_wanted(values: dict) -> dict[str, list[str]]:
    """The same for a person."""
    return {
        **_points_wanted(values),
        "name_key": [person_key(values.get("first_name", ""), values.get("last_name", ""))],
    }


def duplicate_counterparties(user, values: dict, *, exclude: int | None = None) -> list[Duplicate]:
    return duplicates_of(user, Counterparty, organisation_wanted(values), exclude=exclude)


def duplicate_contacts(user, values: dict, *, exclude: int | None = None) -> list[Duplicate]:
    return duplicates_of(user, Contact, person_wanted(values), exclude=exclude)
