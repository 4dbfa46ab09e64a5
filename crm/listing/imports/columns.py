"""Which row holds the headers, and which column means which field: by names, then by contents."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from crm.listing.imports.cells import CellError, clean, tax_number_of
from crm.listing.imports.registry import ImportField
from crm.listing.sheets.reading import Row
from crm.people.folding import fold
from crm.people.phones import split_phones

_LOOKED_AT = 30
_LONGEST_HEADER = 60
_LIKENESS = 0.86
_MAJORITY = 0.6
_EXACT = 100.0
_WORDS = re.compile(r"[^a-z0-9а-я]+")
# Names too common to mean anything inside a longer header: "Middle name", "Assistant's phone".
_COMMON = (
    "name nazwa kontakt contact kod deal lead label tag role rola title first last business web url domain klient "
    "client customer firma company osoba person tytul temat subject value sum total start location state"
)
_ALONE = frozenset(_COMMON.split())
# Words that make another column of a known one.
_OTHERS = (
    "id ids type typ label etykieta status state stan assistant asystent asystenta manager kierownik kierownika spouse "
    "middle suffix prefix nickname birthday urodzenia created utworzenia utworzone modified modyfikacji updated "
    "last ostatnia ostatni count liczba currency waluta phonetic yomi referred skype score verified date data "
    "campaign kampania"
)
_STRANGE = frozenset(_OTHERS.split())
_NEEDS = {
    "email": lambda text: "@" in text,
    "phone": lambda text: any(char.isdigit() for char in text),
    "tax_number": lambda text: any(char.isdigit() for char in text),
    "money": lambda text: any(char.isdigit() for char in text),
}


_NAMED_FIRST = ("date", "money")
_WRITTEN_DATE = re.compile(r"^\d{4}[-./]\d\d?[-./]\d\d?|^\d\d?[-./]\d\d?[-./]\d{4}")
# Pence or a currency: a bare number may be anything.
_WRITTEN_MONEY = re.compile(r"(?i)\d[.,]\d\d(\s|$|\D)|zł|pln|eur|usd|gbp|chf|€|\$|£")


@dataclass(frozen=True)
class Column:
    """One column of the sheet: where it stands, what it is called, what is in it."""

    index: int
    header: str
    samples: tuple[str, ...]


@lru_cache(maxsize=4096)
def plain(header: str) -> str:
    """A header reduced to its words: "Tel. kom. (służb.)" is "tel kom sluzb"."""
    return _WORDS.sub(" ", fold(header)).strip()


def find_header(rows: Sequence[Row], fields: Sequence[ImportField]) -> int:
    """The number of the row that names the columns, 0 when none does."""
    names = {plain(name) for target in fields for name in _names(target)}
    best, best_score = 0, 0.0
    for position, row in enumerate(rows[:_LOOKED_AT]):
        score = _header_score(row.cells, [other.cells for other in rows[position + 1 : position + 11]], names)
        if score > best_score:
            best, best_score = row.number, score
    return best


def _header_score(cells: list[str], below: list[list[str]], names: set[str]) -> float:
    """How much a row looks like headers: known names count most, then short texts above data that differs."""
    filled = [cell for cell in cells if cell]
    if not filled or any(_is_datum(cell) for cell in filled):
        return 0.0
    known = sum(plain(cell) in names for cell in filled)
    worded = sum(len(cell) <= _LONGEST_HEADER and any(char.isalpha() for char in cell) for cell in filled)
    widths = sorted(sum(bool(cell) for cell in row) for row in below) or [len(filled)]
    usual = max(1, widths[len(widths) // 2])
    if not known and (worded < len(filled) or len(filled) < min(usual, 2) or not _holds_data(below)):
        return 0.0
    return 3 * known + min(1.0, len(filled) / usual) + 0.5 * (len(set(filled)) == len(filled))


def _holds_data(rows: list[list[str]]) -> bool:
    return any(_is_datum(cell) for row in rows for cell in row if cell)


def _is_datum(cell: str) -> bool:
    digits = sum(char.isdigit() for char in cell)
    return digits > len(cell) / 2 or ("@" in cell and "." in cell)


def list_columns(rows: Sequence[Row], header_row: int, *, samples: int = 4) -> list[Column]:
    """Every column that has a header or any value in the rows at hand."""
    headers = next((row.cells for row in rows if row.number == header_row), [])
    data = [row.cells for row in rows if row.number > header_row]
    width = max([len(headers), *(len(cells) for cells in data)], default=0)
    columns = []
    for index in range(width):
        header = headers[index] if index < len(headers) else ""
        values = [cells[index] for cells in data if index < len(cells) and cells[index]]
        if header or values:
            distinct = tuple(dict.fromkeys(values))
            columns.append(Column(index, header, distinct[:samples] if samples else distinct))
    return columns


def guess_mapping(
    columns: Sequence[Column],
    fields: Sequence[ImportField],
    *,
    region: str = "PL",
    learned: dict[str, str] | None = None,
) -> dict[int, str]:
    """Field keys by column index. `learned` maps plain headers to fields the user chose before."""
    offers = []
    for column in columns:
        for rank, target in enumerate(fields):
            score = _likeness(column, target, learned or {})
            if score:
                offers.append((-score, column.index, rank, target))
    mapping: dict[int, str] = {}
    taken: set[str] = set()
    for _score, index, _rank, target in sorted(offers, key=lambda offer: offer[:3]):
        if index not in mapping and (target.key not in taken or target.joins):
            mapping[index] = target.key
            taken.add(target.key)
    unknown = [
        column
        for column in columns
        if column.index not in mapping and plain(column.header) not in (learned or {})
    ]
    _guess_by_contents(unknown, fields, mapping, taken, region)
    return mapping


def _names(target: ImportField) -> list[str]:
    return [str(target.label), target.key.replace("_", " "), *target.aliases]


def _likeness(column: Column, target: ImportField, learned: dict[str, str]) -> float:
    header = plain(column.header)
    if not header:
        return 0.0
    if header in learned:
        return 200.0 if learned[header] == target.key else 0.0
    # What the field is called here goes before what others call it.
    if plain(str(target.label)) == header:
        return _EXACT + 10
    best = max((_name_likeness(plain(name), header) for name in _names(target)), default=0.0)
    return 0.0 if best < _EXACT and _contradicts(column, target) else best


def _contradicts(column: Column, target: ImportField) -> bool:
    """Whether not one cell can be what a part of the header promises: "Phone 1 - Label", "E-mail opt-out"."""
    has_one = _NEEDS.get(target.kind)
    return bool(has_one and column.samples) and not any(map(has_one, column.samples))


@lru_cache(maxsize=100_000)
def _name_likeness(known: str, header: str) -> float:
    if known == header:
        return _EXACT if known else 0.0
    if known in _ALONE or not known:
        return 0.0
    if f" {known} " in f" {header} ":
        strange = _STRANGE & (set(header.split()) - set(known.split()))
        return 0.0 if strange else 60.0 + min(len(known), 30)
    close = len(known) > 4 and abs(len(known) - len(header)) < 4
    return 55.0 if close and SequenceMatcher(None, known, header).ratio() >= _LIKENESS else 0.0


def _guess_by_contents(columns, fields, mapping: dict[int, str], taken: set[str], region: str) -> None:
    for column in columns:
        if not column.samples or _STRANGE & set(plain(column.header).split()):
            continue
        kind = _kind_of_contents(column.samples, region)
        if kind in _NAMED_FIRST and column.header:
            # "Date of birth" is a date too, and not the one this kind of record has.
            continue
        looks = (one for one in fields if one.looks_like and _mostly(one.looks_like, column.samples))
        same_kind = (one for one in fields if kind and one.kind == kind)
        for target in chain(looks, same_kind):
            if target.key not in taken:
                mapping[column.index] = target.key
                taken.add(target.key)
                break


def _mostly(is_one: Callable[[str], Any], samples: Sequence[str]) -> bool:
    return sum(map(bool, map(is_one, samples))) >= len(samples) * _MAJORITY


def _kind_of_contents(samples: Sequence[str], region: str) -> str:
    looks = {
        "email": _is_email,
        "tax_number": lambda text: tax_number_of(text, region),
        "date": _is_date,
        "phone": lambda text: split_phones(text, region),
        "money": _is_money,
    }
    return next((kind for kind, is_one in looks.items() if _mostly(is_one, samples)), "")


def _is_date(text: str) -> bool:
    return bool(_WRITTEN_DATE.match(text)) and _reads("date", text)


def _is_money(text: str) -> bool:
    return bool(_WRITTEN_MONEY.search(text)) and _reads("money", text)


def _reads(kind: str, text: str) -> bool:
    try:
        return clean(ImportField("", "", kind=kind), text, region="")[0] is not None
    except CellError:
        return False


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
