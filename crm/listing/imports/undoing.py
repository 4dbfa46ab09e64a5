"""Undoing an import: what it created goes into the bin unless somebody has worked on it, what it changed goes back."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crm.history.bin import StillNeeded, delete_record, is_deletable
from crm.history.models import Event, EventLink
from crm.history.undoing import UNDO, undo_event
from crm.jobs import services as jobs
from crm.jobs.models import Job
from crm.listing.imports.services import WrongStep
from crm.listing.models import Import, ImportRow
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
        run.is_ended and written and "undone" not in run.counts and is_deletable(run.kind)
        and not is_undoing(run)
    )  # fmt: skip


def plan_undo(run: Import, user) -> Plan:
    """What an undo would do now. Four queries, whatever the size of the file."""
    kind = kind_named(run.kind)
    ids = _ids(run, Status.CREATED)
    deleted = untouched(run, kind, kind.visible(user, "delete").filter(pk__in=ids)).count()
    standing = kind.model._base_manager.filter(pk__in=ids, deleted_at=None).count()
    reverted = kind.visible(user, "edit").filter(pk__in=_ids(run, Status.UPDATED)).exclude(pk__in=ids)
    return Plan(deleted, reverted.count(), standing - deleted)


def _ids(run: Import, status: str) -> QuerySet:
    return run.rows.filter(status=status, record_id__isnull=False).values("record_id")


def untouched(run: Import, kind: RecordKind, records: QuerySet) -> QuerySet:
    """The records on whose cards nothing stands but this import: no edit, note, call, stage or file since."""
    own = Event.objects.filter(
        pk=OuterRef("event_id"),
        payload__import=run.pk,
        subject_kind=kind.label,
        subject_id=OuterRef("record_id"),
    )
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
    total = run.rows.filter(status__in=[Status.CREATED, Status.UPDATED]).count()
    run.job = jobs.enqueue(kind=JOB, key=str(run.pk), args={"run": run.pk}, by=by, total=total)
    run.save(update_fields=["job"])
    return run.job


def undo_rows(run: Import, rows: list[ImportRow], by) -> dict[str, int]:
    """Takes back what a batch of rows wrote, inside the caller's transaction; {outcome: records}."""
    kind = kind_named(run.kind)
    counts = {"undone": 0, "reverted": 0, "kept": 0}
    created = [row.record_id for row in rows if row.status == Status.CREATED]
    free = untouched(run, kind, kind.visible(by, "delete").filter(pk__in=created)).in_bulk()
    standing = set(
        kind.model._base_manager.filter(pk__in=created, deleted_at=None).values_list("pk", flat=True)
    )
    for pk in created:
        if pk in standing:
            counts["undone" if pk in free and _delete(free[pk], by) else "kept"] += 1
    for pk in _updated_first_here(run, rows):
        counts["reverted" if _revert(run, kind, pk, by) else "kept"] += 1
    return counts


def _delete(record, by) -> bool:
    try:
        delete_record(record=record, by=by, via=UNDO)
    except (PermissionDenied, StillNeeded):
        return False
    return True


def _updated_first_here(run: Import, rows: list[ImportRow]) -> list[int]:
    """Records these rows updated, without those an earlier row of the file created or updated."""
    numbers = {row.record_id: row.number for row in reversed(rows) if row.status == Status.UPDATED}
    earlier = run.rows.filter(record_id__in=numbers, status__in=[Status.CREATED, Status.UPDATED])
    firsts: dict[int, int] = {}
    for pk, number in earlier.order_by("number").values_list("record_id", "number"):
        firsts.setdefault(pk, number)
    return [pk for pk, number in numbers.items() if firsts.get(pk, number) == number]


def _revert(run: Import, kind: RecordKind, pk: int, by) -> bool:
    """Whether anything went back; the latest change of the file first."""
    events = Event.objects.filter(
        subject_kind=kind.label, subject_id=pk, payload__import=run.pk, changes__isnull=False
    )
    done = False
    for event in events.distinct().order_by("-pk"):
        try:
            with transaction.atomic():
                done = bool(undo_event(event=event, by=by).back) or done
        except (PermissionDenied, ValidationError):
            continue
    return done
