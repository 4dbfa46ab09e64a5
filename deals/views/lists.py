"""The list of deals, and the deals panel on a counterparty's card."""

from __future__ import annotations

from django.views.decorators.http import require_safe

from collab.calendar.selectors import next_activities
from counterparties.models import Counterparty
from crm.listing.lists import RecordList
from crm.listing.paging import PLACE
from crm.people.fields import mask
from crm.web.access import get_visible
from crm.web.formats import capped
from crm.web.htmx import page
from deals.lists import ALL, DealList
from deals.models import Deal

SORT = "deals.sort"
PANEL_ROWS = 50


@require_safe
def deal_list(request):
    """Deals by status, filtered and sorted; the chosen order is remembered for the session."""
    deals = DealList(request.user, request.GET, sort=request.session.get(SORT, ""))
    if request.GET.get("sort") and request.session.get(SORT) != deals.sort:
        request.session[SORT] = deals.sort
    _add_next_steps(deals.page)
    return page(request, "deals/deal_list.html", {"list": deals, "tabs": tabs_of(deals)})


def _add_next_steps(rows: list[Deal]) -> None:
    found = next_activities("deals.deal", [deal.pk for deal in rows])
    for deal in rows:
        deal.next_activity = found.get(deal.pk)


def tabs_of(deals: RecordList) -> list[dict]:
    """The tabs of a list that counts all its rows, as the frame draws them."""
    current = deals.tab if deals.tab in {str(value) for value, *_rest in deals.counts} else ALL
    return [
        {
            "url": _tab_address(deals, value),
            "label": label,
            "count": capped(count),
            "current": value == current,
        }
        for value, label, count in deals.counts
    ]


def _tab_address(deals: RecordList, tab: str) -> str:
    params = deals.params.copy()
    for name in PLACE:
        params.pop(name, None)
    params["tab"] = tab
    return f"?{params.urlencode()}"


@require_safe
def counterparty_deals(request, pk: int):
    """A fragment: the deals of a counterparty that the reader sees, newest first."""
    counterparty = get_visible(Counterparty, request.user, pk)
    deals = Deal.objects.visible_to(request.user).filter(counterparty=counterparty)
    rows = list(deals.select_related("stage", "owner").order_by("-pk")[:PANEL_ROWS])
    mask(request.user, rows)
    _add_next_steps(rows)
    context = {
        "counterparty": counterparty,
        "rows": rows,
        "may_create": request.user.access.may(Deal, "create"),
    }
    return page(request, "deals/counterparty_deals.html", context, partial="panel")
