"""Dated rates: what holds on a day, reading pasted ones, and who may write them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from crm.money.models import Currency, Rate, RateChange
from crm.money.rate_reading import read_rates
from crm.money.rates import RateTable, rates_on, remove_rate, set_rates
from crm.money.signals import rates_changed

DAY = date(2026, 11, 26)


def read(text: str):
    return read_rates(text, day=DAY, known={"EUR", "USD", "HUF"}, own="PLN")


@pytest.mark.parametrize(
    ("line", "key", "rate"),
    [
        ("EUR 4,2715", ("EUR", DAY), "4.2715"), ("4.27 EUR", ("EUR", DAY), "4.27"), ("eur;4", ("EUR", DAY), "4"),
        ("2026-11-20;USD;3,94", ("USD", date(2026, 11, 20)), "3.94"), ("1 EUR\t4,2715", ("EUR", DAY), "4.2715"),
        ("20.11.2026,100 HUF,1.0923", ("HUF", date(2026, 11, 20)), "0.010923"), ("EUR,4,271", ("EUR", DAY), "4.271"),
    ],
)  # fmt: skip
def test_usual_notations_are_read(line, key, rate):
    found = read(line)
    assert (found.errors, found.rates) == ([], {key: Decimal(rate)})


@pytest.mark.parametrize(
    "line",
    [
        "EUR",
        "4,27",
        "EUR 0",
        "EUR -1x 2 3",
        "CHF 4",
        "PLN 1",
        "2026-13-01 EUR 4",
        "EUR 99999999",
        "EUR 4 5 6",
        "<b> 1",
    ],
)
def test_what_is_no_rate_is_named_with_its_line(line):
    found = read(f"currency;rate\n\n{line}")
    assert found.rates == {} and [number for number, _error in found.errors] == [3]


@pytest.fixture
def currencies(company):
    return Currency.objects.get(pk="EUR"), Currency.objects.get(pk="USD")


def test_a_rate_holds_from_its_day_until_the_next(currencies):
    set_rates(rates={("EUR", DAY): Decimal("4.30"), ("EUR", DAY + timedelta(7)): Decimal("4.40")})
    assert "EUR" not in rates_on(DAY - timedelta(1))
    assert rates_on(DAY) == rates_on(DAY + timedelta(6)) == {"EUR": Decimal("4.3"), "PLN": Decimal(1)}
    assert rates_on(DAY + timedelta(7))["EUR"] == Decimal("4.4")
    table = RateTable(["EUR", "PLN", "USD"])
    assert table.convert(Decimal("10.01"), "EUR", DAY) == Decimal("43.04")
    assert table.convert(Decimal(10), "EUR", DAY - timedelta(1)) is None
    assert table.convert(Decimal(10), "USD", DAY) is None
    assert table.convert(Decimal(10), "PLN", DAY) == 10


def test_writing_the_same_again_tells_nobody(currencies):
    heard = []

    def hear(sender, currency, since, **_kwargs):
        heard.append((currency, since))

    rates_changed.connect(hear)
    try:
        assert set_rates(rates={("EUR", DAY): Decimal("4.30"), ("USD", DAY): Decimal("3.9")}) == 2
        assert set_rates(rates={("EUR", DAY): Decimal("4.30")}) == 0
        remove_rate(rate=Rate.objects.get(currency="EUR"))
    finally:
        rates_changed.disconnect(hear)
    assert sorted(heard) == [("EUR", DAY), ("EUR", DAY), ("USD", DAY)]


def test_an_administrator_pastes_and_uploads_rates(admin_user, currencies, signed_in):
    client, url = signed_in(admin_user), reverse("money:rate_list")
    assert "no rate" in client.get(url).content.decode()
    file = SimpleUploadedFile("rates.csv", "data;waluta;kurs\n2026-11-20;USD;3,94\n".encode("utf-8-sig"))
    answer = client.post(url, {"text": "EUR 4,2715", "day": "2026-11-26", "file": file})
    assert answer.status_code == 302
    assert set(Rate.objects.values_list("currency", "date", "millionths")) == {
        ("EUR", DAY, 4_271_500), ("USD", date(2026, 11, 20), 3_940_000),
    }  # fmt: skip
    past = client.get(url, {"currency": "EUR"}).content.decode()
    assert "4.2715" in past
    client.post(reverse("money:rate_delete", args=[Rate.objects.get(currency="EUR").pk]))
    assert not Rate.objects.filter(currency="EUR").exists()


@pytest.mark.parametrize(
    "form",
    [
        {}, {"text": "", "day": "2026-11-26"}, {"text": "EUR 4\nnonsense", "day": "2026-11-26"},
        {"text": "EUR 4", "day": "soon"}, {"text": "x" * 500_001, "day": "2026-11-26"},
        {"text": "EUR 4\x00", "day": "2026-11-26"},
    ],
)  # fmt: skip
def test_rates_that_cannot_be_are_refused_whole(admin_user, currencies, signed_in, form):
    answer = signed_in(admin_user).post(reverse("money:rate_list"), form)
    assert answer.status_code == 422
    assert not Rate.objects.exists()


def test_nobody_else_writes_rates(rep, head, currencies, signed_in):
    set_rates(rates={("EUR", DAY): Decimal("4.30")})
    rate = Rate.objects.get()
    for user in (rep, head):
        client = signed_in(user)
        assert client.get(reverse("money:rate_list")).status_code == 403
        assert (
            client.post(reverse("money:rate_list"), {"text": "EUR 5", "day": "2026-11-26"}).status_code == 403
        )
        assert client.post(reverse("money:rate_delete", args=[rate.pk])).status_code == 403
    assert Rate.objects.get().millionths == 4_300_000


def test_a_page_a_day_ahead_shows_the_rate_of_today(admin_user, currencies, signed_in):
    today = timezone.localdate()
    set_rates(rates={("EUR", today): Decimal("4.31"), ("EUR", today + timedelta(1)): Decimal("9.99")})
    body = signed_in(admin_user).get(reverse("money:rate_list")).content.decode()
    assert "4.31" in body and "9.99" not in body


def test_every_change_of_a_rate_is_on_record(currencies, company, signed_in):
    admin = company["admin"]
    browser, page = signed_in(admin), reverse("money:rate_list")
    for text in ("EUR 4.20", "EUR 4.31", "EUR 4.31"):
        browser.post(page, {"text": text, "day": str(DAY)})
    browser.post(reverse("money:rate_delete", args=[Rate.objects.get().pk]))
    assert list(RateChange.objects.order_by("pk").values_list("currency", "date", "old", "new", "by__username")) == [
        ("EUR", DAY, None, 4_200_000, "admin"), ("EUR", DAY, 4_200_000, 4_310_000, "admin"),
        ("EUR", DAY, 4_310_000, None, "admin"),
    ]  # fmt: skip
    shown = browser.get(f"{page}?currency=EUR").content.decode()
    assert shown.index("4.31 → <strong>no rate") < shown.index("4.2 → <strong>4.31")
