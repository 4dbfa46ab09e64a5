"""Placeholders in a text an administrator wrote: a fixed list of names, and nothing that runs.

`{deal.name}` is filled with a value made beforehand. There are no attributes to walk, no formats, no conversions;
`{{` and `}}` stand for the brackets themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KNOWN = {
    "deal.name": gettext_lazy("name of the deal"),
    "deal.number": gettext_lazy("number of the deal"),
    "deal.close_date": gettext_lazy("close date"),
    "counterparty.name": gettext_lazy("name of the counterparty"),
    "counterparty.address": gettext_lazy("address of the counterparty"),
    "counterparty.tax_number": gettext_lazy("tax number of the counterparty"),
    "contact.name": gettext_lazy("first contact of the deal"),
    "owner.name": gettext_lazy("owner of the deal"),
    "owner.email": gettext_lazy("e-mail of the owner"),
    "company.name": gettext_lazy("name of the company"),
    "company.address": gettext_lazy("address of the company"),
    "today": gettext_lazy("day of the quote"),
    "valid_until": gettext_lazy("last day it is valid"),
    "net": gettext_lazy("sum without tax"),
    "tax": gettext_lazy("tax"),
    "gross": gettext_lazy("sum with tax"),
}


def find_faults(text: str) -> list[str]:
    """What is wrong with the placeholders of a text, as sentences for whoever wrote it."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return [_("A bracket is not closed. Write {{ or }} for a bracket itself.")]
    faults = []
    for _literal, name, form, conversion in parts:
        if name is None:
            continue
        if name not in KNOWN or form or conversion:
            written = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            faults.append(
                _("There is no placeholder {%(name)s}. There are: %(known)s.")
                % {"name": written, "known": ", ".join(f"{{{known}}}" for known in KNOWN)}
            )
    return faults


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in. Raises KeyError for an unknown one, which `find_faults` names."""
    return "".join(
        literal + (values[name] if name is not None else "")
        for literal, name, _form, _conv in Formatter().parse(text)
    )
