"""The steps of an import, as a person takes them: upload, match columns, check, import, cancel."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from crm.files.models import StoredFile
from crm.files.services import check_upload, store_file
from crm.jobs import services as jobs
from crm.jobs.models import Job
from crm.listing.imports.columns import find_header, guess_mapping, list_columns
from crm.listing.imports.registry import Importer, importer_for
from crm.listing.imports.templates import apply_template, learned, recognise, save_template
from crm.listing.models import Import, ImportRow, ImportTemplate
from crm.listing.sheets.errors import SheetError
from crm.listing.sheets.reading import Book, Row, read_head
from crm.people.company import company_country

HEAD_ROWS = 40
HEAD_CHARACTERS = 200
# Larger files are read by a job: the person who uploads should not look at a waiting browser.
READ_AT_ONCE_BYTES = 4_000_000
SECOND_CLICK = timedelta(seconds=20)


class WrongStep(Exception):
    """The import is not at a point where this can be done."""


def create_import(*, upload: UploadedFile, kind: str, by) -> Import:
    """Takes in a file and reads its first rows, at once or by a job when it is large.

    Raises PermissionDenied, ValidationError (size, type) or SheetError; then nothing is kept.
    """
    importer = demand_importer(kind, by)
    check_upload(upload)
    # Reading takes a while and must not hold the database's write lock.
    book = None
    if upload.size <= READ_AT_ONCE_BYTES:
        with _uploaded_path(upload) as path:
            book = read_head(path, rows=HEAD_ROWS)
    with transaction.atomic():
        run = Import(kind=kind, uploaded_by=by, status=Import.Status.READING)
        run.file = store_file(upload=upload, by=by)
        if twin := _sent_just_now(run):
            transaction.set_rollback(True)
            return twin
        if book:
            take_head(run, book, importer)
        run.save()
        if not book:
            _enqueue(run, "listing.import_parse", by)
    return run


def demand_importer(kind: str, by) -> Importer:
    """The importer of a kind this user may import. Raises PermissionDenied."""
    try:
        importer = importer_for(kind)
    except KeyError:
        raise PermissionDenied from None
    if not importer.may_import(by):
        raise PermissionDenied
    return importer


def _sent_just_now(run: Import) -> Import | None:
    """The same file from the same person a moment ago: a second click on the button."""
    recent = Import.objects.filter(
        uploaded_by=run.uploaded_by, kind=run.kind, created_at__gt=timezone.now() - SECOND_CLICK
    )
    waiting = recent.filter(status__in=(Import.Status.READING, Import.Status.UPLOADED))
    return waiting.filter(file__sha256=run.file.sha256, file__name=run.file.name).first()


def imported_before(run: Import) -> Import | None:
    """The user's last import of this very file that was carried out."""
    same = Import.objects.filter(uploaded_by=run.uploaded_by, kind=run.kind, file__sha256=run.file.sha256)
    return same.filter(status=Import.Status.DONE).exclude(pk=run.pk).first()


def read_again(
    *,
    run: Import,
    sheet: str,
    encoding: str,
    delimiter: str = "",
    header_row: int | None = None,
    template: ImportTemplate | None = None,
    by,
) -> Import:
    """Reads the first rows anew: another sheet, encoding, separator, header row, or by a template.

    Corrections of cells stay as long as the table is the same. Raises SheetError, WrongStep.
    """
    importer = demand_importer(run.kind, by)
    demand_step(run, Import.Status.UPLOADED, Import.Status.PREVIEWED)
    before = (run.sheet, run.encoding, run.delimiter)
    with local_copy(run.file) as path:
        book = read_head(path, rows=HEAD_ROWS, sheet=sheet, encoding=encoding, delimiter=delimiter)
    take_head(run, book, importer, header_row=header_row, template=template)
    if before != (run.sheet, run.encoding, run.delimiter):
        run.corrections = {}
    run.save()
    return run


def take_head(
    run: Import,
    book: Book,
    importer: Importer,
    header_row: int | None = None,
    template: ImportTemplate | None = None,
) -> None:
    """Fills the import from what is known of its file: where the headers are, and what the columns mean."""
    fields = importer.fields(run.uploaded_by)
    found = find_header(book.rows, fields)
    run.header_row = found if header_row is None else header_row
    columns = list_columns(book.rows, run.header_row, samples=0)
    mapping = guess_mapping(columns, fields, region=company_country(), learned=learned(run))
    run.mapping = {str(index): key for index, key in mapping.items()}
    headers = {column.index: column.header for column in columns}
    run.columns = [headers.get(index, "") for index in range(max(headers, default=-1) + 1)]
    run.template = None
    if chosen := template or recognise(run):
        apply_template(run, chosen, {target.key for target in fields})
    run.head = [[row.number, [cell[:HEAD_CHARACTERS] for cell in row.cells]] for row in book.rows]
    run.sheets, run.sheet, run.encoding = book.sheets, book.sheet, book.encoding
    run.delimiter = book.delimiter
    run.formulas = book.formulas
    run.row_count = book.count - sum(row.number <= run.header_row for row in book.rows)
    run.status = Import.Status.UPLOADED


