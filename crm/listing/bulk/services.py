"""Bulk edits: asking for one, doing it record by record, undoing it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.history.bin import delete_record, restore_record
from crm.history.editing import EditConflict
from crm.history.models import Deletion, Event
from crm.jobs.services import enqueue
from crm.listing.assigning import people_to_assign
from crm.listing.bulk import values
from crm.listing.lists import RecordList
from crm.listing.models import BulkItem, BulkRun
from crm.people.models import User

MOST_RECORDS = 50_000
MOST_CHOSEN = 5_000
RIGHTS = {BulkRun.Action.ASSIGN: "assign", BulkRun.Action.EDIT: "edit", BulkRun.Action.DELETE: "delete"}
NOT_ALLOWED = gettext_noop("You may not do this to it.")
GONE = gettext_noop("It is not there any more.")
STANDS_AGAIN = gettext_noop("It is not deleted any more.")
CONFLICT = gettext_noop("Somebody was editing it at the same moment.")
NOT_REACHABLE = gettext_noop("You may not hand it to this person.")


class NotUndoable(Exception):
    """The run has not ended, or is being undone already."""


@transaction.atomic
def request_bulk(
    *, rows: RecordList, action: str, ids: list[int] | None, field: str = "", value: str = "", by: User
) -> BulkRun:
    """Has a change made to the records `ids` of a list, or (None) to all that match.

    Raises PermissionDenied without the right on any record of the kind, ValidationError for an unfit value.
    """
    if not by.access.may(rows.kind, RIGHTS[BulkRun.Action(action)]):
        raise PermissionDenied
    value = value.replace("\x00", "")[: values.MOST_CHARACTERS]
    text = check_value(rows, action, field, value, by)
    run = BulkRun.objects.create(
        kind=rows.kind,
        action=action,
        query=rows.query_string,
        ids=None if ids is None else ids[:MOST_CHOSEN],
        field=field if action == BulkRun.Action.EDIT else "",
        value=value,
        value_text=text[:200],
        made_by=by,
    )
    run.job = enqueue(kind="listing.bulk_run", key=f"bulk:{run.pk}", args={"run": run.pk}, by=by)
    run.save(update_fields=["job"])
    return run


def check_value(rows: RecordList, action: str, field: str, value: str, by: User) -> str:
    """The value as people read it. Raises ValidationError when it does not fit."""
    if action == BulkRun.Action.ASSIGN:
        return str(new_owner(rows, value, by))
    if action == BulkRun.Action.DELETE:
        return ""
    one = rows.field(field)
    if one is None or not one.editable:
        raise ValidationError(_("Choose one of the offered values."))
    values.parse(rows, one, value)
    return values.shown(rows, one, value)


def new_owner(rows: RecordList, value: str, by: User) -> User:
    """The person records are handed to. Raises ValidationError for one out of reach."""
    known = value.isascii() and value.isdecimal() and len(value) < 19
    found = people_to_assign(by, rows.model).filter(pk=int(value)).first() if known else None
    if found is None:
        raise ValidationError(NOT_REACHABLE)
    return found


class Doer:
    """Does a run's change to one record after another, with the rights its maker has now."""

    def __init__(self, run: BulkRun, rows: RecordList, by: User) -> None:
        self.run, self.rows, self.by = run, rows, by
        if run.action == BulkRun.Action.ASSIGN:
            self.value = new_owner(rows, run.value, by)
        elif run.action == BulkRun.Action.EDIT:
            self.field = rows.field(run.field)
            if self.field is None or not self.field.editable:
                raise ValidationError(values.NO_SUCH_FIELD)
            self.value = values.parse(rows, self.field, run.value)

    def do(self, items: list[BulkItem]) -> None:
        """Changes what may be changed and notes on each item what became of it."""
        model, pks = self.rows.model, [item.record_id for item in items]
        seen = {row.pk: row for row in model.objects.visible_to(self.by).filter(pk__in=pks)}
        right = RIGHTS[BulkRun.Action(self.run.action)]
        allowed = set(
            model.objects.visible_to(self.by, right).filter(pk__in=pks).values_list("pk", flat=True)
        )
        written = self._all_at_once(sorted(allowed & set(seen)))
        for item in items:
            record = seen.get(item.record_id)
            if record is None:
                item.status, item.reason = BulkItem.Status.SKIPPED, GONE
                continue
            item.title = str(record)[:200]
            if record.pk not in allowed:
                item.status, item.reason = BulkItem.Status.SKIPPED, NOT_ALLOWED
                continue
            if written is not None:
                item.event, item.reason = written.get(record.pk), ""
                item.status = BulkItem.Status.DONE if item.event else BulkItem.Status.SAME
                continue
            self._attempt(item, lambda record=record: self._change(record))
        BulkItem.objects.bulk_update(items, ["status", "reason", "event", "title"])

    @property
    def column(self) -> str:
        """The model's field that the run writes, empty for an attribute or a deletion."""
        if self.run.action == BulkRun.Action.ASSIGN:
            return "owner"
        return (
            self.field.column if self.run.action == BulkRun.Action.EDIT and not self.field.attributes else ""
        )

    @property
    def is_quick(self) -> bool:
        return self.rows.edit_many is not None and self.column in self.rows.many_fields

    def _all_at_once(self, pks: list[int]) -> dict[int, Event] | None:
        """The events by id where the area writes many records in a few statements; None where it does not."""
        if not pks or not self.is_quick:
            return None
        try:
            with transaction.atomic():
                return self.rows.edit_many(pks=pks, field=self.column, value=self.value, by=self.by)
        except (PermissionDenied, ValidationError):
            return None

    def _attempt(
        self, item: BulkItem, deed, *, done=BulkItem.Status.DONE, failed=BulkItem.Status.SKIPPED
    ) -> None:
        try:
            with transaction.atomic():
                event = deed()
        except (PermissionDenied, EditConflict, ValidationError) as error:
            item.status, item.reason = failed, reason_of(error)
            return
        item.status = done if event is not None else BulkItem.Status.SAME
        item.event, item.reason = event or item.event, ""

    def _change(self, record) -> Event | None:
        if self.run.action == BulkRun.Action.DELETE:
            delete_record(record=record, by=self.by)
            return self._latest_event(record.pk, kind="record_deleted")
        if self.run.action == BulkRun.Action.ASSIGN:
            return self._edit(record, {"values": {"owner": self.value}, "attributes": None})
        return self._edit(record, values.changes_for(record, self.field, self.value))

    def _edit(self, record, changes: dict) -> Event | None:
        if not self.rows.edit(record, version=record.version, by=self.by, **changes):
            return None
        return self._latest_event(record.pk, changes__isnull=False)

    def _latest_event(self, pk: int, **which) -> Event | None:
        own = Event.objects.filter(subject_kind=self.rows.kind, subject_id=pk, **which)
        return own.order_by("-pk").first()


