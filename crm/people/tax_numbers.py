"""Tax numbers in one spelling, checked by the rules of their country."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as NumberError
from stdnum.util import get_cc_module

from crm.people.company import company_country

_PREFIXED = re.compile(r"^[A-Z]{2}(?=\d|[A-Z0-9]*\d)")


def clean_tax_number(text: str, country: str = "") -> str:
    """The number without decoration; another country's keeps its two letters in front.

    Checked by the rules of its country where those are known. Raises ValidationError.
    """
    written = re.sub(r"[\W_]", "", str(text)).upper()
    home = company_country()
    country = (country or home).upper()
    prefix = _PREFIXED.match(written)
    if prefix and (prefix[0] == country or prefix[0].lower() in eu_vat.MEMBER_STATES):
        country, written = prefix[0], written[2:]
    module = get_cc_module(country.lower(), "vat")
    if module is not None:
        try:
            written = module.validate(written).removeprefix(country)
        except NumberError:
            raise ValidationError(
                _("“%(text)s” is not a valid tax number (%(country)s)."),
                params={"text": text, "country": country},
            ) from None
    return written if country == home else f"{country}{written}"[:20]
