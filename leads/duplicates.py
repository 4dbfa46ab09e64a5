"""Leads, clients and contacts that a lead may be the same as."""

from __future__ import annotations

from counterparties.duplicates import (
    Duplicate,
    duplicate_contacts,
    duplicate_counterparties,
    duplicates_of,
    organisation_wanted,
)
from leads.models import Lead


def lead_values(lead: Lead) -> dict:
    """What is compared: a lead's fields, its company or person as the name."""
    fields = ("name", "tax_number", "phone", "email", "first_name", "last_name")
    return {field: getattr(lead, field) for field in fields}


def duplicate_leads(user, values: dict, *, exclude: int | None = None) -> list[Duplicate]:
    return duplicates_of(user, Lead, organisation_wanted(values), exclude=exclude)


def all_duplicates(user, values: dict, *, exclude: int | None = None) -> list[Duplicate]:
    """Clients first, then other leads, then contacts; six queries at most."""
    return [
        *duplicate_counterparties(user, values),
        *duplicate_leads(user, values, exclude=exclude),
        *duplicate_contacts(user, values),
    ]
