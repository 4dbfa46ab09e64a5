"""Which leads may become one."""

from __future__ import annotations

from django.utils.translation import gettext as _

from counterparties.matching.merging import MergeRefused
from leads.models import Lead, LeadStatus


def check_merge(survivor: Lead, merged: list[Lead]) -> None:
    """A converted lead can only be the one that stays: what came of it stands on it. Raises MergeRefused."""
    converted = [lead for lead in merged if lead.status == LeadStatus.QUALIFIED]
    if converted and survivor.status == LeadStatus.QUALIFIED:
        raise MergeRefused(_("Both leads were converted. Merge what they became instead."))
    if converted:
        raise MergeRefused(
            _("“%(name)s” was converted, so it has to be the one that stays.") % {"name": converted[0]}
        )
