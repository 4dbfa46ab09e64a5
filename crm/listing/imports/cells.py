"""From the text of a cell to a value of a field, or the reason why not."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as NumberError
from stdnum.util import get_cc_module

from crm.listing.imports.registry import ImportField
from crm.people.folding import fold
from crm.people.phones import split_phones

MESSAGES = {
    "required": _("This field is required."),
    "too_long": _("Longer than %(most)s characters."),
    "email": _("“%(text)s” is not an e-mail address."),
    "phone": _("“%(text)s” is not a telephone number."),
    "tax_number": _("“%(text)s” is not a valid tax number."),
    "url": _("“%(text)s” is not a web address."),
    "number": _("“%(text)s” is not a number."),
    "money": _("“%(text)s” is not an amount of money."),
    "date": _("“%(text)s” is not a date."),
    "choice": _("“%(text)s” is not one of the known values."),
    "yes_no": _("“%(text)s” is neither yes nor no."),
    "user": _("There is no active user “%(text)s”."),
    "country": _("“%(text)s” is not a country. Two letters, such as PL, are sure."),
    "moment": _("“%(text)s” is not a date with an hour."),
    "no_record": _("“%(text)s” was not found among what you may see."),
    "several_records": _("“%(text)s” fits several records. Give the tax number, phone or e-mail."),
    "refused": _("The database refused this row."),
    "changed_since": _("Somebody has changed or used it since the import."),
    "not_undoable": _("You may not delete or edit it any more."),
    "gone": _("The record to update is no longer there or may not be edited."),
}

# What people write into a cell they have nothing for.
BLANKS = frozenset(
    {"-", "--", "—", "–", "brak", "b/d", "bd", "n/a", "n/d", "nd", "none", "null", "nie dotyczy", "?"}
)
NAME_CHARACTERS = 120
_LONGEST_BLANK = max(map(len, BLANKS))
_YES = frozenset({"1", "true", "tak", "t", "yes", "y", "x", "prawda", "+"})
_NO = frozenset({"0", "false", "nie", "n", "no", "falsz"})
_DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y.%m.%d", "%Y/%m/%d", "%d.%m.%y", "%Y%m%d")
_CURRENCY = re.compile(r"(?i)\s*(zł|pln|eur|usd|gbp|chf|€|\$|£)\s*")
_INTEGER_FLOAT = re.compile(r"^(\d+)[.,]0+$")
_GREATEST_AMOUNT = Decimal(10) ** 12
_SPREADSHEET_EPOCH = dt.date(1899, 12, 30)
_SEVERAL = re.compile(r"[;,|\n]")
_EMAILS = re.compile(r"[\s;,|]+")
_web_address = URLValidator(schemes=["http", "https"])


class CellError(Exception):
    """`code` is a key of MESSAGES, `params` what its text names."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def is_blank(text: str) -> bool:
    return not text or (len(text) <= _LONGEST_BLANK and fold(text) in BLANKS)


def clean(
    target: ImportField, text: str, *, region: str, country: str = "", users: dict[str, int] | None = None
) -> tuple[Any, list[str]]:
    """Return the value, JSON-ready, and further values the cell held (a second phone number or e-mail).

    `region`: the company's own country; `country`: that of the row, where it names one. Raises CellError. Blank cells
    give None.
    """
    text = text.strip()
    if is_blank(text):
        return None, []
    if target.kind == "phone":
        return _phone(text, region, country)
    if target.kind == "email":
        return _email(text)
    if target.kind == "user":
        return _user(text, users or {}), []
    return _single(target, text, region, country), []


