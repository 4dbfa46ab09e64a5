"""Everything the company has, in one archive: a workbook for each kind of record, and every table as JSON lines.

The workbooks are for people and can be imported again; the JSON lines hold whole rows, history included. Written
row by row, so that the archive may be far larger than memory. Secrets (passwords, links, tokens) stay out.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.attributes.models import Attribute, AttributedRecord
from crm.attributes.values import show_value
from crm.files.models import StoredFile
from crm.jobs.services import enqueue
from crm.listing.exports.cells import typed
from crm.listing.exports.workbook import MOST_ROWS, WorkbookWriter
from crm.listing.models import FullExport
from crm.people.kinds import RecordKind, all_kinds
from crm.people.models import User

JOB = "listing.full_export"
FILE_KIND = "listing.fullexport"
CHUNK = 1_000
# What is derived from other tables, or lives for minutes, or opens doors.
LEFT_OUT = {
    "attributes.attributevalue", "notify.liverow", "web.formtoken", "jobs.job", "listing.importrow",
    "history.eventlink", "listing.bulkitem",
}  # fmt: skip
OURS = ("crm.", "counterparties", "deals", "leads", "funnel", "marketing", "collab.", "bpm", "telephony")
_SECRET = re.compile(r"password|token|nonce|secret")
_DERIVED = {"search_text", "sort_key", "name_key", "attributes", "version", "department", "deleted_at"}

Report = Callable[[int, int], None]


def may_export_everything(user) -> bool:
    # Only staff hold rights of the administration: everybody else is spared the query on every page.
    return user.is_active and user.is_staff and user.has_perm("listing.export_everything")


@transaction.atomic
def request_full_export(*, by: User) -> FullExport:
    """Has the archive written; while one is being written, gives that one. Raises PermissionDenied."""
    if not may_export_everything(by):
        raise PermissionDenied
    running = FullExport.objects.filter(made_by=by, file=None).select_related("job").first()
    if running is not None and running.job is not None and running.job.is_open:
        return running
    found = FullExport.objects.create(made_by=by)
    found.job = enqueue(kind=JOB, key=f"everything:{found.pk}", args={"export": found.pk}, by=by)
    found.save(update_fields=["job"])
    return found


def exported_models() -> list[type[models.Model]]:
    """Our own tables, in the order of their names."""
    ours = [
        model
        for model in apps.get_models()
        if model.__module__.startswith(OURS) and model._meta.label_lower not in LEFT_OUT
    ]
    return sorted(ours, key=lambda model: model._meta.label_lower)


def write_everything(path: Path, report: Report) -> dict[str, int]:
    """Writes the archive; {table: rows}. `report(done, total)` is told after each thousand rows."""
    tables = exported_models()
    total = sum(model._base_manager.count() for model in tables)
    counts: dict[str, int] = {}
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3, allowZip64=True) as archive:
        for kind in all_kinds():
            _add_workbook(archive, kind)
            report(done, total)
        for model in tables:
            label = model._meta.label_lower
            with archive.open(f"json/{label}.jsonl", "w", force_zip64=True) as out:
                for number, line in enumerate(json_lines(model), start=1):
                    out.write(line)
                    counts[label] = number
                    if number % CHUNK == 0:
                        report(done + number, total)
            done += counts.get(label, 0)
        archive.writestr("README.txt", _readme(counts))
    return counts


def json_lines(model: type[models.Model]) -> Iterator[bytes]:
    """Every row as one line of JSON: columns by name, many-to-many links as lists of ids."""
    fields = [one for one in model._meta.concrete_fields if not _SECRET.search(one.attname)]
    many = [one for one in model._meta.local_many_to_many if one.remote_field.through._meta.auto_created]
    rows = model._base_manager.order_by("pk").prefetch_related(*(one.name for one in many))
    for row in rows.iterator(chunk_size=CHUNK):
        values = {one.attname: _plain(one, getattr(row, one.attname)) for one in fields}
        values |= {one.name: [other.pk for other in getattr(row, one.name).all()] for one in many}
        yield json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"


def _plain(field: models.Field, value):
    return str(value) if isinstance(field, models.FileField) else value


def _add_workbook(archive: zipfile.ZipFile, kind: RecordKind) -> None:
    """The kind's records with their attributes, as people read them."""
    name = "".join(char for char in str(kind.plural).capitalize() if char not in "[]:*?/\\'")
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / "rows.xlsx"
        columns, attributes = _columns(kind.model)
        with WorkbookWriter(path, name, ["text"] * (len(columns) + len(attributes))) as book:
            book.write([*(_heading(one) for one in columns), *(str(one) for one in attributes)])
            for number, row in enumerate(_rows(kind.model, columns, attributes), start=2):
                if number > MOST_ROWS:
                    break
                book.write(row)
        archive.write(path, f"xlsx/{name}.xlsx")


def _heading(field: models.Field) -> str:
    text = str(field.verbose_name)
    return text[:1].upper() + text[1:]


def _columns(model: type[models.Model]) -> tuple[list[models.Field], list[Attribute]]:
    columns = [
        one
        for one in model._meta.concrete_fields
        if one.name not in _DERIVED and not _SECRET.search(one.name)
    ]
    if not issubclass(model, AttributedRecord):
        return columns, []
    found: dict[str, Attribute] = {}
    rows = Attribute.objects.filter(attribute_set__kind=model._meta.label_lower, archived=False)
    for attribute in rows.order_by("attribute_set_id", "position", "id"):
        found.setdefault(attribute.key, attribute)
    return columns, list(found.values())


def _rows(
    model: type[models.Model], columns: list[models.Field], attributes: list[Attribute]
) -> Iterable[list]:
    related = [one.name for one in columns if isinstance(one, models.ForeignKey)]
    standing = model._base_manager.order_by("pk")
    if any(one.name == "deleted_at" for one in model._meta.concrete_fields):
        standing = standing.filter(deleted_at=None)
    for row in standing.select_related(*related).iterator(chunk_size=CHUNK):
        values = [typed(_shown(row, one)) for one in columns]
        held = row.attributes if attributes else {}
        yield [*values, *(typed(show_value(one, held.get(one.key))) for one in attributes)]


def _shown(row: models.Model, field: models.Field):
    value = getattr(row, field.name)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value


def _readme(counts: dict[str, int]) -> str:
    head = _(
        "Everything this installation held. xlsx: what can be imported again. json: whole tables, one row a line."
    )
    return "\n".join([head, "", *(f"{label}: {count}" for label, count in sorted(counts.items()))]) + "\n"


def keep_archive(export: FullExport, path: Path, counts: dict[str, int]) -> None:
    """Stores the archive beside its export; only its maker fetches it."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        stored = StoredFile(
            name=f"contentum-{timezone.localdate():%Y-%m-%d}.zip", size=path.stat().st_size,
            content_type="application/zip", sha256=digest, record_kind=FILE_KIND, record_id=export.pk,
            uploaded_by=export.made_by,
        )  # fmt: skip
        stored.content.save(stored.name, File(content), save=False)
    stored.save()
    export.file, export.counts = stored, counts
    export.save(update_fields=["file", "counts"])
