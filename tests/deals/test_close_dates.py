"""The calendar of close dates: what stands on which day, sums, rights, nonsense in the address, costs."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from crm.people.models import FieldRule, Role
from deals.close_dates import SHOWN
from deals.services import request_stage
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
URL = reverse("deals:deal_calendar")
DAY = date(2026, 11, 12)


def month(client, **params):
    return client.get(URL, {"month": "2026-11", **params}).context["month"]


def test_a_day_has_its_active_deals_and_the_month_their_sum(rep, teammate, signed_in):
    mine = make_deal(rep, name="Mine", amount=Decimal(1000), close_date=DAY)
    make_deal(teammate, name="Hers", amount=Decimal(500), close_date=DAY)
    make_deal(rep, amount=Decimal(7), currency="EUR", close_date=date(2026, 11, 30))
    make_deal(rep, amount=Decimal(70), close_date=date(2026, 12, 1))
    won = make_deal(rep, amount=Decimal(9000), close_date=DAY)
    request_stage(deal=won, status="won", by=rep)
    client = signed_in(rep)
    found = month(client)
    day = next(one for one in found.days if one.day == DAY)
    assert ([deal.name for deal in day.deals], day.sums.worth) == (["Mine", "Hers"], Decimal(1500))
    assert (found.sums.count, found.sums.worth, found.sums.unrated) == (3, Decimal(1500), 1)
    assert found.weeks[0][0].day == date(2026, 10, 26) and found.weeks[-1][-1].day == date(2026, 12, 6)
    assert month(client, owner="me").sums.worth == Decimal(1000)
    assert mine.name in client.get(URL, {"month": "2026-11"}).content.decode()


def test_a_full_day_leads_to_the_list(rep, signed_in):
    for number in range(SHOWN + 3):
        make_deal(rep, name=f"Deal {number}", close_date=DAY)
    client = signed_in(rep)
    day = next(one for one in month(client).days if one.day == DAY)
    assert (len(day.deals), day.more) == (SHOWN, 3)
    assert "close_date:on:2026-11-12" in client.get(URL, {"month": "2026-11"}).content.decode()
    listed = client.get(reverse("deals:deal_list"), {"tab": "active", "f.1": "close_date:on:2026-11-12"})
    assert len(listed.context["list"].page) == SHOWN + 3


@pytest.mark.parametrize("text", ["", "2026-13", "x", "0000-01", "9999-12", "2026-11-05", "2026-1\x00"])
def test_nonsense_in_the_address_is_a_month_all_the_same(rep, signed_in, text):
    assert signed_in(rep).get(URL, {"month": text, "owner": "<b>"}).status_code == 200


def test_what_one_may_not_see_is_not_there(rep, outsider, signed_in):
    make_deal(rep, name="Secret", amount=Decimal(13579), close_date=DAY)
    assert month(signed_in(outsider)).sums.count == 0
    FieldRule.objects.create(
        role=Role.objects.get(key="seller"), kind="deals.deal", field="amount", level="hidden"
    )
    body = signed_in(rep).get(URL, {"month": "2026-11"}).content.decode()
    assert "Secret" in body and "13,579" not in body


def test_a_month_costs_the_same_for_one_and_fifty(rep, signed_in, django_assert_max_num_queries):
    client = signed_in(rep)
    make_deal(rep, close_date=DAY)
    client.get(URL, {"month": "2026-11"})
    with django_assert_max_num_queries(10) as one:
        client.get(URL, {"month": "2026-11"})
    for _number in range(49):
        make_deal(rep, close_date=DAY)
    with django_assert_max_num_queries(10) as fifty:
        client.get(URL, {"month": "2026-11"})
    assert len(one) == len(fifty)
