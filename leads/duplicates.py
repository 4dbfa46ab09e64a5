"""What a lead is compared by on the way to its conversion."""

from __future__ import annotations

from leads.models import Lead


def lead_values(lead: Lead) -> dict:
    """What is compared: a lead's fields, its company or person as the name."""
    fields = ("name", "tax_number", "phone", "email", "first_name", "last_name")
    return {field: getattr(lead, field) for field in fields}
