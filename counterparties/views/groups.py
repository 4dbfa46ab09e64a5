"""The group a counterparty stands in: who is above and below it, and what their deals come to."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, Sum
from django.urls import reverse
from django.views.decorators.http import require_safe

from counterparties.hierarchy import LARGEST, levels_below, top_of
from counterparties.models import Counterparty
from crm.listing.conditions import MOST_CONDITIONS
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import page
from deals.models import Deal, DealStatus


@require_safe
def counterparty_group(request, pk: int):
    """A fragment: the tree, as far as the reader sees it; a branch below somebody hidden is hidden with him."""
    record = get_visible(Counterparty, request.user, pk)
    nodes = _visible_tree(request.user, top_of(pk))
    if all(node["record"].pk != pk for node in nodes):
        nodes = _visible_tree(request.user, pk)
    totals = _add_deals(request.user, nodes)
    context = {
        "record": record,
        "nodes": nodes,
        "totals": totals,
        "deals_url": _deals_url(nodes),
        "may_edit": may(request.user, "edit", record),
    }
    return page(request, "counterparties/counterparty_group.html", context, partial="panel")


def _visible_tree(user, top: int) -> list[dict]:
    """[{"record", "level"}] in the order of a tree, each with its daughters below it."""
    pks = [top, *(pk for level in levels_below(top) for pk in level)][:LARGEST]
    seen = Counterparty.objects.visible_to(user).filter(pk__in=pks).select_related("owner")
    children: dict[int | None, list[Counterparty]] = defaultdict(list)
    root = None
    for one in seen.order_by("sort_key", "pk"):
        if one.pk == top:
            root = one
        else:
            children[one.parent_id].append(one)
    nodes, stack = [], [(root, 0)] if root else []
    while stack:
        one, level = stack.pop()
        nodes.append({"record": one, "level": level})
        stack.extend((child, level + 1) for child in reversed(children[one.pk]))
    return nodes


def _add_deals(user, nodes: list[dict]) -> list[tuple[Decimal, str, int]]:
    """Gives each node the open deals the reader sees, and returns (amount, currency, count) of all. One query."""
    by_pk = {node["record"].pk: node for node in nodes}
    hidden = "amount" in user.access.hidden_fields(Deal)
    rows = (
        Deal.objects.visible_to(user)
        .filter(counterparty__in=by_pk, status__in=[DealStatus.ACTIVE, DealStatus.POSTPONED])
        .order_by()
        .values_list("counterparty", "currency")
        .annotate(Sum("amount"), Count("pk"))
    )
    totals: dict[str, list] = {}
    for counterparty, currency, amount, count in rows:
        amount = None if hidden else amount or Decimal(0)
        by_pk[counterparty].setdefault("sums", []).append((amount, currency, count))
        whole = totals.setdefault(currency, [Decimal(0), 0])
        whole[0] += amount or 0
        whole[1] += count
    return [
        (None if hidden else amount, currency, count) for currency, (amount, count) in sorted(totals.items())
    ]


def _deals_url(nodes: list[dict]) -> str:
    """The list of these deals; empty for a group too large for one filter."""
    if len(nodes) > MOST_CONDITIONS:
        return ""
    conditions = [("f.1", f"counterparty:is:{node['record'].name}") for node in nodes]
    return f"{reverse('deals:deal_list')}?{urlencode([('tab', 'all'), *conditions])}"
