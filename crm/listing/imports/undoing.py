"""Undoing an import: what it created goes into the bin unless somebody has worked on it, what it changed goes back."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crm.history.bin import delete_records, is_deletable
from crm.history.models import Event, EventLink
from crm.history.undoing import UNDO, undo_event
from crm.jobs import services as jobs
from crm.jobs.models import Job
from crm.listing.imports.registry import importer_for
from crm.listing.imports.services import WrongStep
from crm.listing.imports.writing import store_rows
from crm.listing.models import Import, ImportRow
from crm.listing.tags.services import TAGGED
from crm.listing.tags.services import take_back as take_back_tags
from crm.people.kinds import RecordKind, kind_named

JOB = "listing.import_undo"
Status = ImportRow.Status


@dataclass(frozen=True)
class Plan:
    """How many records: into the bin, with values put back, left alone."""

    deleted: int
    reverted: int
    kept: int


def is_undoing(run: Import) -> bool:
    return run.job is not None and run.job.kind == JOB and run.job.is_open


def can_undo(run: Import, user) -> bool:
    """Whether the import has written something that can be taken back, and has not been undone."""
    written = run.counts.get("created", 0) + run.counts.get("updated", 0)
    return bool(
        run.is_ended and written and "undone" not in run.counts and run.expired_at is None and not is_undoing(run)
        and (is_deletable(run.kind) or run.kind in importer_for(run.kind).take_back)
    )  # fmt: skip


def plan_undo(run: Import, user) -> Plan:
    """What an undo would do now. Four queries, whatever the size of the file."""
    kind = kind_named(run.kind)
    ids = _ids(run, Status.CREATED)
    deleted = untouched(run, kind, kind.visible(user, "delete").filter(pk__in=ids)).count()
    standing = _standing(kind, ids).count()
    reverted = kind.visible(user, "edit").filter(pk__in=_ids(run, Status.UPDATED)).exclude(pk__in=ids)
    return Plan(deleted, reverted.count(), standing - deleted)


def _ids(run: Import, status: str) -> QuerySet:
    return run.rows.filter(status=status, record_id__isnull=False).values("record_id")


def _standing(kind: RecordKind, ids) -> QuerySet:
    """Those of the records that are there and not in the bin, whoever may see them."""
    rows = kind.model._base_manager.filter(pk__in=ids)
    return rows.filter(deleted_at=None) if is_deletable(kind.label) else rows


def untouched(run: Import, kind: RecordKind, records: QuerySet) -> QuerySet:
    """The records on whose cards nothing stands but this import: no edit, note, call, stage or file since."""
    own = Event.objects.filter(pk=OuterRef("event_id"), payload__import=run.pk)
    others = EventLink.objects.filter(kind=kind.label, record_id=OuterRef("pk")).exclude(Exists(own))
    return records.exclude(Exists(others))


@transaction.atomic
def start_undo(*, run: Import, by) -> Job:
    """Has the import undone. A second call finds it being undone. Raises WrongStep."""
    run.refresh_from_db(fields=["status", "counts", "job"])
    if is_undoing(run):
        return run.job
    if not can_undo(run, by):
        raise WrongStep(run.status)
    total = run.rows.filter(status__in=ImportRow.WRITTEN).count()
    run.job = jobs.enqueue(kind=JOB, key=str(run.pk), args={"run": run.pk}, by=by, total=total)
    run.save(update_fields=["job"])
    return run.job


def undo_rows(run: Import, rows: list[ImportRow], by) -> dict[str, int]:
    """Takes back what a batch of rows wrote, inside the caller's transaction; {outcome: records}.

    Each row notes what became of it: a record that stays is named there with the reason.
    """
    counts = {"undone": 0, "reverted": 0, "kept": 0}
    created = {row.record_id: row for row in rows if row.status == Status.CREATED}
    _undo_created(run, run.kind, created, by, counts)
    other_ways = importer_for(run.kind).take_back
    for kind, pairs in _companions(rows).items():
        if kind in other_ways and kind_named(kind) is None:
            other_ways[kind](list(pairs), by=by)
        else:
            _undo_created(run, kind, pairs, by, counts)
    firsts = _firsts(run, rows)
    for row in rows:
        if row.status == Status.UPDATED:
            _undo_updated(run, row, firsts[row.record_id], by, counts)
    store_rows(rows)
    return counts


def _undo_created(run: Import, label: str, rows: dict[int, ImportRow], by, counts: dict[str, int]) -> None:
    """`rows`: the row that made each record. Those nobody has touched go into the bin together."""
    kind = kind_named(label)
    if kind is None or not rows:
        return
    mine = kind.visible(by, "delete").filter(pk__in=list(rows))
    free = list(untouched(run, kind, mine))
    allowed = set(mine.values_list("pk", flat=True))
    if way := importer_for(run.kind).take_back.get(label):
        deleted = way([record.pk for record in free], by=by)
    else:
        deleted = set(delete_records(records=free, by=by, via=UNDO))
    standing = set(_standing(kind, list(rows)).values_list("pk", flat=True))
    for pk, row in rows.items():
        if pk in standing:
            _leave(row, "changed_since" if pk in allowed else "not_undoable")
            counts["kept"] += 1
        elif pk in deleted:
            counts["undone"] += 1
        if row.status == Status.CREATED and pk not in standing:
            row.status = Status.WITHDRAWN


def _leave(row: ImportRow, code: str) -> None:
    row.status = Status.LEFT
    row.errors = [{"field": "", "column": None, "code": code, "params": {}}]


def _companions(rows: list[ImportRow]) -> dict[str, dict[int, ImportRow]]:
    found: dict[str, dict[int, ImportRow]] = {}
    for row in rows:
        for kind, pk in row.companions:
            found.setdefault(kind, {})[pk] = row
    return found


def _firsts(run: Import, rows: list[ImportRow]) -> dict[int, ImportRow]:
    """The first row of the file that wrote each record these rows updated."""
    wanted = {row.record_id for row in rows if row.status == Status.UPDATED}
    earlier = {row.number: row for row in rows}
    firsts: dict[int, ImportRow] = {}
    for row in run.rows.filter(record_id__in=wanted).order_by("number"):
        firsts.setdefault(row.record_id, earlier.get(row.number, row))
    return firsts


def _undo_updated(run: Import, row: ImportRow, first: ImportRow, by, counts: dict[str, int]) -> None:
    """The record goes back by the first row that wrote it; later rows share its fate."""
    if first.number != row.number:
        row.status, row.errors = first.status, first.errors
        return
    if _revert(run, kind_named(run.kind), row.record_id, by):
        row.status = Status.WITHDRAWN
        counts["reverted"] += 1
    else:
        may_edit = kind_named(run.kind).visible(by, "edit").filter(pk=row.record_id).exists()
        _leave(row, "changed_since" if may_edit else "not_undoable")
        counts["kept"] += 1


def _revert(run: Import, kind: RecordKind, pk: int, by) -> bool:
    """Whether anything went back; the latest change of the file first."""
    events = Event.objects.filter(
        subject_kind=kind.label, subject_id=pk, payload__import=run.pk, changes__isnull=False
    )
    written = list(events.distinct().order_by("-pk"))
    # A row that said nothing new has nothing to take back.
    done = not written
    for event in written:
        try:
            with transaction.atomic():
                done = _take_back(event, kind, pk, by) or done
        except (PermissionDenied, ValidationError):
            continue
    return done


def _take_back(event: Event, kind: RecordKind, pk: int, by) -> bool:
    """Whether anything of the event went back."""
    if event.kind != TAGGED:
        return bool(undo_event(event=event, by=by).back)
    record = kind.visible(by, "edit").filter(pk=pk).first()
    return record is not None and take_back_tags(record=record, event=event, by=by) is not None
