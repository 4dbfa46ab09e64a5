"""Telephone numbers: every notation a person or a spreadsheet uses, brought to E.164."""

import re
from functools import lru_cache

import phonenumbers

from crm.people.company import company_country

_SPREADSHEET_FLOAT = re.compile(r"^\s*(\+?\d+)[.,]0+\s*$")
_SPREADSHEET_EXPONENT = re.compile(r"^\s*(\d)[.,](\d+)[eE]\+?(\d{1,2})\s*$")
_EXTENSION = re.compile(r"[\s,;]*\b(?:wewn?|ext|int)\b\.?:?\s*(\d{1,6})\s*$", re.IGNORECASE)
_SEVERAL = re.compile(r"[;,|\n]|\s/\s|\s(?:lub|or|oraz|i)\s", re.IGNORECASE)
_LONGEST_TEXT = 60
# E.164 allows fifteen; people may dial noughts before them.
_DIGITS = range(5, 20)


def normalise_phone(text: object, region: str = "") -> str:
    """Return the number in E.164 ("+48221234567"), or "" when the text holds no valid number.

    Understands "(22) 123-45-67", "0048 22 123 45 67", "tel. 22 1234567", and what spreadsheets make of a
    number: 48221234567.0, 4.8221234567E+10. A number written with its country code but without "+" counts as
    international when it is not a number of `region`, which is the company's country unless one is given.
    """
    number = _parse(_plain(text), region or company_country())
    if number is None:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_phone(text: object, region: str = "") -> tuple[str, str]:
    """The number in E.164 and the extension written after it; two empty texts for no number."""
    number = normalise_phone(text, region)
    found = _EXTENSION.search(str(text)) if number else None
    return number, found[1] if found else ""


def split_phones(text: object, region: str = "") -> list[str]:
    """All numbers of a cell that may hold several ("22 123 45 67; 601 234 567"), in order, each once."""
    if not _surely_several(text) and (whole := normalise_phone(text, region)):
        return [whole]
    found: dict[str, None] = {}
    for part in _SEVERAL.split(str(text or "")):
        number = normalise_phone(part, region)
        if number:
            found[number] = None
    return list(found)


def _surely_several(text: object) -> bool:
    """Marks that stand between numbers and in none of them."""
    return isinstance(text, str) and any(mark in text for mark in ";|\n")


def show_phone(e164: str, region: str = "") -> str:
    """The number as people of `region` (the company's country) write it; what cannot be parsed comes back as it is."""
    return _shown(e164, region or company_country())


@lru_cache(20_000)
def _shown(e164: str, region: str) -> str:
    try:
        number = phonenumbers.parse(e164, region)
    except phonenumbers.NumberParseException:
        return e164
    domestic = phonenumbers.region_code_for_number(number) == region
    form = (
        phonenumbers.PhoneNumberFormat.NATIONAL if domestic else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, form)


def _plain(text: object) -> str:
    if text is None or isinstance(text, bool):
        return ""
    if isinstance(text, float) and text.is_integer():
        return str(int(text))
    written = str(text).strip()
    match = _SPREADSHEET_EXPONENT.match(written)
    if match:
        return _expand(*match.groups())
    match = _SPREADSHEET_FLOAT.match(written)
    return match.group(1) if match else _EXTENSION.sub("", written)


def _expand(first: str, rest: str, exponent: str) -> str:
    """4.8221234567E+10 is 48221234567, but 4.822E+10 has lost its last digits for good."""
    missing = int(exponent) - len(rest)
    return f"{first}{rest}{'0' * missing}" if 0 <= missing <= 2 else ""


def _parse(written: str, region: str) -> phonenumbers.PhoneNumber | None:
    if not written or len(written) > _LONGEST_TEXT or sum(char.isdigit() for char in written) not in _DIGITS:
        return None
    attempts = [(written, region)]
    digits = re.sub(r"\D", "", written)
    if digits.startswith("00"):
        attempts.insert(0, (f"+{digits[2:]}", None))
    elif "+" not in written:
        attempts.append((f"+{digits}", None))
        attempts.append((digits.lstrip("0"), region))
    for attempt, country in attempts:
        try:
            number = phonenumbers.parse(attempt, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            number.extension = None
            return number
    return None
