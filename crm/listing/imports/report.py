"""What became of the rows: pages to look at, and the bad ones as a workbook to correct and import again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import IllegalCharacterError

from crm.listing.imports.registry import Importer, ImportField
from crm.listing.imports.staging import message_of
from crm.listing.models import Import, ImportRow
from crm.people.kinds import kind_named, visible_pairs

PAGE = 50
SHOWN_CHARACTERS = 120
# More columns than these make a page heavy; the rest is on the row's own page.
SHOWN_FIELDS = 24
TABS = {
    "all": (),
    "ready": (ImportRow.Status.READY,),
    "duplicates": (ImportRow.Status.DUPLICATE,),
    "bad": ImportRow.FAULTY,
    "created": (ImportRow.Status.CREATED,),
    "updated": (ImportRow.Status.UPDATED,),
    "skipped": (ImportRow.Status.SKIPPED,),
    "withdrawn": (ImportRow.Status.WITHDRAWN,),
    "left": (ImportRow.Status.LEFT,),
}
TONES = {
    ImportRow.Status.READY: ("grey", "circle"),
    ImportRow.Status.DUPLICATE: ("amber", "copy"),
    ImportRow.Status.BAD: ("red", "exclamation-triangle"),
    ImportRow.Status.FAILED: ("red", "x-octagon"),
    ImportRow.Status.CREATED: ("green", "check2"),
    ImportRow.Status.UPDATED: ("blue", "pencil"),
    ImportRow.Status.SKIPPED: ("grey", "skip-forward"),
    ImportRow.Status.WITHDRAWN: ("grey", "arrow-counterclockwise"),
    ImportRow.Status.LEFT: ("amber", "exclamation-triangle"),
}


@dataclass(frozen=True)
class Cell:
    """`raw`: what the file says, for correcting; `column`: where in the sheet. `is_next`: the one to correct now."""

    text: str
    message: str = ""
    column: int = 0
    key: str = ""
    raw: str = ""
    header: str = ""
    is_next: bool = False


@dataclass(frozen=True)
class Line:
    """One staged row, ready to show."""

    row: ImportRow
    tone: str
    icon: str
    cells: list[Cell]
    messages: list[str]
    duplicate: str
    duplicate_url: str
    record_url: str


@dataclass(frozen=True)
class RowPage:
    headers: list[str]
    lines: list[Line]
    next_after: int | None


def page_of_rows(
    run: Import, importer: Importer, user, *, show: str, after: int = 0, focus: int = 0
) -> RowPage:
    """`PAGE` rows behind row number `after`, of the wanted statuses. `focus`: the row that was corrected last."""
    rows = run.rows.filter(number__gt=after).order_by("number")
    if statuses := TABS.get(show, ()):
        rows = rows.filter(status__in=statuses)
    found = list(rows[: PAGE + 1])
    targets = importer.field_map(user)
    shown = [(index, targets[key]) for index, key in sorted(run.by_column.items()) if key in targets][
        :SHOWN_FIELDS
    ]
    records = _records(run, user, found[:PAGE])
    lines = [_line(run, importer, row, shown, records) for row in found[:PAGE]]
    if focus:
        _point_at_next(lines, focus)
    last = found[PAGE - 1].number if len(found) > PAGE else None
    return RowPage([str(target.label) for _index, target in shown], lines, last)


def _point_at_next(lines: list[Line], focus: int) -> None:
    """Marks the first wrong cell from the corrected row on: the keyboard goes there."""
    for line in lines:
        for place, cell in enumerate(line.cells):
            if line.row.number >= focus and cell.message:
                line.cells[place] = replace(cell, is_next=True)
                return


def _records(run: Import, user, rows: list[ImportRow]) -> set[tuple[str, int]]:
    """Which of the records the rows speak of the user may still see."""
    pairs = {(run.kind, row.record_id) for row in rows if row.record_id}
    pairs |= {(row.duplicate["kind"], row.duplicate["id"]) for row in rows if row.duplicate.get("id")}
    return set(visible_pairs(user, pairs))


def _line(run: Import, importer: Importer, row: ImportRow, shown, records) -> Line:
    by_column: dict[int, str] = {}
    rest = []
    for error in row.errors:
        message = message_of(importer, error)
        if error["column"] in {index for index, _target in shown}:
            by_column[error["column"]] = message
        else:
            rest.append(message)
    cells = [
        Cell(
            _shown(row, index, target),
            by_column.get(index, ""),
            index,
            target.key,
            row.cells[index] if index < len(row.cells) else "",
            str(target.label),
        )
        for index, target in shown
    ]
    duplicate, duplicate_url = _duplicate(importer, row, records)
    record = (run.kind, row.record_id)
    tone, icon = TONES[row.status]
    record_url = address(*record) if record in records else ""
    return Line(row, tone, icon, cells, rest, duplicate, duplicate_url, record_url)


def _shown(row: ImportRow, index: int, target: ImportField) -> str:
    """The value as it will be stored where that is a text of this very cell, else what the file says."""
    value = row.values.get(target.key)
    if not isinstance(value, str) or target.joins or target.choices:
        value = row.cells[index] if index < len(row.cells) else ""
    return value[:SHOWN_CHARACTERS]


def _duplicate(importer: Importer, row: ImportRow, records) -> tuple[str, str]:
    found = row.duplicate
    if not found:
        return "", ""
    by = importer.key_labels.get(found["by"], found["by"])
    if "row" in found:
        return _("same %(key)s as row %(row)s") % {"key": by, "row": found["row"]}, ""
    pair = (found["kind"], found["id"])
    return f"{by}: {found['text']}", address(*pair) if pair in records else ""


def address(kind: str, pk: int) -> str:
    known = kind_named(kind)
    return known.url(pk) if known else ""


def bad_rows_workbook(run: Import, importer: Importer) -> bytes:
    """The rows that were not imported, as they came, with the reason in a column of its own in front."""
    headers = [_("Row"), _("What is wrong"), *run.columns]
    rows = run.rows.filter(status__in=ImportRow.FAULTY).order_by("number").iterator(chunk_size=2000)
    return write_workbook(
        headers,
        (
            [
                str(row.number),
                "; ".join(_named_message(run, importer, error) for error in row.errors),
                *row.cells,
            ]
            for row in rows
        ),
    )


def _named_message(run: Import, importer: Importer, error: dict) -> str:
    index = error["column"]
    header = run.columns[index] if index is not None and index < len(run.columns) else ""
    message = message_of(importer, error)
    return f"{header}: {message}" if header else message


def write_workbook(headers: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook whose every cell is text: what begins with "=" stays what it is."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_text_cell(sheet, str(header), bold=True) for header in headers])
    for row in rows:
        sheet.append([_text_cell(sheet, str(value)) for value in row])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _text_cell(sheet, text: str, *, bold: bool = False) -> WriteOnlyCell:
    try:
        cell = WriteOnlyCell(sheet, value=text)
    except IllegalCharacterError:
        cell = WriteOnlyCell(sheet, value="".join(char for char in text if char.isprintable()))
    # Else the library makes a formula of a text that begins with "=".
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
