"""Believable people, firms and places, drawn from the wordlists beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from random import Random

from stdnum.iso7064 import mod_11_10

from crm.people.folding import fold


def _words(text: str) -> list[str]:
    if ";" in text:
        return [" ".join(part.split()) for part in text.split(";")]
    return text.split()


_LISTS = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
_PROPER, _FIRST_HALVES, _SECOND_HALVES, STREETS, POSITIONS = (
    _words(_LISTS.pop(name)) for name in ("proper", "first_halves", "second_halves", "streets", "positions")
)


@dataclass(frozen=True)
class Country:
    """Surnames in the masculine; `phones` with a `#` for every digit still to come."""

    code: str
    weight: int
    men: list[str]
    women: list[str]
    surnames: list[str]
    cities: list[str]
    forms: list[str]
    trades: list[str]
    phones: list[str]


COUNTRIES = {
    code: Country(code, lists.pop("weight"), **{name: _words(text) for name, text in lists.items()})
    for code, lists in _LISTS.items()
}
HOME = COUNTRIES["PL"]
_ALL, _WEIGHTS = list(COUNTRIES.values()), [country.weight for country in COUNTRIES.values()]


def draw_country(rng: Random) -> Country:
    return rng.choices(_ALL, _WEIGHTS)[0]


def draw_person(rng: Random, country: Country) -> tuple[str, str]:
    """First and last name that agree with each other."""
    last = rng.choice(country.surnames)
    if rng.random() < 0.5:
        return rng.choice(country.men), last
    if country.code == "PL" and last.endswith(("ski", "cki", "dzki")):
        last = f"{last[:-1]}a"
    if country.code in {"CZ", "SK"}:
        last = f"{last[:-1]}á" if last.endswith("ý") else f"{last.removesuffix('a')}ová"
    return rng.choice(country.women), last


def draw_company(rng: Random, country: Country) -> str:
    """A firm with its legal form."""
    trade, form, luck = rng.choice(country.trades), rng.choice(country.forms), rng.random()
    if country is not HOME:
        return f"{rng.choice(country.surnames)} {trade} {rng.choice(country.cities)} {form}"
    if luck < 0.4:
        return f"{trade} {rng.choice(_PROPER)} {rng.choice(country.cities)} {form}"
    if luck < 0.75:
        return f"{trade} {rng.choice(_FIRST_HALVES)}{rng.choice(_SECOND_HALVES)} {form}"
    return f"{rng.choice(_FIRST_HALVES)}-{rng.choice(_PROPER)} {rng.choice(country.surnames)} {form}"


def draw_phone(rng: Random, country: Country) -> str:
    """In E.164."""
    pattern = rng.choice(country.phones)
    digits = pattern.count("#")
    return f"{pattern.rstrip('#')}{rng.randrange(2 * 10 ** (digits - 1), 10**digits)}"


_NIP_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


def draw_tax_number(rng: Random, country: Country) -> str:
    """With a right check digit, for the countries whose rule is told here; else empty."""
    if country.code == "DE":
        digits = str(rng.randrange(10**7, 10**8))
        return f"DE{digits}{mod_11_10.calc_check_digit(digits)}"
    while country is HOME:
        digits = str(rng.randrange(111_111_111, 10**9))
        check = sum(weight * int(digit) for weight, digit in zip(_NIP_WEIGHTS, digits, strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
    return ""


def draw_domain(name: str, country: Country) -> str:
    """An address nobody has."""
    letters = "-".join("".join(char for char in word if char.isalnum()) for word in fold(name).split()[:3])
    return f"{letters.strip('-')[:40]}.{country.code.lower()}.example"
