"""What deals are worth in the company's currency: with every change, when rates change, never guessed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.money.models import Currency, Rate
from crm.money.rates import remove_rate, set_rates
from crm.people.models import FieldRule, Role
from deals.lines import add_line
from deals.many import edit_deals
from deals.models import Deal
from deals.services import edit_deal, request_stage
from tests.factories.deals import make_deal, make_loss_reason
from tests.factories.products import make_tax_rate

pytestmark = pytest.mark.django_db


def rate(value: str, days_ago: int = 0, code: str = "EUR") -> None:
    set_rates(rates={(code, timezone.localdate() - timedelta(days_ago)): Decimal(value)})


def worth(deal: Deal) -> Decimal | None:
    return Deal.objects.values_list("worth", flat=True).get(pk=deal.pk)


def test_a_deal_knows_what_it_is_worth_after_every_change(rep):
    rate("4.25", 9)
    make_tax_rate()
    deal = make_deal(rep, amount=Decimal(100), currency="EUR")
    own = make_deal(rep, amount=Decimal(100))
    assert (worth(deal), worth(own)) == (Decimal(425), Decimal(100))
    edit_deal(deal=deal, values={"amount": Decimal(200)}, version=deal.version, by=rep)
    assert worth(deal) == 850
    edit_deals(pks=[deal.pk, own.pk], field="amount", value=Decimal(10), by=rep)
    assert (worth(deal), worth(own)) == (Decimal("42.50"), Decimal(10))
    deal.refresh_from_db()
    edit_deal(deal=deal, values={"currency": Currency.objects.get(pk="PLN")}, version=deal.version, by=rep)
    assert worth(deal) == 10
    edit_deal(deal=deal, values={"currency": Currency.objects.get(pk="EUR")}, version=deal.version, by=rep)
    add_line(deal=deal, name="Work", unit_price=Decimal(1000), by=rep)
    assert worth(deal) == 4250


def test_without_a_rate_of_the_day_a_deal_is_worth_nothing_known(rep):
    rate("4.25", -1)
    deal = make_deal(rep, amount=Decimal(100), currency="EUR")
    assert worth(deal) is None


def test_changed_rates_recount_open_deals_and_those_closed_since(rep, run_jobs):
    rate("4.00", 30)
    open_deal, won, lost = (make_deal(rep, amount=Decimal(100), currency="EUR") for _number in range(3))
    dollars = make_deal(rep, amount=Decimal(100), currency="USD")
    request_stage(deal=won, status="won", by=rep)
    request_stage(deal=lost, status="lost", loss_reason=make_loss_reason(), by=rep)
    Deal.objects.filter(pk=lost.pk).update(closed_at=timezone.now() - timedelta(10))
    before = Deal.objects.get(pk=open_deal.pk)
    rate("5.00", 3)
    run_jobs()
    assert [worth(deal) for deal in (open_deal, won, lost, dollars)] == [500, 500, 400, None]
    after = Deal.objects.get(pk=open_deal.pk)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    remove_rate(rate=Rate.objects.order_by("date").first())
    run_jobs()
    assert [worth(deal) for deal in (open_deal, won, lost)] == [500, 500, None]


def test_a_reopened_deal_is_counted_at_todays_rate(admin_user, run_jobs):
    rate("4.00", 30)
    deal = make_deal(admin_user, amount=Decimal(100), currency="EUR")
    request_stage(deal=deal, status="won", by=admin_user)
    Deal.objects.filter(pk=deal.pk).update(closed_at=timezone.now() - timedelta(10))
    rate("5.00", 3)
    run_jobs()
    assert worth(deal) == 400
    request_stage(deal=deal, status="active", by=admin_user)
    assert worth(deal) == 500


def test_board_list_and_card_say_both_amounts_and_name_what_has_no_rate(rep, signed_in):
    rate("4.00")
    make_deal(rep, amount=Decimal(1000))
    euro = make_deal(rep, amount=Decimal(100), currency="EUR")
    make_deal(rep, amount=Decimal(7), currency="USD")
    client = signed_in(rep)
    column = client.get(reverse("deals:deal_board")).context["board"].columns[0]
    assert (column.worth, column.unrated) == (Decimal(1400), 1)
    board = client.get(reverse("deals:deal_board")).content.decode()
    assert "1,400" in board and "1 deal without a rate is not in the sum" in board
    listed = client.get(reverse("deals:deal_list")).content.decode()
    assert "≈" in listed and "no rate" in listed
    ordered = client.get(reverse("deals:deal_list"), {"cols": "name,worth", "sort": "worth"}).context["list"]
    assert [row.worth for row in ordered.page if row.worth is not None] == [400, 1000]
    card = client.get(reverse("deals:deal_detail", args=[euro.pk])).content.decode()
    assert "≈" in card


def test_a_hidden_amount_hides_the_worth(rep, signed_in):
    rate("4.00")
    deal = make_deal(rep, amount=Decimal(24691), currency="EUR")
    FieldRule.objects.create(
        role=Role.objects.get(key="seller"), kind="deals.deal", field="amount", level="hidden"
    )
    client = signed_in(rep)
    pages = [reverse("deals:deal_list"), reverse("deals:deal_board"), reverse("deals:deal_detail", args=[deal.pk]),
             f"{reverse('deals:deal_list')}?cols=name,worth&sort=worth"]  # fmt: skip
    for page in pages:
        body = client.get(page).content.decode().replace("\xa0", "")
        assert "98,764" not in body and "98764" not in body and "≈" not in body, page
