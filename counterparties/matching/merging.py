"""Making one record of two to five: values chosen field by field, everything re-linked, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from counterparties.matching.models import MatchKey, MatchPair, Merge, MergedRecord, PairStatus
from counterparties.matching.registry import MergeKind, merge_kind
from counterparties.matching.relinking import Relinking
from counterparties.matching.signals import records_merged
from crm.attributes.models import Attribute, AttributedRecord, AttributeValue
from crm.attributes.services import attributes_of, demand_unique, write_derived
from crm.attributes.values import show_value
from crm.history.editing import english, json_value, shown
from crm.history.services import FieldChange, record_event
from crm.notify.services import publish
from crm.people.access import kind_label
from crm.people.fields import ATTRIBUTE
from crm.people.visibility import OwnedRecord

FEWEST, MOST = 2, 5
EMPTY = (None, "", [], {})
MEANWHILE = gettext_lazy("One of these records has been merged or deleted meanwhile.")


class MergeRefused(ValidationError):
    """These records cannot become one; the text says why."""


@dataclass(frozen=True)
class Choice:
    """One field or attribute of the survivor that may take a value of the others. `values`: {record id: JSON value}."""

    name: str
    label: str
    values: dict[int, object]
    field: models.Field | None = None
    attribute: Attribute | None = None

    @property
    def is_united(self) -> bool:
        """Several values in one column, such as phones: those of all records stay."""
        return isinstance(self.field, models.JSONField)

    @property
    def differs(self) -> bool:
        return len({repr(value) for value in self.values.values() if value not in EMPTY}) > 1


def demand_mergeable(records: list[OwnedRecord], by) -> MergeKind:
    """Raises PermissionDenied without the right to edit and delete each, MergeRefused for what cannot be merged."""
    label = kind_label(type(records[0])) if records else ""
    kind, pks = merge_kind(label), {record.pk for record in records}
    if kind is None or len({type(record) for record in records}) != 1:
        raise MergeRefused(_("Only records of one kind can be merged."))
    if not FEWEST <= len(records) <= MOST or len(pks) != len(records):
        raise MergeRefused(_("Choose two to five different records."))
    for action in ("edit", "delete"):
        if kind.model.objects.visible_to(by, action).filter(pk__in=pks).count() != len(pks):
            _demand_standing(kind, pks)
            raise PermissionDenied
    if kind.check is not None:
        kind.check(records[0], records[1:])
    return kind


def _demand_standing(kind: MergeKind, pks: set[int]) -> None:
    """Whoever comes a moment after another's merge is told so, not that he lacks a right."""
    if kind.model._base_manager.filter(pk__in=pks, deleted_at=None).count() != len(pks):
        raise MergeRefused(MEANWHILE)


def choices_of(kind: MergeKind, records: list[OwnedRecord]) -> list[Choice]:
    """Every field and attribute with each record's value; the survivor comes first and decides the attributes."""
    names = set(kind.fields())
    found = [
        Choice(
            field.name,
            str(field.verbose_name),
            {one.pk: getattr(one, field.attname) for one in records},
            field,
        )
        for field in kind.model._meta.concrete_fields
        if field.name in names
    ]
    if not issubclass(kind.model, AttributedRecord):
        return found
    kinds = {one.pk: {item.key: item.kind for item in _attributes(one)} for one in records}
    for item in _attributes(records[0]):
        values = {
            one.pk: one.attributes.get(item.key) if kinds[one.pk].get(item.key) == item.kind else None
            for one in records
        }
        found.append(Choice(item.field_name, str(item), values, attribute=item))
    return found


def _attributes(record: OwnedRecord) -> list[Attribute]:
    return attributes_of(record.get_attribute_set_id())


def united(choice: Choice) -> list:
    """The rows of all records, each once, the survivor's first; what a row is called does not make it another."""
    found: dict[str, object] = {}
    for rows in choice.values.values():
        for row in rows or []:
            bare = {k: value for k, value in row.items() if k != "label"} if isinstance(row, dict) else row
            found.setdefault(repr(bare), row)
    return list(found.values())


def best_source(choice: Choice, records: list[OwnedRecord]) -> int:
    """Whose value stays unless somebody chooses otherwise: the first in order that has one."""
    pks = [record.pk for record in records]
    if choice.field is not None and choice.field.related_model is type(records[0]):
        return next((pk for pk in pks if choice.values[pk] not in (None, *pks)), pks[0])
    return next((pk for pk in pks if choice.values[pk] not in EMPTY), pks[0])


