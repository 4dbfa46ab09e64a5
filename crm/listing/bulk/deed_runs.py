"""A deed done to the records of a run slice by slice, and taken back."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from crm.history.models import Event
from crm.listing.bulk.deeds import deed_named, open_work
from crm.listing.bulk.services import GONE, Doer, Undoer
from crm.listing.bulk.values import NO_SUCH_FIELD
from crm.listing.lists import RecordList
from crm.listing.models import BulkItem, BulkRun
from crm.people.models import User


def doer_of(run: BulkRun, rows: RecordList, by: User) -> Doer:
    """Raises ValidationError when what was asked for makes no sense any more."""
    return (DeedDoer if run.action == BulkRun.Action.DEED else Doer)(run, rows, by)


def undoer_of(run: BulkRun, rows: RecordList, by: User) -> Undoer:
    return (DeedUndoer if run.action == BulkRun.Action.DEED else Undoer)(run, rows, by)


def _done(run: BulkRun) -> QuerySet[Event]:
    return Event.objects.filter(pk__in=run.items.filter(status=BulkItem.Status.DONE).values("event_id"))


class DeedDoer(Doer):
    """Hands the deed the records of each slice that its maker still sees."""

    is_quick = True

    def __init__(self, run: BulkRun, rows: RecordList, by: User) -> None:
        self.run, self.rows, self.by = run, rows, by
        self.work = open_work(run.field, rows.kind, run.value, by)
        self.work.resume(_done(run))

    def do(self, items: list[BulkItem]) -> None:
        pks = [item.record_id for item in items]
        seen = {row.pk: row for row in self.rows.model.objects.visible_to(self.by).filter(pk__in=pks)}
        outcomes = self.work.do([seen[pk] for pk in pks if pk in seen])
        for item in items:
            outcome = outcomes.get(item.record_id, GONE)
            item.title = str(seen[item.record_id])[:200] if item.record_id in seen else ""
            if isinstance(outcome, Event):
                item.status, item.event, item.reason = BulkItem.Status.DONE, outcome, ""
            else:
                item.status, item.reason = BulkItem.Status.SKIPPED, outcome[:300]
        BulkItem.objects.bulk_update(items, ["status", "reason", "event", "title"])

    def finish(self) -> None:
        self.work.finish(_done(self.run))


class DeedUndoer(Undoer):
    """Takes back what the deed did, except what somebody has gone on with since."""

    is_quick = True

    def __init__(self, run: BulkRun, rows: RecordList, by: User) -> None:
        super().__init__(run, rows, by)
        deed = deed_named(run.field)
        if deed is None:
            raise ValidationError(NO_SUCH_FIELD)
        self.deed = deed

    def do(self, items: list[BulkItem]) -> None:
        kept = self.deed.undo([item.event for item in items if item.event is not None], self.by)
        for item in items:
            reason = kept.get(item.event_id, "") if item.event_id else GONE
            item.status = BulkItem.Status.KEPT if reason else BulkItem.Status.UNDONE
            item.reason = reason
        BulkItem.objects.bulk_update(items, ["status", "reason"])
