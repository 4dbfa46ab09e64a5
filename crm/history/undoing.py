"""Undoing an edit: each field it changed goes back, unless somebody has changed that field since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.attributes.models import AttributedRecord
from crm.attributes.services import attributes_of
from crm.attributes.values import python_value
from crm.history.models import Change, Event
from crm.people.kinds import kind_named
from crm.people.visibility import OwnedRecord, may

UNDO = gettext_noop("undo")
CHANGED_SINCE = gettext_noop("changed since")
GONE = gettext_noop("no longer there")
NOT_ALLOWED = gettext_noop("not allowed")
ATTRIBUTE = "attr_"


@dataclass(frozen=True)
class Editor:
    """How an area edits its records of `kind`: `edit(record=, values=, attributes=, version=, by=, via=)`.

    `fields`: the names `values` may hold. `has_attributes`: whether attributes may be given.
    `parts`: rows that hang on the record, {name in history: function giving them as history keeps them};
    `values` then takes the same JSON under that name.
    """

    kind: str
    fields: frozenset[str]
    edit: Callable
    has_attributes: bool = True
    parts: dict[str, Callable] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Skipped:
    """A field that stays as it is; `reason` is an English msgid."""

    change: Change
    reason: str


@dataclass(frozen=True)
class Undo:
    """What an undo does: `back` are the changes taken back, `skipped` those that stay."""

    back: list[Change]
    skipped: list[Skipped]
    values: dict
    attributes: dict


@dataclass(frozen=True)
class Replay:
    """How events of one kind are taken back where fields alone do not tell it.

    `plan(event=, record=, by=)` gives an `Undo`; `apply(event=, record=, plan=, by=)` does it.
    """

    plan: Callable[..., Undo]
    apply: Callable[..., None]


_editors: dict[str, Editor] = {}
_replays: dict[str, Replay] = {}
_pages: dict[str, Callable[[Event], str]] = {}


def register_editor(editor: Editor) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _editors[editor.kind] = editor


def editor_of(kind: str) -> Editor | None:
    """How records of the kind are edited, None where no area has said so."""
    return _editors.get(kind)


def register_replay(event_kind: str, replay: Replay) -> None:
    """Events of this kind are taken back as the area says. Called from its `AppConfig.ready()`."""
    _replays[event_kind] = replay


def register_undo_page(event_kind: str, url: Callable[[Event], str]) -> None:
    """Events of this kind are taken back on a page of the area's own, never field by field."""
    _pages[event_kind] = url


def undo_page(event: Event) -> str:
    """The address of the area's own page for taking the event back; empty where there is none."""
    return _pages[event.kind](event) if event.kind in _pages else ""


def can_undo(event: Event, changes: list[Change]) -> bool:
    """Whether undoing the event makes sense at all; asks the database nothing."""
    if event.kind in _replays:
        return True
    editor = _editors.get(event.subject_kind)
    return (
        event.kind not in _pages
        and editor is not None
        and any(_is_known(editor, change.field) for change in changes)
    )


def _is_known(editor: Editor, name: str) -> bool:
    return (
        name in editor.fields
        or name in editor.parts
        or (editor.has_attributes and name.startswith(ATTRIBUTE))
    )


def plan_undo(*, event: Event, record: OwnedRecord, by) -> Undo:
    """What undoing the event would do now. Changes of fields hidden from `by` are left out and left alone."""
    if event.kind in _replays:
        return _replays[event.kind].plan(event=event, record=record, by=by)
    return plan_fields(event=event, record=record, by=by)


def plan_fields(*, event: Event, record: OwnedRecord, by) -> Undo:
    """The same field by field, for an area that takes more into account as well."""
    plan = Undo([], [], {}, {})
    hidden = by.access.hidden_fields(type(record))
    editor = _editors.get(event.subject_kind)
    known = _attributes(record)
    for change in _whole(event):
        if change.field in hidden:
            continue
        reason = _obstacle(editor, known, record, change, by)
        if reason:
            plan.skipped.append(Skipped(change, reason))
            continue
        plan.back.append(change)
        if change.field.startswith(ATTRIBUTE):
            key = change.field.removeprefix(ATTRIBUTE)
            plan.attributes[key] = python_value(known[key], change.old)
        elif change.field in editor.parts:
            plan.values[change.field] = change.old
        else:
            plan.values[change.field] = _value(record._meta.get_field(change.field), change.old)
    return plan


def _whole(event: Event) -> list[Change]:
    """One change for each field: an import may have written the same field twice in one event."""
    found: dict[str, Change] = {}
    for change in event.changes.order_by("id"):
        first = found.setdefault(change.field, change)
        first.new, first.new_text = change.new, change.new_text
    return list(found.values())


def _attributes(record: OwnedRecord) -> dict:
    if not isinstance(record, AttributedRecord):
        return {}
    return {item.key: item for item in attributes_of(record.get_attribute_set_id())}


def _obstacle(editor: Editor | None, known: dict, record: OwnedRecord, change: Change, by) -> str:
    """Why the field stays; empty when it can go back."""
    if editor is None or not _is_known(editor, change.field):
        return GONE
    if change.field in by.access.locked_fields(type(record)):
        return NOT_ALLOWED
    if change.field.startswith(ATTRIBUTE):
        key = change.field.removeprefix(ATTRIBUTE)
        if key not in known:
            return GONE
        return "" if record.attributes.get(key) == change.new else CHANGED_SINCE
    if change.field in editor.parts:
        return "" if editor.parts[change.field](record) == change.new else CHANGED_SINCE
    column = record._meta.get_field(change.field)
    if getattr(record, column.attname) != _plain(column, change.new):
        return CHANGED_SINCE
    if change.old is not None and _value(column, change.old) is None:
        return GONE
    return NOT_ALLOWED if change.field == "owner" and not may(by, "assign", record) else ""


def _plain(column: models.Field, stored):
    """The stored JSON value as the column holds it; empty texts and None are told apart as the column does."""
    if stored is None:
        return None if column.null else column.get_default()
    target = column.target_field if column.is_relation else column
    return target.to_python(stored)


def _value(column: models.Field, stored):
    """The stored JSON value as a service takes it: a record for an id."""
    if stored is not None and column.is_relation:
        return column.related_model._base_manager.filter(pk=stored).first()
    return _plain(column, stored)


@transaction.atomic
def undo_event(*, event: Event, by) -> Undo:
    """Takes an edit back, field by field, and says what it did. The undo is an edit of its own in history.

    Raises PermissionDenied (the right to edit), ValidationError when the area refuses an old value.
    """
    kind = kind_named(event.subject_kind)
    record = kind.model.objects.visible_to(by, "edit").filter(pk=event.subject_id).first() if kind else None
    if record is None:
        raise PermissionDenied
    kind.model._base_manager.select_for_update().values_list("pk").get(pk=record.pk)
    record.refresh_from_db()
    plan = plan_undo(event=event, record=record, by=by)
    if plan.back and event.kind in _replays:
        _replays[event.kind].apply(event=event, record=record, plan=plan, by=by)
    elif plan.back:
        _editors[event.subject_kind].edit(
            record=record,
            values=plan.values,
            attributes=plan.attributes or None,
            version=record.version,
            by=by,
            via=UNDO,
        )
    return plan


def demand_something(plan: Undo) -> None:
    """Raises ValidationError when nothing was taken back."""
    if not plan.back:
        raise ValidationError(_("Nothing was undone: everything has been changed since."))
