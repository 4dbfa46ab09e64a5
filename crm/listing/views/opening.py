"""Finding the list that a dialog is about."""

from __future__ import annotations

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from crm.listing.lists import RecordList, reopen
from crm.listing.paging import PLACE
from crm.people.kinds import kind_named


def open_list(request, params=None) -> RecordList:
    """The list that `kind` and `query` of the address name; 404 for a kind the reader sees nothing of."""
    params = params if params is not None else request.GET
    found = reopen(params.get("kind", ""), params.get("query", ""), request.user)
    if found is None or not request.user.access.may(found.kind, "view"):
        raise Http404
    return found


def list_address(rows: RecordList, params: QueryDict) -> str:
    """Where the list stands with these parameters, from its first page on."""
    for name in (*PLACE, "view"):
        params.pop(name, None)
    return f"{rows.address}?{params.urlencode() or 'view=0'}"


def plural_of(kind: str) -> str:
    """The kind's name, for headings."""
    known = kind_named(kind)
    return str(known.plural).capitalize() if known else _("Records")
