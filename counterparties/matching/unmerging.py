"""Taking a merge back: what it did is undone step by step, except where somebody has changed the same since."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import serializers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from counterparties.matching.models import Merge, MergedRecord, MergeStep, StepKind
from counterparties.matching.relinking import relations_of
from counterparties.matching.signals import merge_undone
from crm.attributes.models import AttributedRecord, AttributeValue
from crm.attributes.services import attributes_of, demand_unique, write_derived
from crm.history.editing import json_value
from crm.history.services import record_event
from crm.notify.services import publish
from crm.people.fields import ATTRIBUTE
from crm.people.kinds import all_kinds, kind_named
from crm.people.visibility import OwnedRecord

CHANGED_SINCE = gettext_noop("changed since")
GONE = gettext_noop("no longer there")
NOT_FITTING = gettext_noop("does not fit any more")
NAMED = 20


@dataclass(frozen=True)
class Kept:
    """Something that stays as it is: what, and why (an English msgid)."""

    name: str
    reason: str


def demand_undoable(merge: Merge, by) -> None:
    """Raises PermissionDenied without the right to edit and delete the survivor, ValidationError when too late."""
    kind = kind_named(merge.kind)
    if merge.undone_at is not None:
        raise ValidationError(_("This merge has been undone already."))
    if kind is None or not kind.model._base_manager.filter(pk=merge.survivor_id, deleted_at=None).exists():
        raise ValidationError(_("The record was merged or deleted later on. Take that back first."))
    for action in ("edit", "delete"):
        if not kind.visible(by, action).filter(pk=merge.survivor_id).exists():
            raise PermissionDenied


@transaction.atomic
def undo_merge(*, merge: Merge, by) -> list[Kept]:
    """The merged records stand again with what was theirs; returns what stays because it was changed since.

    Raises PermissionDenied, ValidationError; then nothing is changed.
    """
    demand_undoable(merge, by)
    model = kind_named(merge.kind).model
    pks = [merge.survivor_id, *merge.records.values_list("record_id", flat=True)]
    rows = model._base_manager.select_for_update().filter(pk__in=pks).order_by("pk")
    found = {record.pk: record for record in rows}
    now = timezone.now()
    if not Merge.objects.filter(pk=merge.pk, undone_at=None).update(undone_at=now, undone_by=by):
        raise ValidationError(_("This merge has been undone already."))
    kept: list[Kept] = []
    _restore_fields(merge, found[merge.survivor_id], kept)
    tables = {one.model._meta.label_lower: one.model for one in relations_of(model)}
    tables |= {one.label: one.model for one in all_kinds()}
    for step in merge.steps.order_by("-id"):
        _take_back(step, tables.get(step.model), kept)
    merged = _stand_again(merge, model, pks[1:], now, kept)
    survivor = model._base_manager.get(pk=merge.survivor_id)
    for record in [survivor, *merged]:
        record_event(
            kind="merge_undone", subject=record, by=by, version=record.version,
            payload={"names": ", ".join(str(one) for one in merged)[:500]},
        )  # fmt: skip
        publish(kind=merge.kind, record=record)
    merge.refresh_from_db()
    merge_undone.send(model, survivor=survivor, merged=merged, merge=merge, by=by)
    return kept


def _restore_fields(merge: Merge, survivor: OwnedRecord, kept: list[Kept]) -> None:
    for name, label, old, new in merge.changes:
        if name.startswith(ATTRIBUTE):
            key = name.removeprefix(ATTRIBUTE)
            if survivor.attributes.get(key) != new:
                kept.append(Kept(label, CHANGED_SINCE))
                continue
            rest = {other: value for other, value in survivor.attributes.items() if other != key}
            survivor.attributes = rest if old is None else {**rest, key: old}
            continue
        field = survivor._meta.get_field(name)
        if json_value(getattr(survivor, name)) != new:
            kept.append(Kept(label, CHANGED_SINCE))
        elif old is not None and field.is_relation and not _exists(field.related_model, old):
            kept.append(Kept(label, GONE))
        else:
            setattr(survivor, field.attname, old if field.is_relation else field.to_python(old))
    survivor.version += 1
    survivor.save()
    _derive(survivor, kept)


def _exists(model: type[models.Model], pk) -> bool:
    return model._base_manager.filter(pk=pk).exists()


def _derive(record: OwnedRecord, kept: list[Kept]) -> None:
    """Indexed values anew; a unique one that somebody else has taken meanwhile is left out and named."""
    if not isinstance(record, AttributedRecord):
        return
    attributes = attributes_of(record.get_attribute_set_id())
    for attribute in attributes:
        try:
            demand_unique(record, [attribute], record.attributes)
        except ValidationError:
            kept.append(Kept(str(attribute), NOT_FITTING))
            record.attributes = {k: value for k, value in record.attributes.items() if k != attribute.key}
            type(record)._base_manager.filter(pk=record.pk).update(attributes=record.attributes)
    write_derived(record, attributes)


def _take_back(step: MergeStep, model: type[models.Model] | None, kept: list[Kept]) -> None:
    if step.kind == StepKind.REMOVED:
        for one in serializers.deserialize("python", step.rows, ignorenonexistent=True):
            _put_back(one, kept)
    elif model is None:
        kept.append(Kept(step.model, GONE))
    elif step.column.startswith("attributes__"):
        _relink_json(step, model, kept)
    elif step.kind == StepKind.CLEARED:
        _raise_flags(step, model, kept)
    else:
        _move_back(step, model, kept)


def _move_back(step: MergeStep, model: type[models.Model], kept: list[Kept]) -> None:
    """Rows that still stand where the merge put them go back, a statement for each former record."""
    former: dict[int, list] = {}
    for pk, old in step.rows:
        former.setdefault(old, []).append(pk)
    stand = {step.column: step.target}
    for old, pks in former.items():
        rows = model._base_manager.filter(pk__in=pks)
        if rows.filter(**stand).update(**{step.column: old}) < len(pks):
            kept += _named(model, rows.exclude(**{step.column: old}), len(pks) - rows.count())


def _named(model: type[models.Model], rows: models.QuerySet, gone: int) -> list[Kept]:
    found = [Kept(f"{model._meta.verbose_name}: {row}", CHANGED_SINCE) for row in rows[:NAMED]]
    return [*found, *([Kept(f"{model._meta.verbose_name_plural}: {gone}", GONE)] if gone else [])]


def _raise_flags(step: MergeStep, model: type[models.Model], kept: list[Kept]) -> None:
    for row in model._base_manager.filter(pk__in=[pk for pk, _old in step.rows]):
        try:
            with transaction.atomic():
                model._base_manager.filter(pk=row.pk).update(**{step.column: True})
        except IntegrityError:
            kept.append(Kept(f"{model._meta.verbose_name}: {row}", CHANGED_SINCE))


def _put_back(one, kept: list[Kept]) -> None:
    row = one.object
    model = type(row)
    name = str(model._meta.verbose_name)
    targets = [
        (field.related_model, getattr(row, field.attname))
        for field in model._meta.concrete_fields
        if field.is_relation
    ]
    if any(pk is not None and not _exists(target, pk) for target, pk in targets):
        kept.append(Kept(name, GONE))
        return
    try:
        with transaction.atomic():
            if _exists(model, row.pk):
                raise IntegrityError
            one.save(force_insert=True)
    except IntegrityError:
        kept.append(Kept(name, NOT_FITTING))


def _relink_json(step: MergeStep, model: type[models.Model], kept: list[Kept]) -> None:
    key = step.column.removeprefix("attributes__")
    for pk, old in step.rows:
        record = model._base_manager.filter(pk=pk).first()
        now = f"{old.rpartition('/')[0]}/{step.target}"
        if record is None or record.attributes.get(key) != now:
            kept.append(Kept(str(record or model._meta.verbose_name), CHANGED_SINCE if record else GONE))
            continue
        record.attributes = {**record.attributes, key: old}
        model._base_manager.filter(pk=pk).update(attributes=record.attributes)
        write_derived(record, attributes_of(record.get_attribute_set_id()))


def _stand_again(merge: Merge, model, pks: list[int], now, kept: list[Kept]) -> list[OwnedRecord]:
    model._base_manager.filter(pk__in=pks).update(deleted_at=None, updated_at=now, version=F("version") + 1)
    MergedRecord.objects.filter(merge=merge).update(is_active=False)
    records = list(model._base_manager.filter(pk__in=pks).order_by("pk"))
    AttributeValue.objects.filter(record_kind=merge.kind, record_id__in=pks).delete()
    for record in records:
        _derive(record, kept)
    return records