class Undoer(Doer):
    """Takes a run's changes back, except where somebody has changed the same since."""

    is_quick = False

    def __init__(self, run: BulkRun, rows: RecordList, by: User) -> None:
        self.run, self.rows, self.by = run, rows, by

    def do(self, items: list[BulkItem]) -> None:
        model = self.rows.model
        found = {
            row.pk: row
            for row in model.objects.visible_to(self.by).filter(pk__in=[i.record_id for i in items])
        }
        for item in items:
            self._attempt(
                item,
                lambda item=item: self._back(item, found.get(item.record_id)),
                done=BulkItem.Status.UNDONE,
                failed=BulkItem.Status.KEPT,
            )
        BulkItem.objects.bulk_update(items, ["status", "reason"])

    def _back(self, item: BulkItem, record) -> Event | None:
        if self.run.action == BulkRun.Action.DELETE:
            return self._restore(item.record_id)
        if record is None or item.event is None:
            raise ValidationError(GONE)
        return self._edit(record, values.changes_back(record, item.event))

    def _restore(self, pk: int) -> Event | None:
        deletion = Deletion.objects.filter(kind=self.rows.kind, record_id=pk).first()
        if deletion is None:
            raise ValidationError(STANDS_AGAIN)
        restore_record(deletion=deletion, by=self.by)
        return self._latest_event(pk, kind="record_restored")


def reason_of(error: Exception) -> str:
    """Why a record was left out, as a text that pages translate."""
    if isinstance(error, PermissionDenied):
        return NOT_ALLOWED
    return CONFLICT if isinstance(error, EditConflict) else " ".join(error.messages)[:300]


@transaction.atomic
def request_undo(*, run: BulkRun, by: User) -> BulkRun:
    """Has an ended run taken back. Raises PermissionDenied for another's run, NotUndoable."""
    if run.made_by_id != by.pk:
        raise PermissionDenied
    fresh = BulkRun.objects.select_for_update(of=("self",)).select_related("job").get(pk=run.pk)
    if fresh.job is None or fresh.job.is_open or fresh.undo_job_id:
        raise NotUndoable
    fresh.undo_job = enqueue(kind="listing.bulk_undo", key=f"bulk_undo:{run.pk}", args={"run": run.pk}, by=by)
    fresh.save(update_fields=["undo_job"])
    return fresh
