"""Finding the header row and the meaning of columns."""

from crm.listing.imports.columns import find_header, guess_mapping, list_columns
from crm.listing.imports.registry import ImportField
from crm.listing.sheets.reading import Row
from tests.factories import sheets

FIELDS = [
    ImportField("company", "Company", aliases=("Nazwa firmy", "Firma")),
    ImportField("person", "Full name", aliases=("Imię i nazwisko", "Osoba kontaktowa")),
    ImportField("phone", "Phone", kind="phone", aliases=("Telefon", "Telefon kom.", "Tel.")),
    ImportField("email", "E-mail", kind="email", aliases=("E-mail", "Adres e-mail")),
    ImportField("tax_number", "Tax number", kind="tax_number", aliases=("NIP",)),
    ImportField("city", "City", aliases=("Miasto",)),
    ImportField("note", "Note", kind="long_text", aliases=("Uwagi", "Notatki"), joins=True),
]


def as_rows(cells: list[list]) -> list[Row]:
    texts = ([str(cell) if cell is not None else "" for cell in row] for row in cells)
    return [Row(number, row) for number, row in enumerate(texts, 1) if any(row)]


def mapped(cells: list[list], **kwargs) -> dict[int, str]:
    rows = as_rows(cells)
    return guess_mapping(list_columns(rows, find_header(rows, FIELDS)), FIELDS, **kwargs)


def test_headers_are_found_below_title_rows():
    assert find_header(as_rows(sheets.messy_rows()), FIELDS) == 3


def test_unknown_headers_are_found_above_data():
    rows = as_rows([["Raport"], ["Alfa", "Beta"], ["x", "601 234 567"], ["y", "602 345 678"]])
    assert find_header(rows, FIELDS) == 2


def test_a_table_without_headers_has_none_and_is_matched_by_contents():
    cells = [["Jan", "jan@a.example", "601234567"], ["Ewa", "ewa@b.example", "602345678"]]
    assert find_header(as_rows(cells), FIELDS) == 0
    assert mapped(cells) == {1: "email", 2: "phone"}


def test_polish_headers_are_matched():
    assert mapped(sheets.messy_rows()) == dict(
        enumerate(["company", "person", "phone", "email", "tax_number", "city", "note"])
    )


def test_headers_with_noise_typos_and_other_order():
    cells = [["NUMER NIP (PL)", "Adres e-mail:", "Osoba  kontaktowa", "telefonn"], ["1", "2", "3", "4"]]
    assert mapped(cells) == {0: "tax_number", 1: "email", 2: "person", 3: "phone"}


def test_one_field_takes_one_column_unless_it_joins_several():
    cells = [["Telefon", "Telefon", "Uwagi", "Uwagi 2"], ["a", "b", "c", "d"]]
    assert mapped(cells) == {0: "phone", 2: "note", 3: "note"}


def test_what_the_user_taught_goes_before_our_guess():
    cells = [["Telefon", "Miasto"], ["601", "Łódź"]]
    assert mapped(cells, learned={"telefon": "note", "miasto": ""}) == {0: "note"}


def test_unknown_columns_are_recognised_by_contents():
    tax = sheets.tax_number(7)
    cells = [
        ["Firma", "A", "B", "C"],
        ["x", "601234567", tax, "a@b.example"],
        ["y", "(22) 123-45-67", tax, "c@d.pl"],
    ]
    assert mapped(cells) == {0: "company", 1: "phone", 2: "tax_number", 3: "email"}
