"""The jobs of lists: imports (reading, checking, writing), exports, bulk edits and their undo."""

from contextlib import closing
from datetime import timedelta
from itertools import islice

from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun
from crm.listing.bulk import tasks as bulk_tasks  # noqa: F401
from crm.listing.exports import everything
from crm.listing.exports.services import (
    ExportRows,
    in_reader_language,
    keep_file,
    may_export,
    open_writer,
    scratch_file,
)
from crm.listing.exports.workbook import MOST_ROWS
from crm.listing.imports import purging, undoing
from crm.listing.imports.registry import Importer, importer_for
from crm.listing.imports.services import HEAD_ROWS, count_rows, local_copy, take_head
from crm.listing.imports.staging import Stager
from crm.listing.imports.writing import write_rows
from crm.listing.models import Export, FullExport, Import, ImportRow
from crm.listing.sheets.errors import SheetError
from crm.listing.sheets.reading import read_head, read_rows
from crm.notify.services import notify
from crm.people.models import User

BATCH = 500
UNDO_BATCH = 500


def _open(run: JobRun) -> tuple[Import, Importer]:
    """The import and its importer, the rights of its user asked again."""
    found = Import.objects.select_related("file", "uploaded_by").get(pk=run.args["run"])
    importer = importer_for(found.kind)
    if run.by is None or not importer.may_import(run.by):
        raise JobRefused(gettext_noop("The right to import was taken away."))
    return found, importer


@handler("listing.import_parse", long=True)
def import_parse(run: JobRun) -> dict:
    """Reads the first rows of a file that was too large to be read while its uploader waited."""
    found, importer = _open(run)
    try:
        with local_copy(found.file) as path:
            book = read_head(path, rows=HEAD_ROWS)
    except SheetError as error:
        return _refuse(run, found, error)
    with run.slice():
        take_head(found, book, importer)
        found.save()
    return {"rows": found.row_count}


@handler("listing.import_check", long=True)
def import_check(run: JobRun) -> dict:
    """Stages every row: values, errors, duplicates. After an interruption goes on behind the last one."""
    found, importer = _open(run)
    stager = Stager.of(found, importer, run.by)
    last = run.checkpoint.get("last", 0)
    done = run.checkpoint.get("done", 0)
    stager.unknown = run.checkpoint.get("unknown", {})
    if last:
        _remember(stager, found)
    else:
        _forget(run, found)
    try:
        with (
            local_copy(found.file) as path,
            closing(
                read_rows(
                    path,
                    sheet=found.sheet,
                    encoding=found.encoding,
                    delimiter=found.delimiter,
                    after=max(last, found.header_row),
                )
            ) as rows,
        ):
            while batch := list(islice(rows, BATCH)):
                staged = stager.stage(batch)
                done += len(batch)
                with run.slice():
                    ImportRow.objects.bulk_create(staged, batch_size=250)
                    run.save(
                        checkpoint={"last": batch[-1].number, "done": done, "unknown": stager.unknown},
                        done=done,
                        note=gettext_noop("Checking rows and looking for duplicates"),
                    )
    except SheetError as error:
        return _refuse(run, found, error)
    with run.slice():
        found.counts = count_rows(found)
        found.row_count = sum(found.counts.values())
        found.status = Import.Status.PREVIEWED
        found.unknown = stager.unknown
        found.save(update_fields=["counts", "row_count", "status", "unknown"])
    return found.counts


def _remember(stager: Stager, found: Import) -> None:
    """After an interruption: the keys of the rows staged before."""
    sound = found.rows.filter(status__in=ImportRow.PENDING).order_by("number")
    for number, values, duplicate in sound.values_list("number", "values", "duplicate").iterator(
        chunk_size=2000
    ):
        stager.remember(duplicate.get("row", number), stager.keys(values))


def _forget(run: JobRun, found: Import) -> None:
    """The rows of an earlier check, with another mapping."""
    while pks := list(found.rows.values_list("pk", flat=True)[:2000]):
        with run.slice():
            ImportRow.objects.filter(pk__in=pks).delete()


def _refuse(run: JobRun, found: Import, error: SheetError) -> dict:
    """The file cannot be read: said on the import's page, and not tried again."""
    with run.slice():
        found.status = Import.Status.FAILED
        found.error, found.error_params = error.code, error.params
        found.finished_at = timezone.now()
        found.save(update_fields=["status", "error", "error_params", "finished_at"])
    return {"error": error.code}


@handler("listing.import_run", long=True)
def import_run(run: JobRun) -> dict:
    """Writes the staged rows, batch by batch; each batch and its checkpoint commit together."""
    found, importer = _open(run)
    total = found.rows.exclude(status=ImportRow.Status.BAD).count()
    last = run.checkpoint.get("last", 0)
    done = run.checkpoint.get("done", 0)
    pending = found.rows.filter(status__in=ImportRow.PENDING).order_by("number")
    while rows := list(pending.filter(number__gt=last)[:BATCH]):
        last, done = rows[-1].number, done + len(rows)
        with run.slice():
            write_rows(found, importer, rows, run.by)
            run.save(
                checkpoint={"last": last, "done": done},
                done=done,
                total=total,
                note=gettext_noop("Writing records and their history"),
            )
    with run.slice():
        _finish(found)
    return found.counts