def head_rows(run: Import) -> list[Row]:
    return [Row(number, cells) for number, cells in run.head]


@transaction.atomic
def check_import(
    *,
    run: Import,
    mapping: dict[int, str],
    options: dict | None = None,
    template: str = "",
    is_shared: bool = False,
    by,
) -> Job:
    """Accepts the matching and has every row read, checked and compared with what exists.

    `options`: the `keys` that tell a duplicate and `fixed` texts for every row. Raises WrongStep, PermissionDenied.
    """
    importer = demand_importer(run.kind, by)
    demand_step(run, Import.Status.UPLOADED, Import.Status.PREVIEWED)
    known = importer.field_map(by)
    run.mapping = {
        str(index): key for index, key in mapping.items() if key in known and 0 <= index < len(run.columns)
    }
    if options is not None:
        run.options = {**run.options, **options}
    if template:
        run.template = save_template(run, template, is_shared=is_shared)
    return check_again(run=run, by=by)


@transaction.atomic
def check_again(*, run: Import, by) -> Job:
    """Has the rows read anew, with the matching, options and corrections there are."""
    run.counts, run.unknown = {}, {}
    run.status = Import.Status.CHECKING
    return _enqueue(run, "listing.import_check", by)


@transaction.atomic
def start_import(*, run: Import, mode: str | None = None, by) -> Job:
    """Has the checked rows written. Raises WrongStep, PermissionDenied."""
    demand_importer(run.kind, by)
    if mode is not None:
        run.mode = Import.Mode(mode)
    # A second click finds the import running and changes nothing.
    begun = Import.objects.filter(pk=run.pk, status=Import.Status.PREVIEWED).update(
        status=Import.Status.RUNNING, mode=run.mode
    )
    if not begun:
        raise WrongStep(run.status)
    run.status = Import.Status.RUNNING
    return _enqueue(run, "listing.import_run", by)


@transaction.atomic
def decide_row(*, run: Import, number: int, decision: str, by) -> ImportRow:
    """What to do with one duplicate, whatever was chosen for all. Raises WrongStep or DoesNotExist."""
    demand_importer(run.kind, by)
    demand_step(run, Import.Status.PREVIEWED)
    row = run.rows.get(number=number, status__in=ImportRow.PENDING)
    row.decision = ImportRow.Decision(decision)
    row.save(update_fields=["decision"])
    run.corrections.setdefault("decisions", {})[str(number)] = decision
    run.save(update_fields=["corrections"])
    return row


@transaction.atomic
def cancel_import(*, run: Import, by) -> Import:
    """Ends an import where it stands: rows already written stay. Raises WrongStep."""
    run.refresh_from_db()
    if run.is_ended:
        raise WrongStep(run.status)
    if run.is_working and run.job is not None and run.job.is_open:
        # The import follows its job, which ends before its next batch.
        jobs.cancel(job=run.job, by=by)
        run.refresh_from_db()
        return run
    run.status = Import.Status.CANCELLED
    run.save(update_fields=["status"])
    return run


def count_rows(run: Import) -> dict[str, int]:
    """Rows by status, one query."""
    return dict(run.rows.order_by().values_list("status").annotate(Count("pk")))


def demand_step(run: Import, *steps: str) -> None:
    """Raises WrongStep unless the import stands at one of the steps."""
    run.refresh_from_db(fields=["status"])
    if run.status not in steps:
        raise WrongStep(run.status)


def _enqueue(run: Import, kind: str, by) -> Job:
    run.job = jobs.enqueue(
        kind=kind, key=str(run.pk), args={"run": run.pk}, by=by, total=run.row_count or None
    )
    run.save()
    return run.job


@contextmanager
def local_copy(stored: StoredFile) -> Iterator[str]:
    """A path on this machine: the file's own, or a temporary copy when it is kept elsewhere.

    Raises SheetError when the file is not what was uploaded, before it is read or after.
    """
    with _local_path(stored) as path:
        _demand_unchanged(path, stored)
        yield path
        _demand_unchanged(path, stored)


def _demand_unchanged(path: str, stored: StoredFile) -> None:
    with Path(path).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
            raise SheetError("changed")


@contextmanager
def _local_path(stored: StoredFile) -> Iterator[str]:
    try:
        path = stored.content.path
    except NotImplementedError:
        path = ""
    if path:
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy, stored.content.open("rb") as source:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield copy.name


@contextmanager
def _uploaded_path(upload: UploadedFile) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as copy:
            for chunk in upload.chunks():
                copy.write(chunk)
        upload.seek(0)
        yield str(path)
