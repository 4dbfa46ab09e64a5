"""Writing a workbook row by row, in constant memory: one sheet, typed cells, no formulas possible.

A text is written as an inline string, which no spreadsheet ever evaluates.
"""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

MOST_ROWS = 1_048_576
_EPOCH = datetime(1899, 12, 30)
_EXCEL_DAYS = date(1900, 3, 1)  # before it the calendar of spreadsheets is wrong
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEETML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_BOLD, _DATE, _MOMENT, _MONEY = 1, 2, 3, 4
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEETML}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEETML}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="5"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="164" applyNumberFormat="1"/>'
        '<xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="4" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}  # fmt: skip


class WorkbookWriter:
    """`with WorkbookWriter(path, title, kinds) as book: book.write(values)`; the first row is the heading."""

    def __init__(self, path: Path, title: str, kinds: list[str]) -> None:
        self.kinds, self.rows = kinds, 0
        self._package = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        for name, text in _PARTS.items():
            self._package.writestr(name, _XML + text)
        sheet = escape(title[:31], {'"': "&quot;"})
        self._package.writestr(
            "xl/workbook.xml",
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        self._part = self._package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._say(
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews><sheetData>'
        )

    def __enter__(self) -> WorkbookWriter:
        return self

    def __exit__(self, kind, *rest) -> None:
        if kind is None:
            self._say("</sheetData></worksheet>")
        self._part.close()
        self._package.close()

    def _say(self, text: str) -> None:
        self._part.write(text.encode())

    def write(self, values: list) -> None:
        """One row of typed values."""
        self.rows += 1
        heading = self.rows == 1
        cells = "".join(
            _cell(value, _BOLD if heading else _MONEY if kind == "money" else 0)
            for value, kind in zip(values, self.kinds, strict=True)
        )
        self._say(f"<row>{cells}</row>")


def _cell(value, style: int) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Decimal):
        return f'<c s="{style}"><v>{value:f}</v></c>' if abs(value) < 10**15 else _text(f"{value:f}", style)
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
        if day < _EXCEL_DAYS:
            return _text(day.isoformat(), style)
        if isinstance(value, datetime):
            return f'<c s="{_MOMENT}"><v>{(value - _EPOCH).total_seconds() / 86400:.8f}</v></c>'
        return f'<c s="{_DATE}"><v>{(value - _EPOCH.date()).days}</v></c>'
    return _text(value, style)


def _text(value: str, style: int) -> str:
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
