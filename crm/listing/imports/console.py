"""The import wizard without a browser: a file in, a report out."""

from __future__ import annotations

import time
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.jobs import worker
from crm.jobs.models import Job
from crm.listing.imports import services
from crm.listing.imports.expecting import expected_counts
from crm.listing.imports.registry import importer_for
from crm.listing.imports.staging import message_of
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.errors import SheetError
from crm.people.models import User

WAIT_SECONDS = 0.2


class Stopped(Exception):
    """The import cannot go on; the text says why."""


def add_arguments(parser) -> None:
    """The arguments of every command that imports a file."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--user", required=True, help="login of the user who imports")
    parser.add_argument("--mode", choices=Import.Mode.values, default=Import.Mode.CREATE)
    parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def import_file(*, file: Path, kind: str, login: str, mode: str, dry_run: bool) -> dict:
    """{rows, created, updated, skipped, duplicates, errors: [{row, column, message}], import_id}. Raises Stopped."""
    try:
        by = User.objects.get(username=login, is_active=True)
        upload = SimpleUploadedFile(file.name, file.read_bytes())
        run = services.create_import(upload=upload, kind=kind, by=by)
    except User.DoesNotExist:
        raise Stopped(f"There is no active user {login!r}.") from None
    except OSError as error:
        raise Stopped(f"{file}: {error.strerror}") from None
    except PermissionDenied:
        raise Stopped(f"This user may not import {kind.rpartition('.')[2]}s.") from None
    except (SheetError, ValidationError) as error:
        raise Stopped("; ".join(getattr(error, "messages", None) or [str(error)])) from None
    return carry_out(run, mode=mode, dry_run=dry_run, by=by)


def carry_out(run: Import, *, mode: str, dry_run: bool, by: User) -> dict:
    """The steps after the upload, and the report of the run. Raises Stopped when one of them fails."""
    if run.status == Import.Status.READING:
        finish(run, run.job)
    if not run.by_column:
        raise Stopped("No column was recognised; the first rows should hold headers such as “Nazwa firmy”.")
    finish(run, services.check_import(run=run, mapping=run.by_column, by=by))
    found = dict(run.counts)
    if dry_run:
        counts = expected_counts(run, importer_for(run.kind))[mode]
        services.cancel_import(run=run, by=by)
    else:
        finish(run, services.start_import(run=run, mode=mode, by=by))
        counts = run.counts
    return {
        "rows": sum(found.values()),
        "created": counts.get("created", 0),
        "updated": counts.get("updated", 0),
        "skipped": counts.get("skipped", 0),
        "duplicates": found.get("duplicate", 0),
        "errors": _errors(run),
        "import_id": run.pk,
    }


def finish(run: Import, job: Job) -> None:
    """Does the job here, or waits for the worker that was quicker."""
    while job.is_open:
        if not worker.run_job(job.pk):
            time.sleep(WAIT_SECONDS)
        job.refresh_from_db()
    run.refresh_from_db()
    if run.status in (Import.Status.FAILED, Import.Status.CANCELLED):
        refusal = SheetError(run.error, **run.error_params) if run.error else job.reason
        raise Stopped(str(refusal or run.get_status_display()))


def _errors(run: Import) -> list[dict]:
    importer = importer_for(run.kind)
    rows = run.rows.filter(status__in=ImportRow.FAULTY).order_by("number")
    return [
        {"row": number, "column": _header(run, error["column"]), "message": message_of(importer, error)}
        for number, errors in rows.values_list("number", "errors")
        for error in errors
    ]


def _header(run: Import, column: int | None) -> str:
    return run.columns[column] if column is not None and column < len(run.columns) else ""


def as_text(report: dict) -> str:
    names = ("rows", "created", "updated", "skipped", "duplicates")
    lines = [" · ".join(f"{name}: {report[name]}" for name in names)]
    for error in report["errors"]:
        place = f"row {error['row']}" + (f", {error['column']}" if error["column"] else "")
        lines.append(f"{place}: {error['message']}")
    return "\n".join(lines)
