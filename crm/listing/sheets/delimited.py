"""Text files with separators: which encoding, which separator, which rows."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

from charset_normalizer import from_bytes

from .limits import CSV_FIELD_CHARACTERS, ENCODINGS, Refused

_SAMPLE_BYTES = 200_000
_SAMPLE_RECORDS = 60
DELIMITERS = ";,\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# The Polish letters that Windows and ISO put in different places, standing inside words.
_WINDOWS_LETTERS = re.compile(rb"[A-Za-z][\xb9\x9c\x9f]|[\x8c\x8f][a-z\xf3\xea\xb9]")
_ISO_LETTERS = re.compile(rb"[A-Za-z][\xb1\xb6\xbc]|[\xa6\xac][a-z\xf3\xea\xb1]")


def detect_encoding(path: str) -> str:
    with Path(path).open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    utf16 = _unmarked_utf16(sample)
    if utf16:
        return utf16
    if b"\0" in sample:
        raise Refused("not_a_spreadsheet")
    if _is_utf8(path):
        return "utf-8"
    return _one_byte_encoding(_first_foreign_part(path))


def _unmarked_utf16(sample: bytes) -> str:
    pairs = len(sample) // 2
    if pairs < 2:
        return ""
    if sample[1::2].count(0) > pairs * 0.6 and not sample[0::2].count(0):
        return "utf-16-le"
    if sample[0::2].count(0) > pairs * 0.6 and not sample[1::2].count(0):
        return "utf-16-be"
    return ""


def _is_utf8(path: str) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with Path(path).open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _first_foreign_part(path: str) -> bytes:
    """A sample that holds what is to be told apart: lines with bytes beyond ASCII."""
    lines = bytearray()
    with Path(path).open("rb") as file:
        for line in file:
            if not line.isascii():
                lines += line[:4_000]
            if len(lines) > _SAMPLE_BYTES:
                break
    return bytes(lines)


def _one_byte_encoding(sample: bytes) -> str:
    windows, iso = len(_WINDOWS_LETTERS.findall(sample)), len(_ISO_LETTERS.findall(sample))
    best = from_bytes(sample, cp_isolation=[name for name in ENCODINGS if name != "utf-16"]).best()
    guess = best.encoding.replace("_", "-") if best else "cp1250"
    guess = {"iso8859-2": "iso8859-2", "cp1250": "cp1250"}.get(guess, guess)
    if guess in {"cp1250", "iso8859-2", "cp1252"} and windows != iso:
        return "cp1250" if windows > iso else "iso8859-2"
    return guess if guess in ENCODINGS else "cp1250"


def open_text(path: str, encoding: str) -> TextIO:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise Refused("encoding") from error
    # A byte the chosen encoding does not know becomes a visible replacement character in the preview.
    return Path(path).open(encoding=encoding, errors="replace", newline="")


def detect_delimiter(path: str, encoding: str) -> tuple[str, bool]:
    """Return (separator, whether the first line is Excel's own "sep=;" line)."""
    with open_text(path, encoding) as file:
        sample = file.read(_SAMPLE_BYTES).replace("\0", "")
    first = sample[:8].lstrip("\ufeff")
    if first.lower().startswith("sep=") and len(first) > 4:
        return first[4], True
    return max(DELIMITERS, key=lambda delimiter: _regularity(sample, delimiter)), False


def _regularity(sample: str, delimiter: str) -> float:
    """How much the sample looks like a table when cut at `delimiter`: cells in rows of the usual width."""
    widths: Counter[int] = Counter()
    try:
        for record in csv.reader(StringIO(sample, newline=""), delimiter=delimiter):
            if any(cell.strip() for cell in record):
                widths[len(record)] += 1
            if widths.total() >= _SAMPLE_RECORDS:
                break
    except csv.Error:
        return 0.0
    widths.pop(1, None)
    if not widths:
        return 0.0
    width, rows = max(widths.items(), key=lambda pair: pair[1] * pair[0])
    return width * rows


def read_delimited(
    path: str, encoding: str, delimiter: str, *, skip_first: bool
) -> Iterator[tuple[int, list]]:
    """Yield (row number as a spreadsheet program would count it, cells)."""
    csv.field_size_limit(CSV_FIELD_CHARACTERS)
    with open_text(path, encoding) as file:
        lines = (line.replace("\0", "") for line in file)
        if skip_first:
            next(lines, None)
        records = csv.reader(lines, delimiter=delimiter)
        number = 1 if skip_first else 0
        while True:
            number += 1
            try:
                record = next(records)
            except StopIteration:
                return
            except csv.Error as error:
                raise Refused("cell_too_long", row=number) from error
            if number == 1 and record:
                record[0] = record[0].lstrip("\ufeff")
            yield number, record
