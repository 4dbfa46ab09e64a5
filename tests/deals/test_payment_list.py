"""Payments of all deals in one list: tabs, rights of the deal, values changed in place and in bulk, import and undo."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.listing.bulk.services import request_bulk, request_undo
from crm.listing.imports import undoing
from crm.listing.imports.registry import importers_of
from crm.listing.models import Import
from crm.people.models import FieldRule
from deals.models import Payment
from deals.parts import RowConflict, add_row, edit_row
from deals.payment_lists import PaymentList
from deals.payments import PAYMENTS, edit_payment
from deals.services import request_stage
from tests.factories import sheets
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_loss_reason
from tests.factories.imports import finished_import

pytestmark = pytest.mark.django_db
PAYMENT = "deals.payment"
TODAY = timezone.localdate


def make_payment(deal, by, days: int, **values) -> Payment:
    values = {"amount": Decimal(100), "planned_date": TODAY() + timedelta(days=days), **values}
    return add_row(part=PAYMENTS, deal=deal, values=values, by=by)


@pytest.fixture
def late(rep):
    return make_payment(make_deal(rep, name="Conveyor", amount=Decimal(300)), rep, -5, name="Advance")


def names_on(page) -> list[str]:
    return [row.name for row in page.context["list"].page]


def test_the_tabs_say_who_owes_what(rep, late, signed_in):
    deal = late.deal
    make_payment(deal, rep, 5, name="Rest")
    make_payment(deal, rep, -9, name="Paid", received_date=TODAY(), received_amount=Decimal(100))
    part = make_payment(deal, rep, -2, name="Half", received_date=TODAY(), received_amount=Decimal(40))
    lost = make_deal(rep, name="Lost")
    make_payment(lost, rep, -3, name="Never")
    request_stage(deal=lost, status="lost", loss_reason=make_loss_reason(), by=rep)
    browser = signed_in(rep)
    found = {
        tab: names_on(browser.get(f"/deals/payments/?tab={tab}")) for tab in ("", "due", "received", "all")
    }
    assert found == {
        "": ["Advance", "Half"], "due": ["Rest"], "received": ["Paid"],
        "all": ["Paid", "Advance", "Never", "Half", "Rest"],
    }  # fmt: skip
    assert part.open_amount == 60
    assert names_on(browser.get("/deals/payments/?tab=all&q=convey")) == ["Paid", "Advance", "Half", "Rest"]
    assert (
        browser.get(f"/deals/payments/{late.pk}/card/").headers["Location"].startswith(f"/deals/{deal.pk}/")
    )


def test_who_does_not_see_the_deal_sees_no_payment(late, outsider, teammate, marketing, signed_in):
    assert names_on(signed_in(outsider).get("/deals/payments/")) == []
    assert signed_in(outsider).get(f"/deals/payments/{late.pk}/card/").status_code == 404
    page = signed_in(teammate).get("/deals/payments/")
    assert names_on(page) == ["Advance"]
    assert "data-locked" in page.content.decode()
    cell = f"/lists/cells/{PAYMENT}/{late.pk}/received_date/"
    assert signed_in(teammate).get(cell).status_code == 403
    with pytest.raises(PermissionDenied):
        edit_payment(payment=late, values={"name": "x"}, version=late.version, by=teammate)


def test_hidden_amounts_hide_the_list(rep, late, signed_in):
    role = rep.roles.get()
    FieldRule.objects.create(role=role, kind="deals.deal", field="amount", level="hidden")
    rep.__dict__.pop("access", None)
    assert not Payment.objects.visible_to(rep).exists()
    assert signed_in(rep).get("/deals/payments/").status_code == 403
    assert "/deals/payments/" not in signed_in(rep).get("/deals/").content.decode()
    importer = next(one for one in importers_of(rep) if one.kind == PAYMENT)
    assert importer.fields(rep) == []


def test_a_receipt_is_written_where_it_stands_and_taken_back(rep, late, signed_in):
    browser, url = signed_in(rep), f"/lists/cells/{PAYMENT}/{late.pk}/received_date/"
    assert browser.get(url).status_code == 200
    tomorrow = (TODAY() + timedelta(days=1)).isoformat()
    assert browser.post(url, {"version": late.version, "value": tomorrow}).status_code == 422
    browser.post(url, {"version": late.version, "value": TODAY().isoformat()}, headers={"HX-Request": "true"})
    late.refresh_from_db()
    assert (late.received_date, late.received_amount) == (TODAY(), Decimal(100))
    event = Event.objects.get(kind="payment_changed")
    assert {change.field for change in event.changes.all()} == {"received_date", "received_amount"}
    assert "Advance" in browser.get(f"/history/deals.deal/{late.deal_id}/").content.decode()
    with pytest.raises(RowConflict):
        edit_payment(payment=late, values={"name": "x"}, version=late.version - 1, by=rep)
    assert undo_event(event=event, by=rep).back
    late.refresh_from_db()
    assert (late.received_date, late.received_amount) == (None, None)


def test_many_are_received_at_once_and_taken_back(rep, late, teammate, run_jobs):
    other = make_payment(make_deal(rep, name="Rack"), rep, -1, name="All of it")
    theirs = make_payment(make_deal(teammate), teammate, -1, name="Not mine")
    rows = PaymentList(rep, {"tab": "overdue"})
    run = request_bulk(rows=rows, action="edit", ids=None, field="received_date", value=str(TODAY()), by=rep)
    run_jobs()
    assert dict(run.items.values_list("record_id", "status")) == {
        late.pk: "done", other.pk: "done", theirs.pk: "skipped",
    }  # fmt: skip
    assert not Payment.objects.exclude(pk=theirs.pk).filter(received_amount=None).exists()
    request_undo(run=run, by=rep)
    run_jobs()
    assert not Payment.objects.exclude(received_amount=None).exists()


def bring(rows, *, by, tmp_path, run_jobs, mode="both") -> Import:
    head = ["Porozumienie", "Za co", "Termin", "Kwota", "Waluta", "Numer faktury", "Data wpływu", "Otrzymano"]
    path = sheets.write_workbook(tmp_path / "wplywy.xlsx", [head, *rows])
    return finished_import(path, by=by, run_jobs=run_jobs, mode=mode, kind=PAYMENT)


def test_payments_come_from_a_file_and_go_again(rep, late, tmp_path, run_jobs):
    number, day = late.deal.number, late.planned_date.isoformat()
    rows = [
        [number, "Advance", day, "150,00", "PLN", "", TODAY().isoformat(), ""],
        [number, "Rest", "2031-01-15", "150", "", "FV/1", "", ""],
        ["Conveyor", "", "2031-02-15", "10,50 zł", "", "", "", ""],
    ]
    run = bring(rows, by=rep, tmp_path=tmp_path, run_jobs=run_jobs)
    assert run.counts == {"created": 2, "updated": 1}
    late.refresh_from_db()
    assert (late.amount, late.received_amount) == (Decimal(150), Decimal(150))
    rest = Payment.objects.get(name="Rest")
    assert (rest.amount, rest.is_invoiced, rest.version) == (Decimal(150), True, 1)
    third = Payment.objects.get(amount=Decimal("10.50"))
    edit_row(part=PAYMENTS, row=third, values={"name": "Touched"}, by=rep)
    undoing.start_undo(run=run, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert {name: run.counts[name] for name in ("undone", "reverted", "kept")} == {
        "undone": 1, "reverted": 1, "kept": 1,
    }  # fmt: skip
    late.refresh_from_db()
    assert (late.amount, late.received_amount) == (Decimal(100), None)
    assert set(Payment.objects.values_list("name", flat=True)) == {"Advance", "Touched"}


def test_hostile_rows_are_refused_one_by_one(rep, late, outsider, teammate, tmp_path, run_jobs):
    make_deal(outsider, name="Unseen", counterparty=make_counterparty(outsider))
    make_deal(teammate, name="Seen only", counterparty=make_counterparty(teammate))
    deal, day = late.deal.number, "2031-01-01"
    bad = [
        [deal, "", day, "0", "", "", "", ""],
        [deal, "", day, "-5", "", "", "", ""],
        [deal, "", day, "9999999999999", "", "", "", ""],
        [deal, "", day, "5", "XYZ", "", "", ""],
        [deal, "", "", "5", "", "", "", ""],
        [deal, "", day, "5", "", "", "2031-01-01", ""],
        [deal, "", day, "5", "", "", "2026-01-01", "-1"],
        ["Unseen", "", day, "5", "", "", "", ""],
        [deal, "euro", day, "5", "EUR", "", "", ""],
        ["Seen only", "", day, "5", "", "", "", ""],
    ]  # fmt: skip
    run = bring(bad, by=rep, tmp_path=tmp_path, run_jobs=run_jobs)
    assert run.counts == {"bad": 8, "failed": 2}
    assert [one["code"] for row in run.rows.order_by("number") for one in row.errors] == [
        "not_positive", "not_positive", "money", "choice", "required", "ahead", "negative", "no_record",
        "other_currency", "not_editable",
    ]  # fmt: skip
    assert Payment.objects.count() == 1


def test_a_list_of_fifty_costs_what_a_list_of_one_costs(rep, late, signed_in, django_assert_max_num_queries):
    browser = signed_in(rep)
    browser.get("/deals/payments/")
    with django_assert_max_num_queries(10) as one:
        browser.get("/deals/payments/")
    for number in range(49):
        if number % 7 == 0:
            deal = make_deal(rep, name=f"Deal {number}")
        make_payment(deal, rep, -number - 1)
    with django_assert_max_num_queries(10) as fifty:
        page = browser.get("/deals/payments/")
    assert len(page.context["list"].page) == 50
    assert len(one) == len(fifty)
