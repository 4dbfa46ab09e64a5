"""List, board and card: who sees them, how they answer, and that they cost the same for one row and for fifty."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deals.models import DealStatus
from deals.services import request_stage
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal, make_loss_reason, make_stage

LIST, BOARD = reverse("deals:deal_list"), reverse("deals:deal_board")


def detail(deal) -> str:
    return reverse("deals:deal_detail", args=[deal.pk])


@contextmanager
def counting():
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield captured


def queries(client, url: str) -> int:
    client.get(url)
    with counting() as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_list_shows_what_the_reader_may_see(rep, outsider, signed_in):
    mine = make_deal(rep, name="Conveyor belt", amount=Decimal("12500.50"))
    make_deal(outsider, name="Secret silo", counterparty=make_counterparty(outsider, name="Młyn S.A."))
    answer = signed_in(rep).get(LIST)
    assert [deal.pk for deal in answer.context["list"].page] == [mine.pk]
    assert "Conveyor belt" in answer.content.decode()
    assert "Secret silo" not in answer.content.decode()


def test_tabs_count_by_status_and_open_on_the_active_ones(rep, signed_in):
    make_deal(rep, name="First")
    won, lost = make_deal(rep, name="Second"), make_deal(rep, name="Third")
    request_stage(deal=won, status=DealStatus.WON, by=rep)
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    client = signed_in(rep)
    answer = client.get(LIST)
    assert [(tab["count"], tab["current"]) for tab in answer.context["tabs"]] == [
        ("1", True), ("0", False), ("1", False), ("1", False), ("3", False),
    ]  # fmt: skip
    assert [deal.name for deal in client.get(f"{LIST}?tab=won").context["list"].page] == ["Second"]
    assert len(client.get(f"{LIST}?tab=all").context["list"].page) == 3


def test_the_list_filters_and_remembers_its_order(rep, teammate, signed_in):
    low = make_deal(rep, name="Low", amount=Decimal(10))
    high = make_deal(rep, name="High", amount=Decimal(99))
    make_deal(teammate, name="Other", counterparty=make_counterparty(teammate, name="Inny"))
    request_stage(deal=high, stage=make_stage("needs"), by=rep)
    client = signed_in(rep)
    names = lambda query: [deal.name for deal in client.get(LIST + query).context["list"].page]  # noqa: E731
    assert names(f"?owner={rep.pk}&sort=-amount") == ["High", "Low"]
    assert names("") == ["High", "Low", "Other"]
    assert names(f"?stage={low.stage_id}&owner={rep.pk}") == ["Low"]
    assert names(f"?type={low.deal_type_id}&q=hig") == ["High"]
    assert names("?owner=nonsense&stage=' OR 1&after=%00") == ["High", "Low", "Other"]


@pytest.mark.parametrize("who", ["rep", "head", "admin"])
def test_lists_and_boards_cost_the_same_for_one_and_fifty(company, signed_in, who):
    rep, client = company["rep"], signed_in(company[who])
    counterparty = make_counterparty(rep)
    make_deal(rep, counterparty=counterparty)
    one = queries(client, LIST), queries(client, BOARD)
    for number in range(49):
        deal = make_deal(rep, name=f"Deal {number}", counterparty=counterparty)
        if number % 3:
            request_stage(deal=deal, stage=make_stage(["needs", "proposal"][number % 2]), by=rep)
    assert (queries(client, LIST), queries(client, BOARD)) == one
    assert one[0] <= 10
    assert one[1] <= 12


@pytest.mark.parametrize("who", ["rep", "head", "admin"])
def test_a_card_costs_at_most_fifteen(company, signed_in, who):
    deal = make_deal(company["rep"])
    assert queries(signed_in(company[who]), detail(deal)) <= 15


def test_the_card_is_hidden_from_an_outsider(rep, outsider, teammate, marketing, signed_in):
    deal = make_deal(rep, name="Quiet deal")
    assert signed_in(teammate).get(detail(deal)).status_code == 200
    for stranger in (outsider, marketing):
        assert signed_in(stranger).get(detail(deal)).status_code == 404


def test_the_card_names_what_it_is(rep, signed_in):
    deal = make_deal(rep, name="Conveyor", amount=Decimal("1500"), close_date=timezone.localdate())
    answer = signed_in(rep).get(detail(deal))
    text = answer.content.decode()
    assert [(step.stage.key, step.state, step.may_go) for step in answer.context["steps"]] == [
        ("qualification", "current", False), ("needs", "ahead", True), ("proposal", "ahead", True),
        ("contract", "ahead", True),
    ]  # fmt: skip
    assert "Conveyor" in text
    assert deal.number in text


def test_the_card_answers_its_moving_part_alone(rep, signed_in):
    deal = make_deal(rep)
    answer = signed_in(rep).get(detail(deal), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert 'id="deal-state"' in text
    assert "<html" not in text
    assert answer.headers["Vary"].count("HX-Request") == 1


def test_the_board_has_counts_sums_and_only_running_deals(rep, signed_in):
    make_deal(rep, name="A", amount=Decimal("1000.25"))
    make_deal(rep, name="B", amount=Decimal("2000.25"))
    request_stage(deal=make_deal(rep, name="C", amount=Decimal(7)), status=DealStatus.WON, by=rep)
    board = signed_in(rep).get(BOARD).context["board"]
    first = board.columns[0]
    assert (first.name, first.count, first.sums) == ("Qualification", 2, {"PLN": Decimal("3000.50")})
    assert [tile.deal.name for tile in first.tiles] == ["B", "A"]


def test_a_long_column_comes_page_by_page(rep, signed_in):
    counterparty = make_counterparty(rep)
    for number in range(23):
        make_deal(rep, name=f"Deal {number}", counterparty=counterparty)
    client = signed_in(rep)
    column = client.get(BOARD).context["board"].columns[0]
    assert (len(column.tiles), column.count) == (20, 23)
    more = client.get(reverse("deals:deal_column"), {"column": column.key, "after": column.cursor})
    names = [tile.deal.name for tile in more.context["column"].tiles]
    assert names == ["Deal 2", "Deal 1", "Deal 0"]


def test_a_teammates_tile_is_seen_but_fixed(rep, teammate, signed_in):
    make_deal(teammate, counterparty=make_counterparty(teammate, name="Inny"))
    tile = signed_in(rep).get(BOARD).context["board"].columns[0].tiles[0]
    assert (tile.is_fixed, tile.rots) == (True, False)


def test_changes_bring_fresh_tiles_and_tell_which_are_gone(rep, outsider, signed_in):
    seen = make_deal(rep)
    hidden = make_deal(outsider, name="Secret", counterparty=make_counterparty(outsider, name="Inny"))
    answer = signed_in(rep).get(reverse("deals:deal_changes"), {"ids": f"{seen.pk},{hidden.pk},x"})
    assert [tile.deal.pk for tile in answer.context["tiles"]] == [seen.pk]
    assert answer.context["gone"] == [hidden.pk]
    assert "Secret" not in answer.content.decode()


def test_the_panel_of_a_counterparty(rep, signed_in):
    deal = make_deal(rep, close_date=timezone.localdate() - timedelta(days=2))
    url = reverse("deals:counterparty_deals", args=[deal.counterparty_id])
    html = signed_in(rep).get(url, headers={"HX-Request": "true"}).content.decode()
    assert html.count("<tr>") == 2 and f'href="/deals/{deal.pk}/"' in html
    assert f"counterparty={deal.counterparty_id}" in html


def test_a_form_without_a_counterparty_offers_nobody(rep, signed_in):
    make_contact(rep, last_name="Niczyj")
    page = signed_in(rep).get(reverse("deals:deal_create")).content.decode()
    assert 'name="name"' in page
    assert "Niczyj" not in page
