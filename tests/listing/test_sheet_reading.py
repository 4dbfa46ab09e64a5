"""Reading spreadsheets in the limited child: what is understood, and what is refused with which message."""

import csv
import random
import tempfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.listing.sheets.child import detect_format, read
from crm.listing.sheets.errors import MESSAGES, SheetError
from crm.listing.sheets.limits import Refused
from crm.listing.sheets.reading import Row, read_head, read_rows
from tests.factories import sheets

TEXT = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), include_characters="\n;,\"'=+-@")

TABLE = "Nazwa firmy;Imię i nazwisko;Miasto\r\n" + "".join(
    f"Żółw {number} Sp. z o.o.;Łukasz Święcicki;Kraśnik\r\nŹródło {number};Małgorzata Ślęzak;Białystok\r\n"
    for number in range(20)
)
RUSSIAN = "Название;Имя;Город\r\n" + "Общество с ограниченной ответственностью;Иван Петров;Москва\r\n" * 20


def code_of(path) -> str:
    with pytest.raises(SheetError) as caught:
        read_head(path)
    return caught.value.code


def test_messy_workbook_keeps_row_numbers_and_drops_blank_rows(tmp_path):
    book = read_head(sheets.messy_workbook(tmp_path / "messy.xlsx"))
    assert (book.format, book.sheets, book.count, book.last) == ("xlsx", ["Arkusz1"], 12, 14)
    assert [row.number for row in book.rows] == [1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert book.rows[2].cells[0] == "Łódź Meble Sp. z o.o."


def test_whole_floats_lose_their_point_and_dates_are_iso(tmp_path):
    import datetime as dt

    rows = [["a", 48221234567.0, 1.5, dt.date(2026, 11, 23), dt.datetime(2026, 11, 23, 9, 30), True]]
    book = read_head(sheets.write_workbook(tmp_path / "kinds.xlsx", rows))
    assert book.rows == [Row(1, ["a", "48221234567", "1.5", "2026-11-23", "2026-11-23T09:30:00", "true"])]


def test_text_that_looks_like_a_formula_stays_text_and_formulas_without_results_are_counted(tmp_path):
    from openpyxl import Workbook

    workbook = Workbook()
    cell = workbook.active["A1"]
    cell.value, cell.data_type = "=HYPERLINK(1)", "s"
    workbook.active["B1"] = "=1+1"
    workbook.save(tmp_path / "formula.xlsx")
    book = read_head(tmp_path / "formula.xlsx")
    assert book.rows[0].cells == ["=HYPERLINK(1)"]
    assert book.formulas == 1


def test_rows_come_in_order_after_a_given_number(tmp_path):
    path = sheets.messy_workbook(tmp_path / "messy.xlsx")
    assert [row.number for row in read_rows(path, after=8)] == [9, 10, 11, 12, 13, 14]


def test_a_sheet_is_chosen_by_name_and_an_empty_first_one_is_passed_over(tmp_path):
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.active.title = "Pusty"
    workbook.create_sheet("Dane").append(["x"])
    workbook.create_sheet("Inne").append(["y"])
    workbook.save(tmp_path / "three.xlsx")
    book = read_head(tmp_path / "three.xlsx")
    assert (book.sheets, book.sheet) == (["Pusty", "Dane", "Inne"], "Dane")
    assert read_head(tmp_path / "three.xlsx", sheet="Inne").rows == [Row(1, ["y"])]
    with pytest.raises(SheetError) as caught:
        read_head(tmp_path / "three.xlsx", sheet="Nie ma")
    assert caught.value.code == "no_such_sheet"


@pytest.mark.parametrize(
    ("encoding", "text", "found"),
    [
        ("utf-8", TABLE, "utf-8"),
        ("utf-8-sig", TABLE, "utf-8-sig"),
        ("utf-16", TABLE, "utf-16"),
        ("utf-16-le", TABLE, "utf-16-le"),
        ("cp1250", TABLE, "cp1250"),
        ("iso8859-2", TABLE, "iso8859-2"),
        ("cp1251", RUSSIAN, "cp1251"),
        ("koi8-r", RUSSIAN, "koi8-r"),
        ("cp866", RUSSIAN, "cp866"),
    ],
)
def test_encodings_are_told_apart(tmp_path, encoding, text, found):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    book = read_head(path)
    assert (book.encoding, book.delimiter) == (found, ";")
    assert [row.cells for row in book.rows[:2]] == [line.split(";") for line in text.split("\r\n")[:2]]


def test_a_chosen_encoding_wins(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Miasto\r\nŁódź\r\n".encode("iso8859-2"))
    assert read_head(path, encoding="iso8859-2").rows[1].cells == ["Łódź"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiters_are_found(tmp_path, delimiter):
    path = tmp_path / "table.csv"
    path.write_text(delimiter.join(["a", "b", "c"]) + "\n" + delimiter.join(["1", '"x, y; z"', "3"]) + "\n")
    book = read_head(path)
    assert (book.delimiter, book.rows[1].cells) == (delimiter, ["1", "x, y; z", "3"])


def test_excels_own_separator_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("sep=|\na|b\n1|2\n")
    assert read_head(path).rows == [Row(2, ["a", "b"]), Row(3, ["1", "2"])]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (sheets.sparse_bomb, "too_large"),
        (sheets.zip_bomb, "bomb"),
        (sheets.entity_bomb, "declarations"),
        (sheets.many_parts, "too_many_parts"),
        (sheets.encrypted_workbook, "password"),
    ],
)
def test_hostile_workbooks_are_refused_quickly(tmp_path, make, code):
    path = make(tmp_path / "hostile.xlsx")
    began = time.monotonic()
    assert code_of(path) == code
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\r\n ; ; \r\n", "empty"),
        (b"%PDF-1.7 ...", "not_a_spreadsheet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_a_spreadsheet"),
        (bytes(range(256)) * 20, "not_a_spreadsheet"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "markup"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "markup"),
        (b"PK\x03\x04" + bytes(range(256)) * 8, "damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "not_a_spreadsheet"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096) + "Workbook".encode("utf-16-le"), "damaged"),
        (b'a;b\n"' + b"x" * 3_000_000 + b'";c\n', "cell_too_long"),
        (b";".join([b"x"] * 600), "too_many_columns"),
    ],
)
def test_what_is_no_spreadsheet_is_refused(tmp_path, content, code):
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    assert code_of(path) == code


