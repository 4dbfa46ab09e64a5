"""Which leads a rule holds for: those of a filtered list, read with the rights of the rule's author."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from crm.listing import pasted
from crm.listing.lists import reopen
from leads.models import LEAD_KIND, Lead, LeadRule


def clean_query(text: str, user) -> str:
    """The filters of a pasted address or query. Raises ValidationError for one that filters nothing."""
    return pasted.clean_query(LEAD_KIND, text, user)


def in_words(query: str, user) -> str:
    """The filters as people read them."""
    return pasted.in_words(LEAD_KIND, query, user) or _("all leads")


def fitting(rule: LeadRule, pks: Iterable[int]) -> set[int]:
    """Those of the leads `pks` for which the rule's filters hold."""
    pks = list(pks)
    leads = reopen(LEAD_KIND, rule.query, rule.author) if rule.query else None
    if leads is None:
        return set(pks)
    return set(leads.matching_rows.filter(pk__in=pks).order_by().values_list("pk", flat=True))


def new_leads(pks: Iterable[int]) -> list[Lead]:
    """The leads of a batch with what rules and messages need."""
    return list(Lead.objects.filter(pk__in=list(pks)).select_related("owner", "source").order_by("pk"))
