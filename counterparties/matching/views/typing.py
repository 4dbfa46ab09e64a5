"""The warning while somebody types a lead, a counterparty or a contact: who may be the same, how likely and why.

A form shows it by including `components/record_form.html` with `duplicates_url`, or any element that sends its fields
to such an address; the area cleans them and answers with `matches_page`.
"""

from __future__ import annotations

from counterparties.matching.finding import find_matches
from counterparties.matching.keys import traits_of
from crm.web.htmx import page


def matches_page(request, kind: str, values: dict):
    """A fragment: what is like the cleaned `values` of a record of `kind`; `?exclude=` is the record itself."""
    exclude = request.GET.get("exclude", "")
    own = int(exclude) if exclude.isascii() and exclude.isdecimal() and len(exclude) < 19 else None
    matches = find_matches(request.user, kind, traits_of(kind, values), exclude=own)
    context = {"duplicates": matches, "own": own if kind == "leads.lead" else None}
    return page(request, "components/duplicates.html", context)