def test_a_document_that_is_no_workbook_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as package:
        package.writestr("word/document.xml", "<x/>")
    assert code_of(tmp_path / "letter.docx") == "not_a_spreadsheet"


def test_two_hundred_columns_and_emoji(tmp_path):
    rows = [[f"k{number}" for number in range(200)], ["🦬"] * 200]
    book = read_head(sheets.write_workbook(tmp_path / "wide.xlsx", rows))
    assert [len(row.cells) for row in book.rows] == [200, 200]
    assert book.rows[1].cells[199] == "🦬"


def test_merged_cells_keep_their_value_in_the_first_one(tmp_path):
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.active.append(["Tytuł", None, None])
    workbook.active.append(["a", "b", "c"])
    workbook.active.merge_cells("A1:C1")
    workbook.save(tmp_path / "merged.xlsx")
    assert read_head(tmp_path / "merged.xlsx").rows == [Row(1, ["Tytuł"]), Row(2, ["a", "b", "c"])]


def test_messages_name_their_place(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes(b"a;b\n" + b";".join([b"x"] * 600))
    with pytest.raises(SheetError) as caught:
        read_head(path)
    assert str(caught.value) == "Row 2 has more than 500 columns."


@given(st.binary(max_size=3000))
def test_any_bytes_are_rows_or_a_refusal(content):
    """In this process: whatever a text file holds, reading it ends in rows or in one of our refusals."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            if detect_format(file.name) != "csv":
                return
            *rows, end = list(read(path=file.name))[1:]
        except Refused as refused:
            assert refused.code in MESSAGES
        else:
            assert end["rows"] == len(rows)
            assert all(
                isinstance(cell, str) and "\0" not in cell for _number, cells in rows for cell in cells
            )


@given(
    st.lists(st.lists(st.text(alphabet=TEXT, max_size=12), min_size=2, max_size=5), min_size=1, max_size=8)
)
def test_what_a_spreadsheet_program_writes_comes_back(table):
    """Quotes, separators and line ends inside cells survive the way through a file of ours."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.write("sep=;\r\n")
        csv.writer(file, delimiter=";").writerows(table)
        file.flush()
        rows = dict(line for line in list(read(path=file.name, encoding="utf-8"))[1:-1])
    expected = [[cell.strip() for cell in row] for row in table]
    kept = [row for row in expected if any(row)]
    assert [trimmed(cells) for _number, cells in sorted(rows.items())] == [trimmed(row) for row in kept]


def trimmed(cells: list[str]) -> list[str]:
    """Without empty cells at the end: they are not read."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


@pytest.mark.parametrize("damage", range(12))
def test_a_workbook_cut_or_scribbled_on_never_breaks_the_reader(tmp_path, damage):
    content = bytearray(sheets.messy_workbook(tmp_path / "sound.xlsx").read_bytes())
    rng = random.Random(damage)
    if damage % 2:
        del content[rng.randrange(len(content)) :]
    for _times in range(5):
        content[rng.randrange(len(content))] = rng.randrange(256)
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(bytes(content))
    try:
        assert read_head(path).count > 0
    except SheetError as error:
        assert error.code in MESSAGES
