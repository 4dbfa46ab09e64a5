"""The filters and saved views of the list on the board, and its sums against a slow reference."""

from collections import defaultdict
from decimal import Decimal
from random import Random

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.listing.models import SavedView
from crm.money.rates import set_rates
from crm.money.rounding import round_money
from deals.models import Deal
from deals.services import request_stage
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_stage

pytestmark = pytest.mark.django_db

BOARD = reverse("deals:deal_board")
RATES = {"PLN": Decimal(1), "EUR": Decimal("4.2537"), "USD": Decimal("3.9011")}


def names(client, query: str) -> set[str]:
    board = client.get(f"{BOARD}?{query}").context["board"]
    return {tile.deal.name for column in board.columns for tile in column.tiles}


def test_the_board_speaks_the_lists_address(rep, teammate, head, signed_in):
    make_deal(rep, name="Small", amount=Decimal(100))
    make_deal(rep, name="Big", amount=Decimal(5000))
    make_deal(
        teammate, name="Other", amount=Decimal(9000), counterparty=make_counterparty(teammate, name="Inny")
    )
    client = signed_in(head)
    assert names(client, "") == {"Small", "Big", "Other"}
    assert names(client, f"owner={rep.pk}") == {"Small", "Big"}
    assert names(client, "f=amount:min:1000") == {"Big", "Other"}
    assert names(client, f"owner={rep.pk}&f=amount:min:1000") == {"Big"}
    assert names(client, "q=sma") == {"Small"}
    assert names(client, "owner=nonsense&f=password:is:x&q=") == {"Small", "Big", "Other"}
    assert names(signed_in(rep), "owner=me") == {"Small", "Big"}


def test_a_saved_view_opens_on_the_board_and_filters_lead_back_to_it(rep, signed_in):
    make_deal(rep, name="Small", amount=Decimal(100))
    make_deal(rep, name="Big", amount=Decimal(5000))
    client = signed_in(rep)
    sent = {"kind": "deals.deal", "query": "as=board&f=amount:min:1000", "name": "Big ones"}
    saved = client.post("/lists/views/new/", sent)
    view = SavedView.objects.get()
    assert saved.headers["Location"].startswith(f"{BOARD}?")
    assert "as=board" not in view.query
    assert names(client, f"view={view.pk}") == {"Big"}
    assert names(client, f"funnel=new&view={view.pk}") == {"Big"}
    asked = {
        "kind": "deals.deal",
        "query": "as=board",
        "field": "amount",
        "operator": "min",
        "value": "7",
        "apply": "1",
    }
    assert client.post("/lists/filter/", asked).headers["Location"].startswith(f"{BOARD}?")


def test_further_tiles_and_changes_keep_to_the_filters(rep, signed_in):
    counterparty = make_counterparty(rep)
    deals = [
        make_deal(rep, name=f"Deal {n}", counterparty=counterparty, amount=Decimal(n)) for n in range(44)
    ]
    client = signed_in(rep)
    column = client.get(f"{BOARD}?f=amount:min:20").context["board"].columns[0]
    assert (len(column.tiles), column.count) == (20, 24)
    more = client.get(
        reverse("deals:deal_column"), {"f": "amount:min:20", "column": column.key, "after": column.cursor}
    )
    assert [tile.deal.name for tile in more.context["column"].tiles] == [
        "Deal 23",
        "Deal 22",
        "Deal 21",
        "Deal 20",
    ]
    ids = f"{deals[0].pk},{deals[43].pk}"
    changed = client.get(reverse("deals:deal_changes"), {"f": "amount:min:20", "ids": ids})
    assert ([tile.deal.pk for tile in changed.context["tiles"]], changed.context["gone"]) == (
        [deals[43].pk], [deals[0].pk],
    )  # fmt: skip
    moved = client.post(
        f"{reverse('deals:deal_stage', args=[deals[43].pk])}?f=amount:min:20",
        {"stage": make_stage("needs").pk},
        headers={"HX-Request": "true", "HX-Target": "board-changes"},
    )
    assert [column.count for column in moved.context["board"].columns][:2] == [23, 1]


@pytest.mark.parametrize("query", ["", "f=amount:min:1000", "q=a"])
def test_sums_are_those_of_a_slow_reference_to_the_grosz(rep, signed_in, query):
    rng, today = Random(7), timezone.localdate()
    set_rates(rates={(code, today): rate for code, rate in RATES.items() if code != "PLN"})
    counterparty = make_counterparty(rep)
    stages = [make_stage(key) for key in ("qualification", "needs", "proposal", "contract")]
    for number in range(60):
        deal = make_deal(
            rep, name=f"{rng.choice('ab')} {number}", counterparty=counterparty, currency=rng.choice([*RATES]),
            amount=Decimal(rng.randint(0, 10**9)) / 100 if rng.random() < 0.9 else None,
        )  # fmt: skip
        if (stage := rng.choice(stages)) != stages[0]:
            request_stage(deal=deal, stage=stage, by=rep)
    board = signed_in(rep).get(f"{BOARD}?{query}").context["board"]
    counts, sums, worth = defaultdict(int), defaultdict(Decimal), defaultdict(Decimal)
    for deal in Deal.objects.all():
        if "min" in query and (deal.amount is None or deal.amount < 1000):
            continue
        if query == "q=a" and "a" not in deal.search_text:
            continue
        counts[deal.stage_id] += 1
        amount = deal.amount or Decimal(0)
        sums[deal.stage_id, deal.currency_id] += amount
        worth[deal.stage_id] += round_money(amount * RATES[deal.currency_id], "PLN")
    for column in board.columns:
        stage = int(column.key)
        assert (column.count, column.worth) == (counts[stage], worth[stage])
        assert {code: amount for code, amount in column.sums.items() if amount} == {
            code: amount for (place, code), amount in sums.items() if place == stage and amount
        }


def test_the_first_paint_is_light(rep, signed_in, django_assert_max_num_queries):
    counterparty = make_counterparty(rep)
    for key in ("qualification", "needs", "proposal", "contract"):
        for number in range(22):
            deal = make_deal(rep, name=f"A deal of some length, number {number}", counterparty=counterparty)
            if key != "qualification":
                request_stage(deal=deal, stage=make_stage(key), by=rep)
    client = signed_in(rep)
    client.get(BOARD)
    with django_assert_max_num_queries(12):
        answer = client.get(f"{BOARD}?f=amount:empty&owner=me")
    assert len(answer.content) <= 120_000
