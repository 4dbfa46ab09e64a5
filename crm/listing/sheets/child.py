"""The process that opens a spreadsheet: `python -m crm.listing.sheets.child '{"path": …}'`.

It knows nothing of Django, limits its own memory and processor time before it touches the file, and writes
JSON lines: one about the book, one for each row that holds anything, one at the end. A reader that
aborts the whole process (a cell in XFD1048576 makes calamine ask for 550 GB) so costs the caller a message,
not a server.
"""

import datetime as dt
import json
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .limits import CELL_CHARACTERS, COLUMNS, CPU_SECONDS, MEMORY_BYTES, ROWS, Refused

_ZIP = b"PK"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_FOREIGN = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"\x7fELF",
    b"MZ\x90",
)
_MARKUP = ("<html", "<!doctype", "<table", "<?xml", "<body", "<head", "<script", "<svg")
_LARGEST_EXACT_INTEGER = 10**15
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0xFEFF, *range(0xD800, 0xE000)])


def limit_process() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def main(arguments: dict) -> None:
    out = sys.stdout
    try:
        for line in read(**arguments):
            out.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")))
            out.write("\n")
        out.flush()
    except Refused as refused:
        _finish(out, {"error": refused.code, "params": refused.params})
    except MemoryError:
        _finish(out, {"error": "too_large", "params": {}})


def _finish(out, line: dict) -> None:
    out.write(json.dumps(line) + "\n")
    out.flush()


def read(
    *, path: str, sheet: str = "", encoding: str = "", delimiter: str = "", head: int = 0, after: int = 0
) -> Iterator[dict | list]:
    """Yield the book's description, `[number, cells]` per row that holds anything, and the closing count.

    With `head` only so many rows are handed out (all are counted); with `after` only rows beyond that number.
    """
    found = detect_format(path)
    if found == "csv":
        book, rows = _open_delimited(path, encoding, delimiter)
    else:
        book, rows = _open_workbook(path, found, sheet)
    yield book
    count = last = 0
    for number, cells in rows:
        if not _holds_anything(cells):
            continue
        count += 1
        last = number
        if count > ROWS:
            raise Refused("too_many_rows", most=ROWS)
        if number > after and (not head or count <= head):
            yield [number, [*_texts(cells, number)]]
    yield {"rows": count, "last": last}


def detect_format(path: str) -> str:
    with Path(path).open("rb") as file:
        start = file.read(4096)
        if not start:
            raise Refused("empty")
        if start.startswith(_ZIP):
            return "zip"
        if start.startswith(_OLE):
            return _detect_ole(start + file.read())
    if start.startswith(_FOREIGN):
        raise Refused("not_a_spreadsheet")
    text = start.replace(b"\0", b"").decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    if text.startswith(_MARKUP):
        raise Refused("markup")
    return "csv"


def _detect_ole(content: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Refused("password")
    if "Workbook".encode("utf-16-le") in content or "Book".encode("utf-16-le") in content:
        return "xls"
    raise Refused("not_a_spreadsheet")


def _open_delimited(path: str, encoding: str, delimiter: str) -> tuple[dict, Iterable[tuple[int, list]]]:
    from .delimited import DELIMITERS, detect_delimiter, detect_encoding, read_delimited

    # Binary content is refused even when the caller names an encoding.
    detected = detect_encoding(path)
    encoding = encoding or detected
    found, skip_first = detect_delimiter(path, encoding)
    delimiter = delimiter if delimiter in (*DELIMITERS, found) and delimiter else found
    book = {
        "format": "csv",
        "sheets": [],
        "sheet": "",
        "encoding": encoding,
        "delimiter": delimiter,
        "formulas": 0,
    }
    return book, read_delimited(path, encoding, delimiter, skip_first=skip_first)


def _open_workbook(path: str, found: str, sheet: str) -> tuple[dict, Iterable[tuple[int, list]]]:
    import python_calamine as calamine

    formulas = 0
    if found == "zip":
        from .unpack import inspect_package

        found, formulas = inspect_package(path, os.path.getsize(path))
    try:
        workbook = calamine.CalamineWorkbook.from_path(path)
        names = [
            meta.name
            for meta in workbook.sheets_metadata
            if meta.typ == calamine.SheetTypeEnum.WorkSheet
            and meta.visible == calamine.SheetVisibleEnum.Visible
        ] or list(workbook.sheet_names)
        if not names:
            raise Refused("empty")
        chosen, table = _choose_sheet(workbook, names, sheet)
    except calamine.PasswordError as error:
        raise Refused("password") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise Refused("damaged") from error
    book = {
        "format": found,
        "sheets": names,
        "sheet": chosen,
        "encoding": "",
        "delimiter": "",
        "formulas": formulas,
    }
    return book, _sheet_rows(table)


def _choose_sheet(workbook, names: list[str], wanted: str):
    if wanted:
        if wanted not in names:
            raise Refused("no_such_sheet")
        return wanted, workbook.get_sheet_by_name(wanted)
    for name in names:
        table = workbook.get_sheet_by_name(name)
        if table.height:
            return name, table
    raise Refused("empty")


def _sheet_rows(table) -> Iterator[tuple[int, list]]:
    # Empty rows above the first used one are handed out too, so counting gives the sheet's own row numbers.
    yield from enumerate(table.iter_rows(), 1)


def _holds_anything(cells: list) -> bool:
    return any(
        cell is not None and cell != "" and not (isinstance(cell, str) and cell.isspace()) for cell in cells
    )


def _texts(cells: list, number: int) -> Iterator[str]:
    end = len(cells)
    while end and cells[end - 1] in ("", None):
        end -= 1
    if end > COLUMNS:
        raise Refused("too_many_columns", most=COLUMNS, row=number)
    return (_text(cell) for cell in cells[:end])


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell.translate(_CONTROL).strip()[:CELL_CHARACTERS]
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < _LARGEST_EXACT_INTEGER:
            return str(int(cell))
        return repr(cell)
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


if __name__ == "__main__":
    limit_process()
    main(json.loads(sys.argv[1]))
