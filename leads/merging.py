"""What leads are compared by, and which of them may become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from counterparties.matching.keys import Traits, make_traits
from counterparties.matching.merging import MergeRefused
from counterparties.matching.reading import texts_of
from leads.models import LEAD_KIND, Lead, LeadStatus

# A converted lead is the same as what it became, and a marked duplicate has been decided about.
_CLIENTS = frozenset({"counterparties.counterparty", "counterparties.contact"})
_SETTLED = {LeadStatus.QUALIFIED: _CLIENTS, LeadStatus.DUPLICATE: _CLIENTS | {LEAD_KIND}}


def lead_traits(values: Mapping) -> Traits:
    """A lead is a company, a person, or both; one called by its phone or e-mail has no name to compare."""
    person = f"{values.get('first_name') or ''} {values.get('last_name') or ''}".strip()
    phones, emails = (
        texts_of(values, "phone", "phones", "number"),
        texts_of(values, "email", "emails", "email"),
    )
    name = values.get("company") or (values.get("name") or "" if not person else "")
    traits = make_traits(
        tax_numbers=[values.get("tax_number") or ""],
        phones=phones,
        emails=emails,
        names=[] if name in {*phones, *emails} else [name],
        persons=[person],
        websites=[values.get("website") or ""],
        cities=[values.get("city") or ""],
    )
    return replace(traits, settled_with=_SETTLED.get(values.get("status"), frozenset()))


def check_merge(survivor: Lead, merged: list[Lead]) -> None:
    """A converted lead can only be the one that stays: what came of it stands on it. Raises MergeRefused."""
    converted = [lead for lead in merged if lead.status == LeadStatus.QUALIFIED]
    if converted and survivor.status == LeadStatus.QUALIFIED:
        raise MergeRefused(_("Both leads were converted. Merge what they became instead."))
    if converted:
        raise MergeRefused(
            _("“%(name)s” was converted, so it has to be the one that stays.") % {"name": converted[0]}
        )
