"""Saving the number of a call on the record that a person says it belongs to."""

from __future__ import annotations

from counterparties.models import Contact, Counterparty
from counterparties.services import edit_contact, edit_counterparty
from crm.people.visibility import may
from leads.models import Lead
from leads.services import edit_lead


def save_number(*, cards: dict, number: str, by) -> bool:
    """Adds the number to the contact, else the counterparty, else the lead; False where that is not the reader's to do.

    The main phone stays the main one.
    """
    record = cards.get("contact") or cards.get("counterparty") or cards.get("lead")
    if record is None or not number or not may(by, "edit", record):
        return False
    if {"phone", "phones"} & by.access.locked_fields(type(record)):
        return False
    if isinstance(record, Lead):
        if record.phone:
            return False
        edit_lead(lead=record, values={"phone": number}, version=record.version, by=by)
        return True
    if any(row.get("number") == number for row in record.phones):
        return False
    values = {"phones": [*record.phones, {"raw": number}]}
    if isinstance(record, Contact):
        edit_contact(contact=record, values=values, version=record.version, by=by)
    elif isinstance(record, Counterparty):
        edit_counterparty(counterparty=record, values=values, version=record.version, by=by)
    return True
