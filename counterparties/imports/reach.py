"""The columns of phones and e-mails with what they are for, and the rows they become."""

from __future__ import annotations

from typing import Any

from counterparties.models import Reachable
from counterparties.rows import with_texts
from crm.listing.imports.registry import Values
from crm.listing.imports.staging import EXTRA

# By the single column: those that fill its rows, the likeliest main one first, with their labels.
LABELS = {
    "phone": {
        "phone": "", "phone_mobile": "mobile", "phone_work": "work", "phone_2": "", "phone_home": "home",
        "phone_fax": "fax",
    },
    "email": {
        "email": "", "email_work": "work", "email_2": "", "email_home": "home", "email_invoices": "invoices",
    },
}  # fmt: skip
COLUMNS = tuple(key for labels in LABELS.values() for key in labels)
# The field behind each column, for those who may not write it.
WRITES = {key: (single,) for single, labels in LABELS.items() for key in labels if key != single}


def reach_of(values: Values, record: Reachable) -> dict[str, Any]:
    """The phones and e-mails of all columns that hold some, with those the record has beyond its first."""
    further = values.get(EXTRA, {})
    found: dict[str, Any] = {}
    for single, labels in LABELS.items():
        texts = [
            (text, label)
            for key, label in labels.items()
            for text in (values.get(key), *further.get(key, ()))
            if text
        ]
        if texts:
            found |= with_texts(record, single, texts)
    return found


def main_of(values: Values, single: str) -> str:
    """The phone or e-mail that will stand first: what tells a duplicate. A fax is nobody's own."""
    keys = (key for key in LABELS[single] if key != "phone_fax")
    return next((values[key] for key in keys if values.get(key)), "")
