"""Filters kept by rules: the address of a filtered list, pasted, checked, read in words and applied again."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.listing.lists import MOST_QUERY, RecordList, reopen


def clean_query(kind: str, text: str, user) -> str:
    """The filters of a pasted address or query. Raises ValidationError for one that filters nothing of the kind."""
    text = text.replace("\x00", "").strip()
    if not text:
        return ""
    query = urlsplit(text).query or text.lstrip("?")
    found = reopen(kind, query, user)
    if found is None or len(query) > MOST_QUERY or not found.is_filtered:
        raise ValidationError(_("No filter of this list is recognised in this address."))
    return found.query_string


def in_words(kind: str, query: str, user) -> str:
    """The filters as people read them, empty for none."""
    found: RecordList | None = reopen(kind, query, user)
    if found is None:
        return ""
    parts = [f"{one.filter.label}: {one.shown}" for one in found.active_filters if one.value]
    parts += [
        f"{one.field.label} {one.label} {one.shown(found.names_for(one))}".strip() for one in found.conditions
    ]
    if found.tab:
        parts.append(str(dict(found.tabs).get(found.tab, "")))
    if found.query:
        parts.append(f"“{found.query}”")
    return "; ".join(part for part in parts if part)