def _single(target: ImportField, text: str, region: str, country: str) -> Any:
    if target.reads is not None:
        return _checked(target, text, country or region)
    if target.kind == "tax_number":
        return _tax_number(text, region, country)
    if target.kind == "choice":
        return _choice(target, text)
    if target.kind == "choices":
        return [_choice(target, part) for part in _SEVERAL.split(text) if part.strip()]
    if target.several:
        return _names(target, text)
    value = _SIMPLE.get(target.kind, _text)(text)
    if target.kind in ("dictionary", "record") and len(value) > NAME_CHARACTERS:
        raise CellError("too_long", most=NAME_CHARACTERS)
    if isinstance(value, str) and target.max_length and len(value) > target.max_length:
        raise CellError("too_long", most=target.max_length)
    return value


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _long_text(text: str) -> str:
    return text


def _phone(text: str, region: str, country: str) -> tuple[str, list[str]]:
    """A firm abroad may well have a number of our own country."""
    numbers = split_phones(text, country or region) or (country and split_phones(text, region))
    if not numbers:
        raise CellError("phone", text=text[:80])
    return numbers[0], numbers[1:]


def _email(text: str) -> tuple[str, list[str]]:
    found = []
    for part in _EMAILS.split(text.removeprefix("mailto:").strip("<> ")):
        if not part:
            continue
        try:
            validate_email(part)
        except ValidationError:
            raise CellError("email", text=text[:80]) from None
        found.append(part.lower())
    if not found or len(found[0]) > 254:
        raise CellError("email", text=text[:80])
    return found[0], found[1:]


def _checked(target: ImportField, text: str, country: str) -> Any:
    try:
        return target.reads(text, country)
    except ValidationError:
        raise CellError(target.fault, text=text[:80]) from None


def _names(target: ImportField, text: str) -> list[str]:
    """Each once, whatever its case."""
    names: dict[str, str] = {}
    for part in _SEVERAL.split(text):
        if key := fold(part):
            names.setdefault(key, _text(part.strip()))
    if target.max_length and any(len(name) > target.max_length for name in names.values()):
        raise CellError("too_long", most=target.max_length)
    return [*names.values()]


def _tax_number(text: str, region: str, country: str) -> str:
    number = tax_number_of(text, region, country)
    if not number:
        raise CellError("tax_number", text=text[:80])
    return number


def tax_number_of(text: str, region: str, country: str = "") -> str:
    """The compact number, with its country's letters unless it is of `region`; "" when it is none.

    `country`: whose number it is when it does not begin with letters.
    """
    match = _INTEGER_FLOAT.match(text)
    written = re.sub(r"(?i)^\s*(nip|vat id|vat)\b", "", match.group(1) if match else text)
    written = re.sub(r"[\W_]", "", written).upper()
    country = written[:2] if written[:2].lower() in vat.MEMBER_STATES else country or region
    module = get_cc_module(country.lower(), "vat")
    try:
        number = module.validate(written.removeprefix(country)) if module else written
    except NumberError:
        return ""
    return number if country == region else f"{country}{number.removeprefix(country)}"[:20]


def _url(text: str) -> str:
    address = text if "://" in text else f"https://{text}"
    try:
        _web_address(address)
    except ValidationError:
        raise CellError("url", text=text[:80]) from None
    return address


def _decimal(text: str, code: str) -> Decimal:
    """Decimals in any notation: 1 234,50 · 1,234.50 · 1.234,50 · 1234.5."""
    digits = re.sub(r"[\s\u00a0\u202f']", "", text)
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point:
        digits = (
            digits.replace(".", "").replace(",", ".", 1)
            if digits.count(",") == 1
            else digits.replace(",", "")
        )
    elif point > comma and comma != -1:
        digits = digits.replace(",", "")
    elif digits.count(".") > 1:
        digits = digits.replace(".", "")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        raise CellError(code, text=text[:80]) from None
    if not value.is_finite() or abs(value) > _GREATEST_AMOUNT:
        raise CellError(code, text=text[:80])
    return value


def _number(text: str) -> str:
    return format(_decimal(text, "number").normalize(), "f")


def _money(text: str) -> str:
    return str(_decimal(_CURRENCY.sub("", text), "money").quantize(Decimal("0.01")))


