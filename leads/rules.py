"""Which leads a rule holds for: those of a filtered list, read with the rights of the rule's author."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from leads.lists import LeadList
from leads.models import Lead, LeadRule

MOST_CHARACTERS = 4000


def filtered_list(query: str, user) -> LeadList:
    """The list as the query filters it; `view=0` keeps the reader's default view out."""
    return LeadList(user, QueryDict(query[:MOST_CHARACTERS] or "view=0"))


def clean_query(text: str, user) -> str:
    """The filters of a pasted address or query. Raises ValidationError for one that filters nothing."""
    text = text.replace("\x00", "").strip()
    if not text:
        return ""
    query = urlsplit(text).query or text.lstrip("?")
    found = filtered_list(query, user)
    if len(query) > MOST_CHARACTERS or not found.is_filtered:
        raise ValidationError(_("No filter of the list of leads is recognised in this address."))
    return found.query_string


def in_words(query: str, user) -> str:
    """The filters as people read them."""
    found = filtered_list(query, user)
    parts = [f"{one.filter.label}: {one.shown}" for one in found.active_filters if one.value]
    parts += [
        f"{one.field.label} {one.label} {one.shown(found.names_for(one))}".strip() for one in found.conditions
    ]
    if found.tab:
        parts.append(str(dict(found.tabs).get(found.tab, "")))
    if found.query:
        parts.append(f"“{found.query}”")
    return "; ".join(part for part in parts if part) or _("all leads")


def fitting(rule: LeadRule, pks: Iterable[int]) -> set[int]:
    """Those of the leads `pks` for which the rule's filters hold."""
    pks = list(pks)
    if not rule.query:
        return set(pks)
    rows = filtered_list(rule.query, rule.author).matching_rows
    return set(rows.filter(pk__in=pks).order_by().values_list("pk", flat=True))


def new_leads(pks: Iterable[int]) -> list[Lead]:
    """The leads of a batch with what rules and messages need."""
    return list(Lead.objects.filter(pk__in=list(pks)).select_related("owner", "source").order_by("pk"))