@transaction.atomic
def merge_records(
    *,
    survivor: OwnedRecord,
    merged: Iterable[OwnedRecord],
    chosen: Mapping[str, int] | None = None,
    by,
    via: str = "",
) -> Merge:
    """`chosen`: {field or `attr_key`: id of the record whose value stays}; else the first value there is stays.

    Fields that `by` may not write are not chosen: there the survivor's value stays, filled up where it has none.
    Raises PermissionDenied, MergeRefused, ValidationError; then nothing is changed.
    """
    records = [survivor, *merged]
    kind = demand_mergeable(records, by)
    records = _locked(kind, [record.pk for record in records])
    if kind.check is not None:
        kind.check(records[0], records[1:])
    keeper, gone = records[0], records[1:]
    merge = Merge.objects.create(kind=kind_label(kind.model), survivor_id=keeper.pk, made_by=by)
    choices = choices_of(kind, records)
    taken = _taken(choices, records, chosen or {}, by)
    _put_away(merge, kind, gone)
    Relinking(merge, kind.model, keeper.pk, [record.pk for record in gone]).move_all()
    keeper.refresh_from_db()
    changes = _write(keeper, choices, taken, max(record.version for record in records) + 1)
    merge.changes = [[change.field, change.label, change.old, change.new] for change in changes]
    merge.save(update_fields=["changes"])
    payload = {"names": ", ".join(str(record) for record in gone)[:500], "merge": merge.pk}
    record_event(
        kind="records_merged", subject=keeper, by=by, changes=changes, payload=payload, via=via,
        version=keeper.version,
    )  # fmt: skip
    survivor.refresh_from_db()
    records_merged.send(kind.model, survivor=keeper, merged=gone, merge=merge, by=by)
    publish(kind=merge.kind, record=keeper)
    return merge


def _locked(kind: MergeKind, pks: list[int]) -> list[OwnedRecord]:
    """The records as they stand now, in the order given; locked by id, so that two merges cannot wait in a ring."""
    rows = kind.model._base_manager.select_for_update().filter(pk__in=pks, deleted_at=None).order_by("pk")
    found = {record.pk: record for record in rows}
    if len(found) != len(pks):
        raise MergeRefused(MEANWHILE)
    return [found[pk] for pk in pks]


def _put_away(merge: Merge, kind: MergeKind, gone: list[OwnedRecord]) -> None:
    """The merged records stay in their table, invisible, and not in the recycle bin: undoing takes them out."""
    pks, now = [record.pk for record in gone], timezone.now()
    kind.model._base_manager.filter(pk__in=pks).update(
        deleted_at=now, updated_at=now, version=F("version") + 1
    )
    AttributeValue.objects.filter(record_kind=merge.kind, record_id__in=pks).delete()
    MatchKey.objects.filter(kind=merge.kind, record_id__in=pks).delete()
    MergedRecord.objects.bulk_create(
        MergedRecord(merge=merge, kind=merge.kind, record_id=record.pk, title=str(record)[:200])
        for record in gone
    )
    for pk in pks:
        pairs = MatchPair.objects.between((merge.kind, merge.survivor_id), (merge.kind, pk))
        pairs.update(status=PairStatus.SETTLED, decided_by=merge.made_by, decided_at=now)


def _taken(
    choices: list[Choice], records: list[OwnedRecord], chosen: Mapping[str, int], by
) -> dict[str, int]:
    """{field: id of the record whose value stays}."""
    model, known = type(records[0]), {record.pk for record in records}
    locked = by.access.locked_fields(model)
    may_assign = model.objects.visible_to(by, "assign").filter(pk__in=known).count() == len(known)
    taken = {}
    for choice in choices:
        best = best_source(choice, records)
        is_free = choice.name not in locked and (choice.name != "owner" or may_assign)
        wanted = chosen.get(choice.name) if is_free else None
        if choice.name == "owner" and not may_assign:
            best = records[0].pk
        taken[choice.name] = wanted if wanted in known else best
    return taken


def _followed(keeper: OwnedRecord, choices: list[Choice], known: set[str]) -> list[FieldChange]:
    """What saving changed by itself, such as the name of a lead."""
    return [
        FieldChange(
            one.name, english(one.field.verbose_name), one.values[keeper.pk], getattr(keeper, one.name),
            str(one.values[keeper.pk]), str(getattr(keeper, one.name)),
        )
        for one in choices
        if one.field is not None
        and one.name not in known
        and not one.field.is_relation
        and getattr(keeper, one.name) != one.values[keeper.pk]
    ]  # fmt: skip


def _write(
    keeper: OwnedRecord, choices: list[Choice], taken: dict[str, int], version: int
) -> list[FieldChange]:
    changes = []
    for choice in choices:
        old, new = choice.values[keeper.pk], choice.values[taken[choice.name]]
        if choice.is_united:
            new = united(choice)
        if old == new or (old in EMPTY and new in EMPTY):
            continue
        if choice.field is not None:
            before = getattr(keeper, choice.field.name)
            setattr(keeper, choice.field.attname, new)
            now = getattr(keeper, choice.field.name)
            texts = (shown(choice.field, before), shown(choice.field, now))
            label, old, new = english(choice.field.verbose_name), json_value(before), json_value(now)
        else:
            key = choice.name.removeprefix(ATTRIBUTE)
            keeper.attributes = {**keeper.attributes, key: new}
            if new in EMPTY:
                keeper.attributes = {name: kept for name, kept in keeper.attributes.items() if name != key}
            texts, label = (
                (show_value(choice.attribute, old), show_value(choice.attribute, new)),
                choice.attribute.name,
            )
        changes.append(FieldChange(choice.name, label, old, new, *texts))
    keeper.version = version
    keeper.save()
    changes += _followed(keeper, choices, {change.field for change in changes})
    if isinstance(keeper, AttributedRecord):
        attributes = _attributes(keeper)
        demand_unique(keeper, attributes, keeper.attributes)
        write_derived(keeper, attributes)
    return changes
