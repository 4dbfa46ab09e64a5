"""The catalogue: who keeps it, prices with dates, and taking a change of prices back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.money.format import show_money
from deals.catalogue import create_product, edit_product, prices_of, set_prices
from deals.models import Product
from deals.prices import price_of
from tests.factories.products import make_price_list, make_product, make_tax_rate, price_on


def show(price_list: str, amount: int) -> str:
    return f"{price_list}: {show_money(Decimal(amount), 'PLN')}"


pytestmark = pytest.mark.django_db


def test_marketing_keeps_the_catalogue_and_sellers_read_it(rep, marketing, signed_in):
    product = make_product(marketing)
    client = signed_in(rep)
    assert client.get(reverse("deals:product_list")).status_code == 200
    assert client.get(reverse("deals:product_detail", args=[product.pk])).status_code == 200
    assert client.get(reverse("deals:product_update", args=[product.pk])).status_code == 403
    assert client.get(reverse("deals:product_create")).status_code == 403
    with pytest.raises(PermissionDenied):
        create_product(values={"name": "Mine"}, by=rep)
    with pytest.raises(PermissionDenied):
        set_prices(product=product, amounts={make_price_list().pk: Decimal(1)}, by=rep)


def test_a_product_is_added_with_its_prices_on_one_form(marketing, signed_in):
    plain, euro = make_price_list(), make_price_list("Export", "EUR")
    rate = make_tax_rate()
    client = signed_in(marketing)
    form = {"name": "Suwnica 5 t", "code": " S-5 ", "unit": "szt.", "tax_rate": rate.pk, "is_active": "on",
            f"price_{plain.pk}": "12 500,50", f"price_{euro.pk}": ""}  # fmt: skip
    answer = client.post(reverse("deals:product_create"), form)
    product = Product.objects.get()
    assert answer.status_code == 302 and answer["Location"].endswith(f"/{product.pk}/")
    assert (product.code, product.tax_rate) == ("S-5", rate)
    assert (price_on(product, plain), price_on(product, euro)) == (Decimal("12500.50"), None)
    assert "12" in client.get(reverse("deals:product_detail", args=[product.pk])).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 201), ("code", "TAKEN"), ("price", "-1"), ("price", "10000000000000"),
     ("price", "much"), ("tax_rate", "999")],
)  # fmt: skip
def test_what_cannot_be_a_product_is_refused_whole(marketing, signed_in, field, value):
    make_product(marketing, "Other", code="TAKEN")
    one = make_price_list()
    form = {"name": "New", "code": "N", f"price_{one.pk}": "5", "is_active": "on"}
    form[f"price_{one.pk}" if field == "price" else field] = value
    answer = signed_in(marketing).post(reverse("deals:product_create"), form)
    assert answer.status_code == 422
    assert list(Product.objects.values_list("name", flat=True)) == ["Other"]


def test_the_price_of_a_day_is_that_of_the_list_that_began_last(marketing):
    today = timezone.localdate()
    old = make_price_list("Old", valid_from=date(2020, 1, 1))
    ended = make_price_list("Ended", valid_from=today - timedelta(9), valid_to=today - timedelta(1))
    coming = make_price_list("Coming", valid_from=today + timedelta(1))
    idle = make_price_list("Idle", valid_from=today, is_active=False)
    product = make_product(marketing, price="100", price_list=old)
    amounts = {ended.pk: Decimal(90), coming.pk: Decimal(120), idle.pk: Decimal(1)}
    set_prices(product=product, amounts=amounts, by=marketing)
    assert price_of(product, "PLN", today) == 100
    assert price_of(product, "PLN", today - timedelta(1)) == 90
    assert price_of(product, "PLN", today + timedelta(1)) == 120
    assert price_of(product, "EUR", today) is None


def test_changed_prices_are_told_and_taken_back(marketing):
    plain, other = make_price_list(), make_price_list("Other")
    product = make_product(marketing, price="100")
    set_prices(product=product, amounts={plain.pk: Decimal(120), other.pk: Decimal(130)}, by=marketing)
    event = Event.objects.filter(kind="product_prices_changed").latest("pk")
    change = event.changes.get()
    assert (change.field, change.old_text) == ("prices", show("Catalogue", 100))
    assert change.new_text == f"{show('Catalogue', 120)}; {show('Other', 130)}"
    undo_event(event=event, by=marketing)
    assert prices_of(product) == {str(plain.pk): "100.00"}


def test_a_price_changed_since_stays(marketing):
    plain = make_price_list()
    product = make_product(marketing, price="100")
    set_prices(product=product, amounts={plain.pk: Decimal(120)}, by=marketing)
    event = Event.objects.filter(kind="product_prices_changed").latest("pk")
    set_prices(product=product, amounts={plain.pk: Decimal(140)}, by=marketing)
    plan = undo_event(event=event, by=marketing)
    assert [skip.reason for skip in plan.skipped] == ["changed since"]
    assert price_on(product, plain) == 140


def test_two_products_never_share_a_code(marketing):
    make_product(marketing, "One", code="A")
    two = make_product(marketing, "Two", code="")
    assert make_product(marketing, "Three", code="").code is None
    with pytest.raises(ValidationError):
        edit_product(product=two, values={"code": "A"}, version=two.version, by=marketing)


def test_offers_name_code_and_price_of_offered_products(rep, marketing, signed_in):
    make_product(marketing, "Łódź rack", code="LR", price="1234")
    make_product(marketing, "Łódź gone", is_active=False)
    body = signed_in(rep).get(reverse("deals:product_options"), {"q": "lodz"}).content.decode()
    assert "Łódź rack" in body and "1" in body and "gone" not in body


def test_the_list_costs_the_same_for_one_and_fifty(rep, marketing, signed_in, django_assert_max_num_queries):
    client = signed_in(rep)
    make_product(marketing)
    client.get(reverse("deals:product_list"))
    with django_assert_max_num_queries(10) as one:
        client.get(reverse("deals:product_list"))
    for number in range(49):
        make_product(marketing, f"Rack {number}")
    with django_assert_max_num_queries(10) as fifty:
        client.get(reverse("deals:product_list"))
    assert len(fifty) == len(one)