def _finish(found: Import) -> None:
    found.counts = count_rows(found)
    found.status = Import.Status.DONE
    found.finished_at = timezone.now()
    found.save(update_fields=["counts", "status", "finished_at"])
    notify(
        user=found.uploaded_by,
        kind="import_done",
        text=gettext_noop(
            "Import of %(file)s is done: %(created)s created, %(updated)s updated, %(bad)s with errors"
        ),
        params={
            "file": found.file.name,
            "created": found.counts.get("created", 0),
            "updated": found.counts.get("updated", 0),
            "bad": found.counts.get("bad", 0) + found.counts.get("failed", 0),
        },
        url=f"/imports/{found.pk}/",
    )


@handler(undoing.JOB, long=True)
def import_undo(run: JobRun) -> dict:
    """Takes an import back, a few rows a slice; rights and what was changed since are looked at for each record."""
    found, _importer = _open(run)
    counts = {"last": 0, "done": 0, "undone": 0, "reverted": 0, "kept": 0} | run.checkpoint
    written = found.rows.filter(status__in=ImportRow.WRITTEN)
    while rows := list(written.filter(number__gt=counts["last"]).order_by("number")[:UNDO_BATCH]):
        with run.slice():
            for outcome, number in undoing.undo_rows(found, rows, run.by).items():
                counts[outcome] += number
            counts["last"], counts["done"] = rows[-1].number, counts["done"] + len(rows)
            run.save(checkpoint=counts, done=counts["done"], note=gettext_noop("Undoing the import"))
    result = {name: counts[name] for name in ("undone", "reverted", "kept")}
    with run.slice():
        found.counts = {**found.counts, **result}
        found.save(update_fields=["counts"])
        notify(
            user=found.uploaded_by,
            kind="import_undone",
            text=gettext_noop(
                "Import of %(file)s is undone: %(undone)s deleted, %(reverted)s put back, %(kept)s left"
            ),
            params={"file": found.file.name, **result},
            url=f"/imports/{found.pk}/",
        )
    return result


@handler("listing.import_purge", every=timedelta(hours=12), long=True)
def import_purge(run: JobRun) -> dict:
    """Uploads nobody went on with, and the files and rows of imports long done, are removed."""
    expired = 0
    for found in purging.expired_imports():
        while purging.forget_rows(run, found):
            pass
        with run.slice():
            purging.expire(found)
        expired += 1
    return {"expired": expired}


@handler("listing.export", long=True)
def export(run: JobRun) -> dict:
    """Writes the rows of a list into a file. Nothing is kept between attempts: a new one begins anew."""
    found = Export.objects.select_related("made_by").get(pk=run.args["export"])
    if found.file_id:
        return {"rows": found.row_count}
    user = User.objects.get(pk=found.made_by_id)
    if not user.is_active or not may_export(user, found.kind):
        raise JobRefused(gettext_noop("The right to export was taken away."))
    with in_reader_language(user), scratch_file() as path:
        rows = ExportRows(found, user)
        total, done = len(rows.ids), 0
        if found.form == Export.Form.XLSX and total >= MOST_ROWS:
            raise JobRefused(gettext_noop("A workbook holds 1,048,575 rows at most. Choose CSV."))
        with open_writer(found, path, [one.kind for one in rows.columns]) as write:
            write(rows.heading())
            for batch in rows.batches():
                for values in batch:
                    write(values)
                done += len(batch)
                run.save(done=done, total=total, note=gettext_noop("Writing rows"))
        with run.slice():
            keep_file(found, path, done)
            notify(
                user=user,
                kind="export_done",
                text=gettext_noop("Your export is ready: %(file)s, rows: %(rows)s"),
                params={"file": found.file.name, "rows": done},
                url=f"/lists/exports/{found.pk}/",
            )
    return {"rows": done}


@handler(everything.JOB, long=True)
def full_export(run: JobRun) -> dict:
    """Writes the archive of everything. Nothing is kept between attempts: a new one begins anew."""
    found = FullExport.objects.select_related("made_by").get(pk=run.args["export"])
    if found.file_id:
        return found.counts
    user = User.objects.get(pk=found.made_by_id)
    if not everything.may_export_everything(user):
        raise JobRefused(gettext_noop("The right to export was taken away."))
    with in_reader_language(user), scratch_file() as path:
        note = gettext_noop("Writing rows")
        counts = everything.write_everything(
            path, lambda done, total: run.save(done=done, total=total, note=note)
        )
        with run.slice():
            everything.keep_archive(found, path, counts)
            notify(
                user=user,
                kind="export_done",
                text=gettext_noop("Your export is ready: %(file)s, rows: %(rows)s"),
                params={"file": found.file.name, "rows": sum(counts.values())},
                url="/lists/everything/",
            )
    return counts
