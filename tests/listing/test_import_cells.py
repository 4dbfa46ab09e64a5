"""From the text of a cell to a value, or to the reason why not."""

import pytest

from crm.listing.imports.cells import CellError, clean
from crm.listing.imports.registry import ImportField
from tests.factories.sheets import tax_number

NIP = tax_number(5)


def value(kind: str, text: str, **options):
    return clean(ImportField("f", "F", kind=kind, **options), text, region="PL")[0]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "  Żubr \n  S.A. ", "Żubr S.A."),
        ("text", "brak", None),
        ("long_text", "a\nb", "a\nb"),
        ("phone", "48221234567.0", "+48221234567"),
        ("phone", "(22) 123-45-67", "+48221234567"),
        ("phone", "-", None),
        ("email", "Jan@Firma.PL", "jan@firma.pl"),
        ("email", "mailto:jan@firma.pl", "jan@firma.pl"),
        ("tax_number", f"PL {NIP[:3]}-{NIP[3:6]}-{NIP[6:]}", NIP),
        ("tax_number", f"NIP: {NIP}", NIP),
        ("tax_number", f"{NIP}.0", NIP),
        ("tax_number", "DE 136 695 976", "DE136695976"),
        ("tax_number", "ATU 1358 5627", "ATU13585627"),
        ("url", "www.firma.pl", "https://www.firma.pl"),
        ("number", "1 234,50", "1234.5"),
        ("money", "1 234,50 zł", "1234.50"),
        ("money", "1,234.50", "1234.50"),
        ("money", "1.234,50 PLN", "1234.50"),
        ("money", "100", "100.00"),
        ("date", "23.11.2026", "2026-11-23"),
        ("date", "2026-11-23T00:00:00", "2026-11-23"),
        ("date", "23/11/2026", "2026-11-23"),
        ("date", "46349", "2026-11-23"),
        ("yes_no", "Tak", True),
        ("yes_no", "fałsz", False),
    ],
)
def test_values(kind, text, expected):
    assert value(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("phone", "12", "phone"),
        ("email", "adam(at)zly", "email"),
        ("email", "a@b.pl; zly", "email"),
        ("tax_number", "123-456-78-90", "tax_number"),
        ("url", "ja vascript", "url"),
        ("number", "dużo", "number"),
        ("number", "nan", "number"),
        ("money", "1e30", "money"),
        ("money", "=1+1", "money"),
        ("date", "31.02.2026", "date"),
        ("yes_no", "może", "yes_no"),
        ("choice", "inne", "choice"),
        ("user", "nikt", "user"),
    ],
)
def test_errors(kind, text, code):
    with pytest.raises(CellError) as caught:
        value(kind, text)
    assert caught.value.code == code


def test_a_cell_with_several_values_gives_the_first_and_the_rest():
    phone = ImportField("phone", "Phone", kind="phone")
    assert clean(phone, "22 123 45 67; 601 234 567", region="PL") == ("+48221234567", ["+48601234567"])
    email = ImportField("email", "E-mail", kind="email")
    assert clean(email, "a@b.pl, c@d.pl", region="PL") == ("a@b.pl", ["c@d.pl"])


def test_choices_are_blind_to_case_and_accents():
    assert value("choice", "ŹRÓDŁO", choices=((7, ("Zrodlo", "Source")),)) == 7


def test_too_long_is_an_error_with_the_limit():
    with pytest.raises(CellError) as caught:
        value("text", "x" * 31, max_length=30)
    assert (caught.value.code, caught.value.params) == ("too_long", {"most": 30})


def test_tax_numbers_of_another_home_country():
    target = ImportField("f", "F", kind="tax_number")
    assert clean(target, "136 695 976", region="DE") == ("136695976", [])
    assert clean(target, f"PL{NIP}", region="DE") == (f"PL{NIP}", [])
