"""Editing a record that somebody else may be editing too.

An edit carries the version it started from. Meanwhile changes of *other* fields merge silently; a change of the
same field or attribute raises EditConflict, which pages show as 409.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from crm.attributes.models import Attribute, AttributedRecord
from crm.attributes.references import readable_links
from crm.attributes.services import attributes_of, set_attributes, write_derived
from crm.attributes.values import show_value
from crm.history.models import Change, Event
from crm.history.services import FieldChange, record_event
from crm.people.access import kind_label
from crm.people.visibility import OwnedRecord, demand


@dataclass(frozen=True)
class Clash:
    """A field both changed: what each wrote, as texts, and who the other was."""

    field: str
    label: str
    mine: str
    theirs: str
    actor: object


class EditConflict(Exception):
    """Somebody changed the same fields meanwhile; nothing was written."""

    def __init__(self, record: models.Model, clashes: list[Clash]):
        super().__init__(f"{len(clashes)} fields changed meanwhile")
        self.record = record
        self.clashes = clashes


@transaction.atomic(savepoint=False)
def edit_record(
    *,
    record: OwnedRecord,
    values: dict,
    by,
    version: int,
    attributes: dict | None = None,
    kind: str,
    cards=(),
    via: str = "",
    action: str = "edit",
    locked: OwnedRecord | None = None,
) -> Event | None:
    """Writes `values` ({field name: value}) and attributes as one event of `kind`; None when nothing differs.

    Part of the caller's transaction, which a refusal has to end: a service that is atomic itself.

    `version` is the one the editor saw; `locked` the record as the caller has read it under lock, left as it is. Raises
    PermissionDenied, also for a field that `by` may not write, EditConflict, or ValidationError (attributes).
    """
    demand(by, action, record)
    fresh = copy(locked) if locked else type(record).objects.select_for_update().get(pk=record.pk)
    _lend_relations(record, fresh)
    schema = _schema_of(fresh, attributes)
    changes = field_changes(fresh, values)
    changed = {change.field for change in changes}
    of_attributes = _attribute_changes(fresh, attributes, schema, by)
    changes += of_attributes
    if by.access.locked_fields(type(record)) & {change.field for change in changes}:
        raise PermissionDenied
    if version != fresh.version:
        demand_no_clash(fresh, changes, version, by)
    if not changes:
        return None
    _save(fresh, values, changed)
    if of_attributes:
        write_derived(fresh, schema)
    record.refresh_from_db()
    _lend_relations(fresh, record)
    return record_event(
        kind=kind, subject=fresh, by=by, cards=cards, changes=changes, via=via, version=fresh.version
    )


def _save(fresh: OwnedRecord, values: dict, changed: set[str]) -> None:
    """As the next version; only what changed is validated. Raises ValidationError."""
    for name, value in values.items():
        setattr(fresh, name, value)
    fresh.version += 1
    fresh.full_clean(exclude=[field.name for field in fresh._meta.fields if field.name not in changed])
    fresh.save()


def field_changes(fresh: models.Model, values: dict) -> list[FieldChange]:
    """What writing `values` would change."""
    changes = []
    for name, new in values.items():
        field = fresh._meta.get_field(name)
        old = getattr(fresh, name)
        if old != new:
            changes.append(field_change(field, old, new))
    return changes


def field_change(field: models.Field, old, new) -> FieldChange:
    """What history keeps of a field's other value."""
    return FieldChange(
        field.name, english(field.verbose_name), json_value(old), json_value(new), shown(field, old), shown(field, new)
    )  # fmt: skip


def _lend_relations(known: models.Model, record: models.Model) -> None:
    """What one copy of a record has read of its relations, the other need not read again."""
    for field in record._meta.concrete_fields:
        if field.is_relation and field.is_cached(known) and not field.is_cached(record):
            related = field.get_cached_value(known)
            if related is not None and related.pk == getattr(record, field.attname):
                field.set_cached_value(record, related)


def _schema_of(record: models.Model, attributes: dict | None) -> list[Attribute]:
    """The attributes of the record's set where values of them are to be written."""
    if attributes is None or not isinstance(record, AttributedRecord):
        return []
    return attributes_of(record.get_attribute_set_id())


def _attribute_changes(
    fresh: models.Model, attributes: dict | None, schema: list[Attribute], by
) -> list[FieldChange]:
    if attributes is None or not isinstance(fresh, AttributedRecord):
        return []
    known = {item.key: item for item in schema}
    changes = []
    for key, (old, new) in set_attributes(fresh, attributes, partial=True, by=by, known=schema).items():
        item = known[key]
        changes.append(
            FieldChange(item.field_name, item.name, old, new, show_value(item, old), show_value(item, new))
        )
    return changes


def demand_no_clash(fresh: models.Model, changes: list[FieldChange], version: int, by) -> None:
    """Raises EditConflict when one of the fields has been changed since `version`."""
    since = Change.objects.filter(
        event__subject_kind=kind_label(type(fresh)), event__subject_id=fresh.pk, event__version__gt=version
    )
    latest = {change.field: change for change in since.select_related("event__actor").order_by("id")}
    both = [change for change in changes if change.field in latest]
    seen = readable_links(by, [value for change in both for value in (change.old, change.new)])
    clashes = [
        Clash(
            change.field, change.label, _text(seen, change.new, change.new_text),
            _text(seen, change.old, change.old_text), latest[change.field].event.actor,
        )
        for change in both
    ]  # fmt: skip
    if clashes:
        raise EditConflict(fresh, clashes)


def _text(seen: dict, value, text: str) -> str:
    """A link's record by its name, where the editor sees it."""
    return str(seen[value]) if isinstance(value, str) and value in seen else text


def english(text) -> str:
    """History keeps English labels; pages translate them when they are shown."""
    with override("en"):
        return str(text)


def json_value(value):
    """The JSON spelling of a field's value: ids for records, texts for dates and decimals."""
    if isinstance(value, models.Model):
        return value.pk
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)


def shown(field: models.Field, value) -> str:
    """The value as the record's card shows it."""
    if value is None or value == "":
        return ""
    if hasattr(field, "shown_text"):
        with override("en"):
            return field.shown_text(value)
    if field.choices:
        with override("en"):
            return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DateTimeField) and not isinstance(value, str):
        return date_format(localtime(value), "Y-m-d H:i")
    if isinstance(field, models.DateField) and not isinstance(value, str):
        return date_format(value, "Y-m-d")
    return str(value)
