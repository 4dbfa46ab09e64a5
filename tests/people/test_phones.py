"""Every notation of a telephone number becomes the same E.164 text."""

import pytest

from crm.people.phones import normalise_phone, show_phone, split_phones


@pytest.mark.parametrize(
    "text",
    [
        "22 123 45 67",
        "(22) 123-45-67",
        "022 123 45 67",
        "+48 22 123-45-67",
        "0048 22 123 45 67",
        "48221234567",
        "48221234567.0",
        48221234567.0,
        221234567,
        "221234567,0",
        "4.8221234567E+10",
        "tel. 22 1234567",
        "22 123 45 67 wew. 12",
        "\u202a+48 22 123 45 67\u202c",
    ],
)
def test_notations(text):
    assert normalise_phone(text) == "+48221234567"


@pytest.mark.parametrize(
    "text", [None, "", "brak", "12", "112", True, "1234567890123456789", "4.822E+10", "x" * 500]
)
def test_what_is_no_number(text):
    assert normalise_phone(text) == ""


def test_foreign_numbers():
    assert normalise_phone("0049 30 901820") == "+4930901820"
    assert normalise_phone("030 901820", "DE") == "+4930901820"


def test_several_numbers_in_one_cell():
    assert split_phones("22 123 45 67; 601 234 567 / 22 123 45 67") == ["+48221234567", "+48601234567"]


def test_shown_as_people_write_it():
    assert show_phone("+48221234567") == "22 123 45 67"
    assert show_phone("+4930901820") == "+49 30 901820"
    assert show_phone("not a number") == "not a number"