def _date(text: str) -> str:
    written = text.partition("T")[0].strip() if re.match(r"^\d{4}-\d\d-\d\dT", text) else text.strip(" r.")
    if re.fullmatch(r"\d{5}", written):
        return (_SPREADSHEET_EPOCH + dt.timedelta(days=int(written))).isoformat()
    written = written.partition(" ")[0]
    for form in _DATE_FORMATS:
        try:
            return dt.datetime.strptime(written, form).date().isoformat()
        except ValueError:
            continue
    raise CellError("date", text=text[:80])


def _moment(text: str) -> str:
    """A day with its hour in the reader's zone, as ISO text; a day alone begins at nine."""
    written = text.strip().replace("T", " ")
    day, _space, hour = written.partition(" ")
    if re.fullmatch(r"\d{5}[.,]\d+", written):
        whole, _point, part = written.replace(",", ".").partition(".")
        seconds = round(float(f"0.{part}") * 86400)
        local = dt.datetime.fromisoformat(_date(whole)) + dt.timedelta(seconds=seconds)
        return timezone.make_aware(local).isoformat()
    try:
        clock = (
            dt.time.fromisoformat(hour.strip().removesuffix("Z").replace(".", ":").zfill(5)[:8])
            if hour
            else _DAY_BEGINS
        )
        local = dt.datetime.combine(dt.date.fromisoformat(_date(day)), clock)
        return timezone.make_aware(local.replace(tzinfo=None)).isoformat()
    except (CellError, ValueError, OverflowError):
        raise CellError("moment", text=text[:80]) from None


def _country(text: str) -> str:
    if re.fullmatch(r"[A-Za-z]{2}", text):
        return text.upper()
    if found := _COUNTRIES.get(fold(text)):
        return found
    raise CellError("country", text=text[:80])


def _yes_no(text: str) -> bool:
    word = fold(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError("yes_no", text=text[:80])


def _choice(target: ImportField, text: str) -> Any:
    word = fold(text)
    for value, names in target.choices:
        if any(fold(name) == word for name in names):
            return value
    raise CellError("choice", text=text[:80])


def _user(text: str, users: dict[str, int]) -> int:
    found = users.get(fold(text))
    if not found:
        raise CellError("user", text=text[:80])
    return found


_DAY_BEGINS = dt.time(9)
_COUNTRIES = {
    fold(name): code
    for code, found in {
        "PL": "Polska Poland RP", "DE": "Niemcy Germany Deutschland", "CZ": "Czechy Czechia", "SK": "Słowacja Slovakia",
        "LT": "Litwa Lithuania", "LV": "Łotwa Latvia", "EE": "Estonia", "UA": "Ukraina Ukraine", "AT": "Austria",
        "HU": "Węgry Hungary", "FR": "Francja France", "IT": "Włochy Italy", "ES": "Hiszpania Spain",
        "NL": "Holandia Niderlandy Netherlands", "BE": "Belgia Belgium", "DK": "Dania Denmark", "SE": "Szwecja Sweden",
        "NO": "Norwegia Norway", "FI": "Finlandia Finland", "GB": "Anglia UK", "IE": "Irlandia Ireland",
        "CH": "Szwajcaria Switzerland", "RO": "Rumunia Romania", "BG": "Bułgaria Bulgaria", "US": "USA",
    }.items()
    for name in found.split()
}  # fmt: skip
_COUNTRIES |= {fold("Wielka Brytania"): "GB", fold("Great Britain"): "GB", fold("United Kingdom"): "GB"}
_COUNTRIES |= {fold("Stany Zjednoczone"): "US", fold("United States"): "US", fold("Czech Republic"): "CZ"}
_SIMPLE = {
    "moment": _moment,
    "country": _country,
    "text": _text,
    "long_text": _long_text,
    "url": _url,
    "number": _number,
    "money": _money,
    "date": _date,
    "yes_no": _yes_no,
}
