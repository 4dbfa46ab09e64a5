"""Reading pasted or uploaded rates: a line for each, `2026-11-26;EUR;4,2715` or `EUR 4.2715`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

MOST_LINES = 5000
HIGHEST = Decimal(1_000_000)
LOWEST = Decimal("0.000001")
_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b|\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")
_UNITS = {"1", "10", "100", "1000", "10000"}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass
class ReadRates:
    """`rates`: {(currency, day): what one unit is worth}. `errors`: (number of the line, what is wrong)."""

    rates: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)


def read_rates(text: str, *, day: date, known: set[str], own: str) -> ReadRates:
    """Rates of a text; `day` is that of lines without one. Tables of 100 units (`100 HUF`) are read for one."""
    found = ReadRates()
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) > MOST_LINES:
        found.errors.append(
            (lines[MOST_LINES][0], _("At most %(count)s lines at once.") % {"count": MOST_LINES})
        )
        return found
    for place, (number, line) in enumerate(lines):
        if place == 0 and not any(char.isdigit() for char in line):
            continue
        try:
            code, when, rate = _read_line(line, day)
            if code == own:
                raise ValueError(_("%(code)s is the company's own currency.") % {"code": code})
            if code not in known:
                raise ValueError(_("There is no currency %(code)s. Add it first.") % {"code": code})
            found.rates[code, when] = rate
        except ValueError as error:
            found.errors.append((number, str(error)))
    return found


def _read_line(line: str, day: date) -> tuple[str, date, Decimal]:
    """Raises ValueError with what is wrong."""
    written = _DAY.search(line)
    when = _day(written) if written else day
    rest = line[: written.start()] + " ; " + line[written.end() :] if written else line
    code = _CODE.search(rest)
    if code is None:
        raise ValueError(_("No currency: three letters, such as EUR."))
    before, after = rest[: code.start()], rest[code.end() :]
    before, after = _NUMBER.findall(rest[: code.start()]), _NUMBER.findall(rest[code.end() :])
    units = before.pop() if len(before + after) == 2 and before and before[-1] in _UNITS else "1"
    if len(before + after) != 1:
        raise ValueError(_("One rate is expected, such as 4.2715."))
    rate = Decimal((before + after)[0].replace(",", ".")) / int(units)
    if not LOWEST <= rate <= HIGHEST:
        raise ValueError(_("A rate is between 0.000001 and 1,000,000."))
    return code[0].upper(), when, rate


def _day(written: re.Match) -> date:
    year, month, day, day_first, month_second, year_last = written.groups()
    try:
        return date(int(year or year_last), int(month or month_second), int(day or day_first))
    except ValueError:
        raise ValueError(_("There is no such day.")) from None
