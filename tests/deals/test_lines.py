"""Lines of a deal: sums by the grosz, the deal's amount, limits, two people at once, rights, undo."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.money.models import Currency
from crm.people.models import FieldRule, Role
from deals.lines import LINES, add_line
from deals.many import edit_deals
from deals.models import Deal, DealLine, DealSettings, StageTransition
from deals.parts import RowConflict, edit_row, remove_row
from deals.services import edit_deal
from tests.factories.deals import make_deal
from tests.factories.products import make_price_list, make_product, make_tax_rate

pytestmark = pytest.mark.django_db


def text_line(deal, by, price="100", **values) -> DealLine:
    return add_line(deal=deal, name="Work", unit_price=Decimal(price), by=by, **values)


def digits(body: str) -> str:
    """The page without what groups the digits of an amount."""
    return re.sub(r"[\s,\xa0\u202f]", "", body)


def hidden(role: str, field: str, level: str = "hidden") -> None:
    FieldRule.objects.create(role=Role.objects.get(key=role), kind="deals.deal", field=field, level=level)


def test_the_amount_is_the_sum_of_the_lines(rep, marketing):
    make_tax_rate()
    product = make_product(marketing, price="19.99")
    deal = make_deal(rep, amount=Decimal(5))
    line = add_line(deal=deal, product=product, quantity=Decimal(3), by=rep)
    assert (line.name, line.unit, line.unit_price) == ("Pallet rack", "pc", Decimal("19.99"))
    text_line(deal, rep, "0.05", discount=Decimal("50"))
    assert deal.amount == Decimal("60.00")  # 59.97 + 0.03: half a grosz goes up
    line = DealLine.objects.order_by("pk").first()
    assert (line.net, line.tax, line.gross) == (Decimal("59.97"), Decimal("13.79"), Decimal("73.76"))
    assert StageTransition.objects.filter(deal=deal, cause="amount").latest("pk").amount == Decimal("60.00")


def test_the_company_may_count_with_tax(rep):
    make_tax_rate()
    DealSettings.objects.create(amount_basis="gross")
    deal = make_deal(rep)
    text_line(deal, rep)
    assert deal.amount == Decimal("123.00")


def test_a_line_is_rounded_to_what_the_currency_has(rep):
    Currency.objects.create(code="JPY", name="Yen")
    deal = make_deal(rep, currency="JPY")
    line = text_line(deal, rep, "33.50", quantity=Decimal("1.5"))
    assert DealLine.objects.get(pk=line.pk).net == Decimal(50)


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"quantity": Decimal(0)}, "quantity"), ({"quantity": Decimal(-1)}, "quantity"),
        ({"quantity": Decimal("1e9")}, "quantity"), ({"discount": Decimal(101)}, "discount"),
        ({"discount": Decimal(-1)}, "discount"), ({"price": "-1"}, "unit_price"),
        ({"price": "10000000000000"}, "unit_price"),
        ({"price": "900000000000", "quantity": Decimal(2)}, "unit_price"), ({"name": ""}, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_line_is_refused_whole(rep, values, column):
    deal = make_deal(rep, amount=Decimal(5))
    given = {"name": "Work", "unit_price": Decimal(values.pop("price", "100")), **values}
    with pytest.raises(ValidationError) as refusal:
        add_line(deal=deal, by=rep, **given)
    assert column in refusal.value.message_dict
    assert Deal.objects.get(pk=deal.pk).amount == 5 and not DealLine.objects.exists()


def test_a_product_without_a_price_in_the_currency_asks_for_one(rep, marketing):
    product = make_product(marketing)
    with pytest.raises(ValidationError, match="has no price in EUR today"):
        add_line(deal=make_deal(rep, currency="EUR"), product=product, by=rep)


def test_with_lines_the_amount_is_nobodys_to_write(rep, signed_in):
    deal = make_deal(rep)
    text_line(deal, rep)
    with pytest.raises(ValidationError, match="sum of the lines"):
        edit_deal(deal=deal, values={"amount": Decimal(7)}, version=deal.version, by=rep)
    assert edit_deals(pks=[deal.pk], field="amount", value=Decimal(7), by=rep) == {}
    form = signed_in(rep).get(reverse("deals:deal_update", args=[deal.pk])).context["form"]
    assert form.fields["amount"].disabled and form.fields["currency"].disabled


def test_the_last_line_gone_leaves_an_amount_that_may_be_written(rep):
    deal = make_deal(rep)
    line = text_line(deal, rep)
    remove_row(part=LINES, row=line, by=rep)
    deal.refresh_from_db()
    assert deal.amount == 100
    edit_deal(deal=deal, values={"amount": Decimal(7)}, version=deal.version, by=rep)
    assert Deal.objects.get(pk=deal.pk).amount == 7


def test_two_people_change_the_same_value_of_a_line(rep):
    deal = make_deal(rep)
    line = text_line(deal, rep)
    seen = {"quantity": Decimal(1)}
    edit_row(part=LINES, row=line, values={"quantity": Decimal(2)}, seen=seen, by=rep)
    with pytest.raises(RowConflict):
        edit_row(part=LINES, row=line, values={"quantity": Decimal(3)}, seen=seen, by=rep)
    edit_row(part=LINES, row=line, values={"discount": Decimal(10)}, seen={"discount": Decimal(0)}, by=rep)
    deal.refresh_from_db()
    assert deal.amount == Decimal(180)


def test_a_change_of_lines_is_told_and_taken_back(rep):
    deal = make_deal(rep, amount=Decimal(40))
    text_line(deal, rep)
    line = text_line(deal, rep, "200")
    remove_row(part=LINES, row=line, by=rep)
    event = Event.objects.filter(kind="deal_lines_changed").latest("pk")
    assert {change.field for change in event.changes.all()} == {"lines", "amount"}
    assert "Work: 1 ×" in event.changes.get(field="lines").old_text
    undo_event(event=event, by=rep)
    deal.refresh_from_db()
    assert deal.amount == 300
    assert list(DealLine.objects.order_by("pk").values_list("pk", "unit_price")[1:]) == [
        (line.pk, Decimal(200))
    ]


def test_the_first_line_taken_back_gives_the_old_amount_again(rep):
    deal = make_deal(rep, amount=Decimal(40))
    text_line(deal, rep)
    undo_event(event=Event.objects.filter(kind="deal_lines_changed").latest("pk"), by=rep)
    deal.refresh_from_db()
    assert deal.amount == 40 and not deal.lines.exists()


def test_lines_changed_since_stay(rep):
    deal = make_deal(rep)
    text_line(deal, rep)
    event = Event.objects.filter(kind="deal_lines_changed").latest("pk")
    text_line(deal, rep, "200")
    plan = undo_event(event=event, by=rep)
    assert {skip.reason for skip in plan.skipped} == {"changed since"}
    assert deal.lines.count() == 2


# Pages


def test_lines_are_added_changed_and_removed_on_the_card(rep, marketing, signed_in):
    product, rate = make_product(marketing), make_tax_rate("8", is_default=False)
    deal, client = make_deal(rep), signed_in(rep)
    here = reverse("deals:deal_lines", args=[deal.pk])
    htmx = {"HX-Request": "true"}
    assert client.get(here, headers=htmx).status_code == 200
    answer = client.post(here, {"product": product.pk, "q": "Pallet rack", "quantity": "2,5"}, headers=htmx)
    assert answer.status_code == 200 and "deal-changed" in answer["HX-Trigger"]
    line = DealLine.objects.get()
    where = reverse("deals:line_update", args=[line.pk])
    answer = client.post(where, {"quantity": "4", "seen": "2.5"}, headers=htmx)
    assert answer.status_code == 200 and f'id="lines-{line.pk}-net"' in answer.content.decode()
    client.post(where, {"tax_rate": rate.pk, "seen": line.tax_rate_id}, headers=htmx)
    line.refresh_from_db()
    assert (line.quantity, line.net, line.tax) == (Decimal(4), Decimal(400), Decimal(32))
    answer = client.post(where, {"quantity": "0", "seen": "4"}, headers=htmx)
    body = answer.content.decode()
    assert answer.status_code == 422 and "The quantity is more than 0." in body and 'value="0"' in body
    answer = client.post(where, {"quantity": "9", "seen": "3"}, headers=htmx)
    assert answer.status_code == 409
    client.post(here, {"q": "Transport", "unit_price": "12,50"}, headers=htmx)
    assert Deal.objects.get(pk=deal.pk).amount == Decimal("412.50")
    client.post(reverse("deals:line_delete", args=[line.pk]), headers=htmx)
    assert Deal.objects.get(pk=deal.pk).amount == Decimal("12.50")


@pytest.mark.parametrize(
    "form",
    [
        {"q": ""}, {"q": "x"}, {"q": "x", "unit_price": "abc"}, {"q": "x", "unit_price": "1", "quantity": "NaN"},
        {"q": "x", "unit_price": "1", "discount": "101"}, {"q": "x", "unit_price": "10000000000000"},
        {"q": "x", "unit_price": "1", "product": "999999"}, {"q": "x", "unit_price": "1", "tax_rate": "abc"},
        {"q": "x\x00", "unit_price": "-5"},
    ],
)  # fmt: skip
def test_a_hostile_new_line_is_refused(rep, signed_in, form):
    deal = make_deal(rep)
    answer = signed_in(rep).post(reverse("deals:deal_lines", args=[deal.pk]), form)
    assert answer.status_code == 422
    assert not deal.lines.exists()


def test_who_may_not_see_or_edit(rep, outsider, head, signed_in):
    deal = make_deal(rep)
    line = text_line(deal, rep)
    pages = [reverse("deals:deal_lines", args=[deal.pk]), reverse("deals:line_update", args=[line.pk]),
             reverse("deals:line_delete", args=[line.pk])]  # fmt: skip
    client = signed_in(outsider)
    assert [client.post(page, {"quantity": "2"}).status_code for page in pages] == [404, 404, 404]
    assert client.get(pages[0]).status_code == 404
    hidden("seller", "amount", "readonly")
    client = signed_in(rep)
    assert "cell-input" not in client.get(pages[0]).content.decode()
    assert [client.post(page, {"quantity": "2"}).status_code for page in pages[1:]] == [403, 403]
    with pytest.raises(PermissionDenied):
        text_line(deal, type(rep).objects.get(pk=rep.pk))


def test_a_hidden_amount_hides_prices_and_their_history(rep, signed_in):
    deal = make_deal(rep)
    text_line(deal, rep, "98765")
    hidden("seller", "amount")
    client = signed_in(rep)
    body = client.get(reverse("deals:deal_lines", args=[deal.pk])).content.decode()
    assert "Work" in body and "98765" not in digits(body)
    story = client.get(reverse("history:card_history", args=["deals.deal", deal.pk])).content.decode()
    assert "98765" not in digits(story)


def test_the_panel_costs_the_same_for_one_and_fifty_lines(rep, signed_in, django_assert_max_num_queries):
    make_price_list()
    deal, client = make_deal(rep), signed_in(rep)
    text_line(deal, rep)
    url = reverse("deals:deal_lines", args=[deal.pk])
    client.get(url)
    with django_assert_max_num_queries(15) as one:
        client.get(url, headers={"HX-Request": "true"})
    for _number in range(49):
        text_line(deal, rep)
    with django_assert_max_num_queries(15) as fifty:
        client.get(url, headers={"HX-Request": "true"})
    assert len(one) == len(fifty)
