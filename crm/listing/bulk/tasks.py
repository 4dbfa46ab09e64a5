"""The jobs of bulk edits: collecting the records, changing them in small slices, and the way back."""

from __future__ import annotations

import time
from array import array

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils.translation import gettext_noop

from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun
from crm.listing.bulk.deed_runs import doer_of, undoer_of
from crm.listing.bulk.services import MOST_RECORDS, Doer, reason_of
from crm.listing.exports.services import in_reader_language
from crm.listing.lists import RecordList, reopen
from crm.listing.models import BulkItem, BulkRun
from crm.notify.services import notify
from crm.people.models import User

COLLECTED = 1000
MOST_IN_A_SLICE = 50
MOST_AT_ONCE = 250
SLICE_SECONDS = 0.5


def _open(job: JobRun) -> tuple[BulkRun, User, RecordList]:
    run = BulkRun.objects.get(pk=job.args["run"])
    user = User.objects.get(pk=run.made_by_id)
    rows = reopen(run.kind, run.query, user)
    if not user.is_active or rows is None:
        raise JobRefused(gettext_noop("You may not do this any more."))
    return run, user, rows


@handler("listing.bulk_run", long=True)
def bulk_run(job: JobRun) -> dict:
    """Changes every record of a run; after an interruption goes on with those that still wait."""
    run, user, rows = _open(job)
    with in_reader_language(user):
        _collect(job, run, rows)
        try:
            doer = doer_of(run, rows, user)
        except ValidationError as error:
            raise JobRefused(reason_of(error)) from error
        _work(job, doer, run, BulkItem.Status.WAITING)
    text = gettext_noop("Bulk edit done: %(done)s changed, %(skipped)s skipped")
    if run.action == BulkRun.Action.DEED:
        text = gettext_noop("Done for many records: %(done)s done, %(skipped)s skipped")
    return _finish(job, run, doer, text)


@handler("listing.bulk_undo", long=True)
def bulk_undo(job: JobRun) -> dict:
    """Takes every change of a run back."""
    run, user, rows = _open(job)
    with in_reader_language(user):
        try:
            undoer = undoer_of(run, rows, user)
        except ValidationError as error:
            raise JobRefused(reason_of(error)) from error
        _work(job, undoer, run, BulkItem.Status.DONE)
    return _finish(
        job, run, undoer, gettext_noop("Bulk edit undone: %(undone)s taken back, %(kept)s left as they are")
    )


def _collect(job: JobRun, run: BulkRun, rows: RecordList) -> None:
    """Writes down which records are meant, so that rows that change meanwhile neither join nor leave."""
    if job.checkpoint.get("collected"):
        return
    if run.ids is not None:
        seen = rows.model.objects.visible_to(run.made_by).filter(pk__in=run.ids)
        pks = array("q", sorted(seen.values_list("pk", flat=True)))
    else:
        pks = array(
            "q", rows.matching_rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=5000)
        )
    if len(pks) > MOST_RECORDS:
        raise JobRefused(gettext_noop("That is more than 50,000 records. Narrow the list first."))
    for start in range(0, len(pks), COLLECTED):
        with job.slice():
            BulkItem.objects.bulk_create(
                _items(run, rows, pks[start : start + COLLECTED].tolist()),
                ignore_conflicts=True,
            )
    job.save(checkpoint={"collected": True}, total=len(pks), done=0)


def _items(run: BulkRun, rows: RecordList, pks: list[int]) -> list[BulkItem]:
    """What waits to be changed, each with the version it has now."""
    versions = dict(rows.model.objects.filter(pk__in=pks).values_list("pk", "version"))
    return [BulkItem(run=run, record_id=pk, version=versions.get(pk)) for pk in pks]


def _work(job: JobRun, doer: Doer, run: BulkRun, status: str) -> None:
    total = job.job.progress_total or run.items.filter(status=status).count()
    waiting = run.items.filter(status=status).select_related("event")
    done, size, last = 0, 5, 0
    while items := list(waiting.filter(pk__gt=last).order_by("pk")[:size]):
        began = time.monotonic()
        doer.by.__dict__.pop("access", None)
        with job.slice():
            doer.do(items)
            done += len(items)
            job.save(done=done, total=total, note=gettext_noop("Changing records"))
        last = items[-1].pk
        # Nobody else can write to SQLite meanwhile: slices stay short, however slow the machine.
        spent = time.monotonic() - began
        most = MOST_AT_ONCE if doer.is_quick else MOST_IN_A_SLICE
        size = max(1, min(most, int(size * SLICE_SECONDS / max(spent, 0.01))))


def _finish(job: JobRun, run: BulkRun, doer: Doer, text: str) -> dict:
    counts = dict(run.items.order_by().values_list("status").annotate(Count("pk")))
    counts = {status: counts.get(status, 0) for status in BulkItem.Status.values}
    with job.slice():
        doer.finish()
        params = {**counts, "done": counts["done"] + counts["same"]}
        notify(user=doer.by, kind="bulk_done", text=text, params=params, url=f"/lists/bulk/{run.pk}/")
    return counts
