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
from crm.listing.bulk.deeds import open_work
from crm.listing.lists import RecordList
from crm.listing.models import BulkItem, BulkRun
from crm.listing.tags.models import Tag
from crm.listing.tags.services import change_tags, take_back
from crm.people.models import User

MOST_RECORDS = 50_000
MOST_CHOSEN = 5_000
TAGGING = (BulkRun.Action.TAG, BulkRun.Action.UNTAG)
RIGHTS = {
    BulkRun.Action.ASSIGN: "assign",
    BulkRun.Action.EDIT: "edit",
    BulkRun.Action.TAG: "edit",
    BulkRun.Action.UNTAG: "edit",
    BulkRun.Action.DELETE: "delete",
    BulkRun.Action.DEED: "view",
}
NOT_ALLOWED = gettext_noop("You may not do this to it.")
GONE = gettext_noop("It is not there any more.")
STANDS_AGAIN = gettext_noop("It is not deleted any more.")
CONFLICT = gettext_noop("Somebody changed the same field meanwhile.")
CHANGED_MEANWHILE = gettext_noop("Somebody changed it meanwhile.")
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
    if action != BulkRun.Action.DEED:
        value = value.replace("\x00", "")[: values.MOST_CHARACTERS]
    text = check_value(rows, action, field, value, by)
    run = BulkRun.objects.create(
        kind=rows.kind,
        action=action,
        query=rows.query_string,
        ids=None if ids is None else ids[:MOST_CHOSEN],
        field=field if action in {BulkRun.Action.EDIT, BulkRun.Action.DEED} else "",
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
    if action == BulkRun.Action.DEED:
        return open_work(field, rows.kind, value, by).text
    if action in TAGGING:
        return ", ".join(map(str, chosen_tags(rows, value)))
    one = rows.field(field)
    if one is None or not one.editable:
        raise ValidationError(_("Choose one of the offered values."))
    values.parse(rows, one, value)
    return values.shown(rows, one, value)


def chosen_tags(rows: RecordList, value: str) -> list[Tag]:
    """The tags whose ids stand in `value`, commas between them. Raises ValidationError for none."""
    if rows.field("tags") is None or "tags" in rows.user.access.locked_fields(rows.model):
        raise ValidationError(values.NO_SUCH_FIELD)
    pks = [int(part) for part in value.split(",") if part.isascii() and part.isdecimal() and len(part) < 19]
    found = list(Tag.objects.filter(pk__in=pks))
    if not found:
        raise ValidationError(_("Choose a tag or write a new one."))
    return found


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
        elif run.action in TAGGING:
            self.tags = chosen_tags(rows, run.value)
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
        unchanged = [
            item.record_id for item in items if _version(seen.get(item.record_id)) in (item.version, None)
        ]
        written = self._all_at_once([seen[pk] for pk in unchanged if pk in allowed and pk in seen])
        for item in items:
            record = seen.get(item.record_id)
            if record is None:
                item.status, item.reason = BulkItem.Status.SKIPPED, GONE
                continue
            item.title = str(record)[:200]
            if record.pk not in allowed:
                item.status, item.reason = BulkItem.Status.SKIPPED, NOT_ALLOWED
                continue
            if written is not None and record.pk in unchanged:
                item.event, item.reason = written.get(record.pk), ""
                item.status = BulkItem.Status.DONE if item.event else BulkItem.Status.SAME
                continue
            self._attempt(item, lambda record=record, item=item: self._change(record, item.version))
        BulkItem.objects.bulk_update(items, ["status", "reason", "event", "title"])

    def finish(self) -> None:
        """Hook: after the last record, in the transaction that ends the run."""

    @property
    def column(self) -> str:
        """The model's field that the run writes, empty for an attribute, tags or a deletion."""
        if self.run.action == BulkRun.Action.ASSIGN:
            return "owner"
        return (
            self.field.column if self.run.action == BulkRun.Action.EDIT and not self.field.attributes else ""
        )

    @property
    def is_quick(self) -> bool:
        if self.run.action in TAGGING:
            return True
        return self.rows.edit_many is not None and self.column in self.rows.many_fields

    def _all_at_once(self, records: list) -> dict[int, Event] | None:
        """The events by id where many records are written in a few statements; None where they are not."""
        if not records or not self.is_quick:
            return None
        try:
            with transaction.atomic():
                if self.run.action in TAGGING:
                    return self._tag(records)
                pks = sorted(record.pk for record in records)
                return self.rows.edit_many(pks=pks, field=self.column, value=self.value, by=self.by)
        except (PermissionDenied, ValidationError):
            return None

    def _tag(self, records: list) -> dict[int, Event]:
        adds = self.run.action == BulkRun.Action.TAG
        add, remove = (self.tags, []) if adds else ([], self.tags)
        return change_tags(records=records, add=add, remove=remove, by=self.by)

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

    def _change(self, record, version: int | None = None) -> Event | None:
        """`version`: the record's when the run began; whoever changed the same since keeps what he wrote."""
        version = version if version is not None else record.version
        if self.run.action in TAGGING:
            return self._tag([record]).get(record.pk)
        if self.run.action == BulkRun.Action.DELETE:
            if version != record.version:
                raise ValidationError(CHANGED_MEANWHILE)
            delete_record(record=record, by=self.by)
            return self._latest_event(record.pk, kind="record_deleted")
        if self.run.action == BulkRun.Action.ASSIGN:
            return self._edit(record, version, {"values": {"owner": self.value}, "attributes": None})
        return self._edit(record, version, values.changes_for(record, self.field, self.value))

    def _edit(self, record, version: int, changes: dict) -> Event | None:
        if not self.rows.edit(record, version=version, by=self.by, **changes):
            return None
        return self._latest_event(record.pk, changes__isnull=False)

    def _latest_event(self, pk: int, **which) -> Event | None:
        own = Event.objects.filter(subject_kind=self.rows.kind, subject_id=pk, **which)
        return own.order_by("-pk").first()


def _version(record) -> int | None:
    return getattr(record, "version", None)


class Undoer(Doer):
    """Takes a run's changes back, except where somebody has changed the same since.

    Whoever did it may undo it, also where the change itself took the record out of his reach (handed to another
    department), as long as nobody has touched the record since.
    """

    is_quick = False

    def __init__(self, run: BulkRun, rows: RecordList, by: User) -> None:
        self.run, self.rows, self.by = run, rows, by

    def do(self, items: list[BulkItem]) -> None:
        pks = [item.record_id for item in items]
        found = {row.pk: row for row in self.rows.model.objects.visible_to(self.by).filter(pk__in=pks)}
        out_of_reach = self._untouched([item for item in items if item.record_id not in found])
        with self.by.access.lending(self.rows.kind, list(out_of_reach)):
            for item in items:
                record = found.get(item.record_id) or out_of_reach.get(item.record_id)
                self._attempt(
                    item,
                    lambda item=item, record=record: self._back(item, record),
                    done=BulkItem.Status.UNDONE,
                    failed=BulkItem.Status.KEPT,
                )
        BulkItem.objects.bulk_update(items, ["status", "reason"])

    def _untouched(self, items: list[BulkItem]) -> dict:
        """The records of these that still are as the run left them; none once the right to such changes is gone."""
        still_may = self.by.access.may(self.rows.kind, RIGHTS[BulkRun.Action(self.run.action)])
        if self.run.action in {BulkRun.Action.DELETE, *TAGGING} or not still_may:
            return {}
        versions = {item.record_id: item.event.version for item in items if item.event is not None}
        found = self.rows.model.objects.filter(pk__in=versions)
        # What hangs on a card is in no bin of its own.
        standing = [row for row in found if getattr(row, "deleted_at", None) is None]
        return {row.pk: row for row in standing if row.version == versions[row.pk]}

    def _back(self, item: BulkItem, record) -> Event | None:
        if self.run.action == BulkRun.Action.DELETE:
            return self._restore(item.record_id)
        if record is None or item.event is None:
            raise ValidationError(GONE)
        if self.run.action in TAGGING:
            return take_back(record=record, event=item.event, by=self.by)
        return self._edit(record, record.version, values.changes_back(record, item.event))

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
