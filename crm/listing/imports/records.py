"""Writing a batch of rows as records of one kind, in bulk, with history: what every kind of record shares."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute, AttributedRecord, AttributeValue
from crm.attributes.services import attributes_of, clean_values, default_values, write_derived
from crm.attributes.values import derived_rows, show_value
from crm.history.editing import field_change
from crm.history.services import FieldChange, record_events
from crm.listing.imports.registry import Values, Written
from crm.listing.imports.staging import EXTRA, texts_of
from crm.listing.models import Import
from crm.listing.tags.models import Tag
from crm.listing.tags.services import FIELD as TAGS
from crm.listing.tags.services import change_tags, make_tag, put_tags
from crm.people.access import kind_label
from crm.people.company import company_country
from crm.people.folding import fold
from crm.people.kinds import kind_named
from crm.people.models import User
from crm.people.names import Named

DERIVED = ("attributes", "version", "updated_at", "search_text", "sort_key", "name_key")
FURTHER = "\n"


class RecordBatch:
    """One batch of an import. A kind says below which fields it has and how they follow from a row.

    `updates`: the fields an update may write. `appended`: texts that are added to and never replaced.
    """

    model: ClassVar[type[models.Model]]
    created_kind: ClassVar[str] = ""
    updated_kind: ClassVar[str] = ""
    updates: ClassVar[tuple[str, ...]] = ()
    appended: ClassVar[tuple[str, ...]] = ("note",)
    related: ClassVar[tuple[str, ...]] = ("owner",)

    def __init__(self, run: Import, by: User) -> None:
        self.run, self.by = run, by
        self.written = Written()
        self._schemas: dict[int | None, list[Attribute]] = {}
        self._shared_schema: list[Attribute] | None = None
        self._entries: dict[type[Named], dict[str, Named]] = {}

    # What a kind says

    def fields_of(self, values: Values, record: models.Model | None = None) -> dict[str, Any]:
        """The row as fields of the record; `record` is the one to be updated."""
        raise NotImplementedError

    def begin(self, rows: list[Values]) -> None:
        """Reads at once what the rows of the batch need."""

    def complete(self, record, values: Values) -> None:
        """Sets what a new record needs beside the fields of its row."""

    def after_create(self, records: dict[int, Any], rows: dict[int, Values]) -> None:
        """What hangs on the new records, which have their ids now."""

    def after_update(self, records: dict[int, Any], rows: dict[int, Values]) -> None:
        """What hangs on the updated ones."""

    def cards_of(self, records: Iterable[Any]) -> dict[int, list[models.Model]]:
        """Further cards on which the event stands, by the record's id."""
        return {}

    # What all kinds share

    @property
    def payload(self) -> dict:
        return {"file": self.run.file.name, "import": self.run.pk}

    def write(self, creates: list[tuple[int, Values]], updates: list[tuple[int, Values, int]]) -> Written:
        self.begin([values for _number, values in creates] + [values for _number, values, _pk in updates])
        if creates:
            self.create(dict(creates))
        if updates:
            self.update(updates)
        return self.written

    def create(self, rows: dict[int, Values]) -> None:
        owners = User.objects.in_bulk({values["owner"] for values in rows.values() if values.get("owner")})
        records: dict[int, Any] = {}
        for number, values in rows.items():
            try:
                records[number] = self._new(values, owners)
            except ValidationError:
                self.written.failed[number] = "refused"
        self.model._base_manager.bulk_create(records.values(), batch_size=500)
        self.record(self.created_kind, [*records.values()])
        self._write_all_derived(records.values())
        self.written.created |= {number: record.pk for number, record in records.items()}
        put_tags(kind=kind_label(self.model), tags=self._tags(records, rows))
        self.after_create(records, rows)

    def record(self, kind: str, records: list, changes: dict | None = None) -> None:
        """History of the batch's records: one event for each."""
        cards = self.cards_of(records)
        record_events(
            kind=kind, subjects=records, by=self.by, changes=changes, payload=self.payload, cards=cards
        )

    def _new(self, values: Values, owners: dict[int, User]):
        owner = owners.get(values.get("owner") or 0, self.by)
        record = self.model(owner=owner, department_id=owner.department_id)
        for name, value in self.fields_of(values).items():
            setattr(record, name, value)
        self.complete(record, values)
        if isinstance(record, AttributedRecord):
            schema = self.schema_of(record)
            found = {**default_values(schema), **self._attribute_values(schema, values)}
            known = applicable_keys(schema, found)
            record.attributes = {key: value for key, value in found.items() if key in known}
        self.refresh(record)
        return record

    def refresh(self, record) -> None:
        if hasattr(record, "refresh_search"):
            record.refresh_search()

    def schema_of(self, record) -> list[Attribute]:
        """The attributes of the record, read once for each set."""
        if not record.attribute_set_lookup:
            if self._shared_schema is None:
                self._shared_schema = attributes_of(record.get_attribute_set_id())
            return self._shared_schema
        key = record.get_attribute_set_id()
        if key not in self._schemas:
            self._schemas[key] = attributes_of(key)
        return self._schemas[key]

    def _attribute_values(self, schema: list[Attribute], values: Values, record=None) -> dict:
        """The attributes whose cells are filled. Raises ValidationError."""
        raw = {item.key: values[item.field_name] for item in schema if item.field_name in values}
        found = clean_values(schema, raw, partial=True, by=self.by, record=record) if raw else {}
        return {key: value for key, value in found.items() if value is not None}

    def entry(self, dictionary: type[Named], key: str, text: str | None) -> Named | None:
        """The dictionary's entry of this name; made when the user wanted values of this column added."""
        if not text:
            return None
        if dictionary not in self._entries:
            self._entries[dictionary] = entries_of(dictionary)
        known = self._entries[dictionary]
        if fold(text) not in known and text in self.run.options.get("create", {}).get(key, ()):
            known[fold(text)] = make_entry(dictionary, text)
        return known.get(fold(text))

    def load(self, kind: str, rows: list[Values], *keys: str) -> dict[int, Any]:
        """The records of one kind that the rows name under any of the keys, by id; one query."""
        pairs = [values[key] for values in rows for key in keys if isinstance(values.get(key), list)]
        ids = {pk for label, pk in pairs if label == kind}
        known = kind_named(kind)
        return known.visible(self.by).filter(pk__in=ids).in_bulk() if ids and known else {}

    def accompany(self, number: int, record) -> None:
        """Notes that the row made this record too, so that undoing the import takes it back."""
        pair = [kind_label(type(record)), record.pk]
        self.written.companions.setdefault(number, []).append(pair)

    def extras(self, values: Values, labels: dict[str, Any]) -> list[tuple[Any, str]]:
        """(label, text) of what a cell held beyond one value, for a note."""
        further = values.get(EXTRA, {})
        return [(label, text) for key, label in labels.items() for text in further.get(key, [])]

    def update(self, rows: list[tuple[int, Values, int]]) -> None:
        """Cells that are filled replace what the record had; empty cells change nothing."""
        editable = self.model.objects.visible_to(self.by, "edit").select_related(*self.related)
        records = editable.select_for_update(of=("self",)).in_bulk([pk for _number, _values, pk in rows])
        changed: dict[int, list[FieldChange]] = {}
        for number, values, pk in rows:
            record = records.get(pk)
            if record is None:
                self.written.failed[number] = "gone"
                continue
            changed.setdefault(pk, []).extend(self._apply(record, values))
            self.written.updated[number] = pk
        self._save([records[pk] for pk, changes in changed.items() if changes], changed)
        done = {number: records[pk] for number, pk in self.written.updated.items() if pk in records}
        by_number = {number: values for number, values, _pk in rows}
        self._add_tags(done, by_number)
        self.after_update(done, by_number)

    def _add_tags(self, records: dict[int, Any], rows: dict[int, Values]) -> None:
        tags = self._tags(records, rows)
        tagged = {record.pk: record for record in records.values() if record.pk in tags}
        change_tags(records=[*tagged.values()], each=tags, by=self.by, payload=self.payload)

    def _tags(self, records: dict[int, Any], rows: dict[int, Values]) -> dict[int, list[Tag]]:
        """The tags the rows name, by the record's id; unknown ones only when the user wanted them added."""
        found: dict[int, list[Tag]] = {}
        for number, record in records.items():
            named = [self.tag(text) for text in texts_of(rows[number], TAGS)]
            if any(named):
                found.setdefault(record.pk, []).extend(tag for tag in named if tag)
        return found

    def tag(self, text: str) -> Tag | None:
        known = self._entries.setdefault(Tag, {})
        if not known:
            known |= entries_of(Tag)
        if fold(text) not in known and text in self.run.options.get("create", {}).get(TAGS, ()):
            with suppress(ValidationError):
                known[fold(text)] = make_tag(name=text)
        return known.get(fold(text))

    def _apply(self, record, values: Values) -> list[FieldChange]:
        changes = []
        for name, new in self.fields_of(values, record).items():
            if name not in self.updates:
                continue
            old = getattr(record, name)
            if name in self.appended and old:
                new = old if new in old else f"{old}{FURTHER}{new}"
            if old != new:
                changes.append(field_change(type(record)._meta.get_field(name), old, new))
                setattr(record, name, new)
        if isinstance(record, AttributedRecord):
            changes += self._apply_attributes(record, values)
        return changes

    def _apply_attributes(self, record, values: Values) -> list[FieldChange]:
        schema = self.schema_of(record)
        changes, found = [], self._attribute_values(schema, values, record)
        for item in schema:
            new, old = found.get(item.key), record.attributes.get(item.key)
            if new is not None and new != old:
                texts = show_value(item, old), show_value(item, new)
                changes.append(FieldChange(item.field_name, item.name, old, new, *texts))
                record.attributes[item.key] = new
        return changes

    def _save(self, records: list, changed: dict[int, list[FieldChange]]) -> None:
        if not records:
            return
        for record in records:
            record.version += 1
            self.refresh(record)
        known = {field.name for field in self.model._meta.concrete_fields}
        # Writing whole rows over themselves is several times quicker than bulk_update.
        self.model._base_manager.bulk_create(
            records,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[name for name in (*self.updates, *self.renamed(), *DERIVED) if name in known],
            batch_size=250,
        )
        self.record(self.updated_kind, records, changed)
        if issubclass(self.model, AttributedRecord):
            for record in records:
                write_derived(record, self.schema_of(record))

    def renamed(self) -> tuple[str, ...]:
        """Fields that follow from others when the record is refreshed."""
        return ()

    def _write_all_derived(self, records: Iterable[Any]) -> None:
        if not issubclass(self.model, AttributedRecord):
            return
        kind = kind_label(self.model)
        rows = [
            row
            for record in records
            for attribute in self.schema_of(record)
            if attribute.is_derived and record.attributes.get(attribute.key) is not None
            for row in derived_rows(attribute, kind, record.pk, record.attributes[attribute.key])
        ]
        AttributeValue.objects.bulk_create(rows, batch_size=500)


def entries_of(dictionary: type[Named]) -> dict[str, Named]:
    """The entries by every name they go by, folded."""
    return {
        fold(name): one
        for one in dictionary._default_manager.all()
        for name in (one.name, one.name_pl, getattr(one, "key", ""))
        if name
    }


def make_entry(dictionary: type[Named], text: str) -> Named:
    """A new entry at the end of its dictionary. Inside the transaction of the batch that needs it."""
    entry = dictionary(name=text)
    known = {field.name for field in dictionary._meta.concrete_fields}
    if "country" in known:
        entry.country = company_country()
    if "key" in known:
        base = "-".join("".join(char if char.isalnum() else " " for char in fold(text)).split())[:32] or "x"
        taken = set(dictionary._default_manager.filter(key__startswith=base).values_list("key", flat=True))
        free = (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
        entry.key = next(key for key in free if key not in taken)
    if "position" in known:
        last = dictionary._default_manager.order_by("-position").values_list("position", flat=True).first()
        entry.position = min((last or 0) + 10, 32_000)
    entry.save()
    return entry
