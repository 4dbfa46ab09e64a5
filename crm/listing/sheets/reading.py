"""Open a spreadsheet in a child process and take its rows as they come."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .errors import SheetError

# The child is started as the package `sheets`, so that the project's package, and Django with it, stays out.
_PACKAGE = Path(__file__).resolve().parent


class Row(NamedTuple):
    number: int
    cells: list[str]


@dataclass
class Book:
    """What is known of a spreadsheet before its rows: where it came from and how it was read."""

    format: str
    sheets: list[str]
    sheet: str
    encoding: str
    delimiter: str
    formulas: int
    rows: list[Row] = field(default_factory=list)
    count: int = 0
    last: int = 0


def read_head(
    path: str | os.PathLike, *, rows: int = 40, sheet: str = "", encoding: str = "", delimiter: str = ""
) -> Book:
    """The book's description, its first rows and the number of all rows that hold anything."""
    lines = _lines(
        {
            "path": os.fspath(path),
            "sheet": sheet,
            "encoding": encoding,
            "delimiter": delimiter,
            "head": rows,
        }
    )
    book = Book(**next(lines))
    for line in lines:
        if isinstance(line, list):
            book.rows.append(Row(*line))
        else:
            book.count, book.last = line["rows"], line["last"]
    if not book.count:
        raise SheetError("empty")
    return book


def read_rows(
    path: str | os.PathLike, *, sheet: str = "", encoding: str = "", delimiter: str = "", after: int = 0
) -> Iterator[Row]:
    """Every row beyond number `after` that holds anything. Close the iterator to stop the child early."""
    lines = _lines(
        {
            "path": os.fspath(path),
            "sheet": sheet,
            "encoding": encoding,
            "delimiter": delimiter,
            "after": after,
        }
    )
    try:
        next(lines)
        for line in lines:
            if isinstance(line, list):
                yield Row(*line)
    finally:
        lines.close()


def _lines(arguments: dict) -> Iterator[dict | list]:
    child = subprocess.Popen(
        [sys.executable, "-E", "-s", "-m", f"{_PACKAGE.name}.child", json.dumps(arguments)],
        cwd=_PACKAGE.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
    )
    complete = False
    try:
        for text in child.stdout:
            line = json.loads(text)
            if isinstance(line, dict) and "error" in line:
                raise SheetError(line["error"], **line["params"])
            complete = isinstance(line, dict) and "rows" in line
            yield line
        _check_end(child.wait(), complete=complete)
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _check_end(code: int, *, complete: bool) -> None:
    if complete and code == 0:
        return
    spent = {-signal.SIGABRT, -signal.SIGKILL, -signal.SIGXCPU, -signal.SIGSEGV}
    raise SheetError("too_large" if code in spent else "damaged")
