"""One spelling for what people type: texts without stray blanks, phones in E.164, tax numbers checked and compact."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.exceptions import ValidationError as NumberError
from stdnum.pl import regon

from counterparties.rows import MOST_ROWS, SHAPES, SINGLES
from crm.people.company import company_country
from crm.people.phones import normalise_phone
from crm.people.tax_numbers import clean_tax_number

LONG_TEXTS = {"note", "status_note"}


def clean_phone(text: str, country: str = "") -> str:
    """E.164. Raises ValidationError for what is no number anywhere."""
    number = normalise_phone(text, country)
    if not number:
        raise ValidationError(_("“%(text)s” is not a telephone number."), params={"text": text})
    return number


def clean_registry_number(text: str, country: str = "") -> str:
    """A Polish KRS number has ten digits, written with its leading noughts; others are taken as they are."""
    written = re.sub(r"[\W_]", "", text).upper().removeprefix("KRS")
    if (country or company_country()) != "PL":
        return written[:20]
    if not written.isdecimal() or len(written) > 10:
        raise ValidationError(_("“%(text)s” is not a KRS number: it has ten digits."), params={"text": text})
    return written.zfill(10)


def clean_statistical_number(text: str, country: str = "") -> str:
    """A Polish REGON number, its check digit verified; others are taken as they are."""
    written = re.sub(r"[\W_]", "", text).upper().removeprefix("REGON")
    if (country or company_country()) != "PL":
        return written[:14]
    try:
        return regon.validate(written)
    except NumberError:
        raise ValidationError(
            _("“%(text)s” is not a valid REGON number: check its digits."), params={"text": text}
        ) from None


def clean_website(text: str) -> str:
    return text if "://" in text else f"https://{text}"


_NUMBERS = {
    "tax_number": clean_tax_number,
    "registry_number": clean_registry_number,
    "statistical_number": clean_statistical_number,
}


def clean_values(values: dict, *, country: str = "") -> dict:
    """The values of a form, file or process in the spelling that is stored.

    Raises ValidationError with a dict keyed by field name.
    """
    cleaned, errors = {}, {}
    country = (values.get("country") or country or "").upper()
    for field, value in values.items():
        try:
            cleaned[field] = _clean_one(field, value, country)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)
    return cleaned


def _clean_one(field: str, value, country: str):
    if field in SHAPES:
        return SHAPES[field].clean_rows(value, country)
    return _clean_value(field, value, country) if isinstance(value, str) else value


def _clean_value(field: str, value: str, country: str) -> str:
    text = value.replace("\x00", "").strip()
    if field in LONG_TEXTS:
        return text
    text = " ".join(text.split())
    if not text:
        return ""
    if field == "phone":
        return clean_phone(text, country)
    if field in _NUMBERS:
        return _NUMBERS[field](text, country)
    if field == "email":
        return text.lower()
    if field == "website":
        return clean_website(text)
    return text.upper() if field == "country" else text


class CleanedValuesMixin:
    """For forms: what was typed comes out in the stored spelling, or with an error at its field."""

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        texts = {
            name: value
            for name, value in cleaned.items()
            if isinstance(value, str) and not name.startswith("attr_")
        }
        for field, value in texts.items():
            try:
                cleaned |= clean_values({field: value}, country=cleaned.get("country", ""))
            except ValidationError as error:
                self.add_error(field, error.error_dict[field])
        return cleaned


def _rows_that_can_be(many: str, texts: list[str], country: str) -> list[dict]:
    found = []
    for text in texts:
        try:
            found += SHAPES[many].clean_rows([text], country[:2])
        except ValidationError:
            continue
    return found


def clean_what_can_be(values: dict, fields: tuple[str, ...], country: str = "") -> dict:
    """The cleaned values of `fields`; what is not finished or wrong yet is left out. For warnings while typing.

    Of an address's parameters (a QueryDict) every phone and e-mail counts, as `phones` and `emails`.
    """
    found: dict = {}
    for field in fields:
        if field in SINGLES and hasattr(values, "getlist"):
            found[SINGLES[field]] = _rows_that_can_be(
                SINGLES[field], values.getlist(field)[:MOST_ROWS], country
            )
            continue
        try:
            found |= clean_values({field: str(values.get(field, ""))[:250]}, country=country[:2])
        except ValidationError:
            continue
    return found
