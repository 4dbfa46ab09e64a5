"""Payments of a deal: schedules to the grosz, receipts, overdue ones, totals against the amount, rights, undo."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.money.models import Currency
from crm.people.models import FieldRule, Role
from deals.models import Payment, PaymentTemplate
from deals.parts import RowConflict, add_row, edit_row, remove_row
from deals.payments import PAYMENTS, plan_payments, receive_payment, sum_payments
from deals.services import edit_deal
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def make_template(*shares: tuple[str, int]) -> PaymentTemplate:
    template = PaymentTemplate.objects.create(name="Schedule")
    for percent, days in shares:
        template.shares.create(name=f"after {days}", percent=Decimal(percent), days=days)
    return template


def make_payment(deal, by, amount="100", **values) -> Payment:
    given = {"planned_date": timezone.localdate(), "amount": Decimal(amount), **values}
    return add_row(part=PAYMENTS, deal=deal, values=given, by=by)


def test_a_schedule_splits_the_amount_to_the_grosz(rep):
    deal = make_deal(rep, amount=Decimal("100.01"))
    thirds = make_template(("33.33", 0), ("33.33", 30), ("33.34", 60))
    plan_payments(deal=deal, template=thirds, start=date(2026, 1, 31), by=rep)
    rows = [(row.planned_date, row.amount) for row in PAYMENTS.rows(deal)]
    assert rows == [
        (date(2026, 1, 31), Decimal("33.33")),
        (date(2026, 3, 2), Decimal("33.33")),
        (date(2026, 4, 1), Decimal("33.35")),
    ]  # fmt: skip
    assert sum(amount for _day, amount in rows) == deal.amount
    event = Event.objects.get(kind="deal_payments_changed")
    with pytest.raises(ValidationError, match="has payments already"):
        plan_payments(deal=deal, template=thirds, start=date(2026, 1, 31), by=rep)
    undo_event(event=event, by=rep)
    assert not deal.payments.exists()


@pytest.mark.parametrize(
    ("amount", "shares"), [(None, ["100"]), ("0", ["100"]), ("10", []), ("10", ["30", "60"])]
)
def test_what_cannot_be_split_is_refused(rep, amount, shares):
    deal = make_deal(rep, amount=amount and Decimal(amount))
    template = make_template(*((percent, 0) for percent in shares))
    with pytest.raises(ValidationError):
        plan_payments(deal=deal, template=template, start=date(2026, 1, 1), by=rep)
    assert not deal.payments.exists()


def test_a_receipt_is_a_day_and_an_amount(rep):
    payment = make_payment(make_deal(rep), rep)
    today = timezone.localdate()
    payment = edit_row(part=PAYMENTS, row=payment, values={"received_date": today - timedelta(1)}, by=rep)
    assert (payment.received_amount, payment.status) == (Decimal(100), "received")
    payment = edit_row(part=PAYMENTS, row=payment, values={"received_amount": Decimal(40)}, by=rep)
    assert (payment.received_date, payment.status) == (today - timedelta(1), "partly")
    payment = edit_row(part=PAYMENTS, row=payment, values={"received_amount": None}, by=rep)
    assert (payment.received_date, payment.status) == (None, "planned")
    with pytest.raises(ValidationError, match="still to come"):
        edit_row(part=PAYMENTS, row=payment, values={"received_date": today + timedelta(1)}, by=rep)
    receive_payment(payment=payment, by=rep)
    with pytest.raises(ValidationError, match="received already"):
        receive_payment(payment=Payment.objects.get(), by=rep)


def test_a_number_is_an_invoice(rep):
    payment = make_payment(make_deal(rep), rep)
    payment = edit_row(part=PAYMENTS, row=payment, values={"invoice_number": "FV 1"}, by=rep)
    assert (payment.is_invoiced, payment.status) == (True, "invoiced")
    payment = edit_row(part=PAYMENTS, row=payment, values={"is_invoiced": False}, by=rep)
    assert payment.invoice_number == ""


def test_sums_tell_what_is_overdue_and_how_far_from_the_amount(rep):
    deal = make_deal(rep, amount=Decimal(1000))
    yesterday = timezone.localdate() - timedelta(1)
    make_payment(
        deal, rep, "300", planned_date=yesterday, received_date=yesterday, received_amount=Decimal(100)
    )
    make_payment(deal, rep, "500", planned_date=yesterday + timedelta(2))
    sums = sum_payments(PAYMENTS.rows(deal), deal.amount)
    assert (sums.planned, sums.received, sums.open, sums.overdue) == (800, 100, 700, 200)
    assert sums.deviation == -200
    assert PAYMENTS.rows(deal)[0].status == "overdue"


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10000000000000"])
def test_an_amount_that_cannot_be_is_refused(rep, amount):
    with pytest.raises(ValidationError) as refusal:
        make_payment(make_deal(rep), rep, amount)
    assert "amount" in refusal.value.message_dict


def test_the_currency_stays_while_there_are_payments(rep):
    deal = make_deal(rep)
    make_payment(deal, rep)
    with pytest.raises(ValidationError, match="Remove them first"):
        edit_deal(
            deal=deal, values={"currency": Currency.objects.get(pk="EUR")}, version=deal.version, by=rep
        )


def test_a_removed_payment_is_told_and_taken_back_under_its_number(rep):
    deal = make_deal(rep)
    payment = make_payment(deal, rep, name="Advance", invoice_number="FV 7", is_invoiced=True)
    remove_row(part=PAYMENTS, row=payment, by=rep)
    event = Event.objects.filter(kind="deal_payments_changed").latest("pk")
    change = event.changes.get()
    assert (change.field, change.new_text) == ("payments", "") and "invoice FV 7" in change.old_text
    undo_event(event=event, by=rep)
    back = deal.payments.get()
    assert (back.pk, back.name, back.invoice_number) == (payment.pk, "Advance", "FV 7")


def test_two_people_change_the_same_value(rep):
    payment = make_payment(make_deal(rep), rep)
    edit_row(part=PAYMENTS, row=payment, values={"amount": Decimal(1)}, seen={"amount": Decimal(100)}, by=rep)
    with pytest.raises(RowConflict):
        edit_row(
            part=PAYMENTS, row=payment, values={"amount": Decimal(2)}, seen={"amount": Decimal(100)}, by=rep
        )


# Pages


def test_payments_are_planned_changed_and_received_on_the_card(rep, signed_in):
    template = make_template(("30", 0), ("70", 30))
    deal, client = make_deal(rep, amount=Decimal(1000)), signed_in(rep)
    here = reverse("deals:deal_payments", args=[deal.pk])
    assert "Split 1,000" in client.get(here).content.decode()
    schedule = reverse("deals:payment_schedule", args=[deal.pk])
    answer = client.post(schedule, {"template": template.pk, "start": "2026-01-31"}, headers=HTMX)
    assert answer.status_code == 200
    first, second = PAYMENTS.rows(deal)
    where = reverse("deals:payment_update", args=[first.pk])
    answer = client.post(where, {"amount": "400,50", "seen": "300"}, headers=HTMX)
    assert answer.status_code == 200 and "Planned above" in answer.content.decode()
    assert client.post(where, {"amount": "0", "seen": "400.5"}, headers=HTMX).status_code == 422
    assert client.post(where, {"amount": "1", "seen": "300"}, headers=HTMX).status_code == 409
    client.post(where, {"is_invoiced": "1", "is_invoiced-sent": "1", "seen": ""}, headers=HTMX)
    assert Payment.objects.get(pk=first.pk).is_invoiced
    client.post(where, {"is_invoiced-sent": "1", "seen": "1"}, headers=HTMX)
    first.refresh_from_db()
    assert (first.amount, first.is_invoiced) == (Decimal("400.50"), False)
    client.post(reverse("deals:payment_receipt", args=[second.pk]), headers=HTMX)
    assert Payment.objects.get(pk=second.pk).received_amount == Decimal(700)
    client.post(here, {"name": "Extra", "planned_date": "2026-05-01", "amount": "5"}, headers=HTMX)
    client.post(reverse("deals:payment_delete", args=[first.pk]), headers=HTMX)
    assert [row.amount for row in PAYMENTS.rows(deal)] == [Decimal(700), Decimal(5)]


@pytest.mark.parametrize(
    "form",
    [
        {}, {"planned_date": "2026-13-01", "amount": "1"}, {"planned_date": "2026-01-01", "amount": "NaN"},
        {"planned_date": "2026-01-01", "amount": "-1"}, {"planned_date": "2026-01-01", "amount": "10000000000000"},
        {"planned_date": "2026-01-01", "amount": "1", "name": "x" * 101},
        {"planned_date": "2026-01-01", "amount": "1", "name": "a\x00b"},
    ],
)  # fmt: skip
def test_a_hostile_payment_is_refused(rep, signed_in, form):
    deal = make_deal(rep)
    assert signed_in(rep).post(reverse("deals:deal_payments", args=[deal.pk]), form).status_code == 422
    assert not deal.payments.exists()


def test_who_may_not_see_or_edit(rep, outsider, signed_in):
    deal = make_deal(rep, amount=Decimal(98765))
    payment = make_payment(deal, rep, "98765")
    pages = [reverse(f"deals:payment_{verb}", args=[payment.pk]) for verb in ("update", "receipt", "delete")]
    pages += [reverse(f"deals:{name}", args=[deal.pk]) for name in ("deal_payments", "payment_schedule")]
    client = signed_in(outsider)
    assert {client.post(page, {"amount": "2"}).status_code for page in pages} == {404}
    rule = FieldRule.objects.create(
        role=Role.objects.get(key="seller"), kind="deals.deal", field="amount", level="hidden"
    )
    client = signed_in(rep)
    body = client.get(pages[3]).content.decode()
    assert "hidden from you" in body
    assert "98765" not in body.replace("\xa0", "").replace(",", "")
    rule.level = "readonly"
    rule.save()
    assert "98,765" in client.get(pages[3]).content.decode()
    assert {client.post(page, {"amount": "2"}).status_code for page in pages[:3]} == {403}
    with pytest.raises(PermissionDenied):
        make_payment(deal, type(rep).objects.get(pk=rep.pk))
