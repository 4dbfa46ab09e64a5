"""One door for leads that no person types: forms, mailboxes, calls, other programs."""

from __future__ import annotations

from django.db import transaction

from leads.assignment import assign_by_rules
from leads.models import Lead
from leads.services import create_lead


@transaction.atomic
def receive_lead(*, values: dict, attributes: dict | None = None, by, via: str = "") -> Lead:
    """A lead from outside: created for `by` and handed on by the assignment rules, unless `values` name its owner.

    `via` names the channel in the lead's history. Raises PermissionDenied, ValidationError as `create_lead` does.
    """
    lead = create_lead(values=values, attributes=attributes, by=by, via=via)
    if not values.get("owner"):
        assign_by_rules(leads=[lead], by=by, via=via)
    return lead
