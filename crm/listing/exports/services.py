"""Asking for an export and writing it."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from crm.files.models import StoredFile
from crm.jobs.services import enqueue
from crm.listing.attached import attach
from crm.listing.exports.cells import typed, written
from crm.listing.exports.workbook import WorkbookWriter
from crm.listing.lists import RecordList, reopen
from crm.listing.models import Export
from crm.people.fields import mask
from crm.people.kinds import kind_named
from crm.people.models import User

BATCH = 1000
FILE_KIND = "listing.export"
TYPES = {
    Export.Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Export.Form.CSV: "text/csv",
}


def may_export(user, kind: str) -> bool:
    return user.access.may(kind, "export")


@transaction.atomic
def request_export(*, rows: RecordList, form: str, by: User) -> Export:
    """Has the rows of a list written to a file, with the list's columns. Raises PermissionDenied without the right."""
    if not may_export(by, rows.kind):
        raise PermissionDenied
    export = Export.objects.create(
        kind=rows.kind,
        query=rows.query_string,
        columns=[one.key for one in rows.columns],
        form=form,
        made_by=by,
    )
    export.job = enqueue(kind="listing.export", key=f"export:{export.pk}", args={"export": export.pk}, by=by)
    export.save(update_fields=["job"])
    return export


class ExportRows:
    """What goes into the file: rows the maker may still both see and export, in the order of the list."""

    def __init__(self, export: Export, user: User) -> None:
        self.user = user
        self.list = reopen(export.kind, export.query, user)
        allowed = self.list.model.objects.visible_to(user, "export")
        wanted = [self.list.field(key) for key in export.columns]
        self.columns = [one for one in wanted if one is not None and one.is_exported]
        ordered = self.list.ordered(self.list.matching_rows.filter(pk__in=allowed.values("pk")))
        # The ids alone, eight bytes each: the rows themselves come and go a thousand at a time.
        self.ids = array("q", ordered.values_list("pk", flat=True).iterator(chunk_size=5000))

    def heading(self) -> list[str]:
        return [str(one.label) for one in self.columns]

    def batches(self) -> Iterator[list[list]]:
        """Typed rows; the right is asked again for each batch."""
        for start in range(0, len(self.ids), BATCH):
            wanted = self.ids[start : start + BATCH].tolist()
            self.user.__dict__.pop("access", None)
            allowed = self.list.model.objects.visible_to(self.user, "export")
            rows = list(self.list.with_columns(self.list.joined(allowed.filter(pk__in=wanted))))
            mask(self.user, rows)
            attach(rows, self.columns, self.list.kind, self.user)
            found = {row.pk: row for row in rows}
            yield [[typed(one.value(found[pk])) for one in self.columns] for pk in wanted if pk in found]


@contextmanager
def open_writer(export: Export, path: Path, kinds: list[str]):
    """A function that writes one row of typed values."""
    if export.form == Export.Form.XLSX:
        with WorkbookWriter(path, title_of(export), kinds) as book:
            yield book.write
        return
    polish = (get_language() or "").startswith("pl")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, delimiter=";" if polish else ",")
        yield lambda values: lines.writerow([written(value, comma=polish) for value in values])


def title_of(export: Export) -> str:
    known = kind_named(export.kind)
    plain = str(known.plural).capitalize() if known else _("Export")
    return "".join(char for char in plain if char not in "[]:*?/\\'")


def keep_file(export: Export, path: Path, row_count: int) -> None:
    """Puts the written file beside the export. It stands on no card: only the export's own page gives it out."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        name = f"{title_of(export)} {timezone.localdate():%Y-%m-%d}.{export.form}"
        stored = StoredFile(
            name=name, size=path.stat().st_size, content_type=TYPES[export.form], sha256=digest,
            record_kind=FILE_KIND, record_id=export.pk, uploaded_by=export.made_by,
        )  # fmt: skip
        stored.content.save(name, File(content), save=False)
    stored.save()
    export.file, export.row_count = stored, row_count
    export.save(update_fields=["file", "row_count"])


@contextmanager
def scratch_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        yield Path(folder) / "rows"


@contextmanager
def in_reader_language(user: User) -> Iterator[None]:
    """Labels, dates and zone as the person reads them."""
    with override(user.language), timezone.override(ZoneInfo(user.time_zone)):
        yield
