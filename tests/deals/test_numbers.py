"""Numbers of deals: by an administrator's pattern, each given once, kept by files, given up in the bin."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from crm.history.bin import delete_record, restore_record
from crm.history.models import Deletion, Event
from crm.listing.imports import undoing
from deals.models import Deal, DealSettings, NumberCounter
from deals.numbering import frame_of, take_numbers, today_of_company
from deals.patterns import validate_pattern
from deals.services import create_deal
from tests.factories import sheets
from tests.factories.counterparties import make_counterparty, make_type
from tests.factories.deals import make_deal, make_deal_type, make_funnel
from tests.factories.imports import finished_import
from tests.factories.moments import at_once

pytestmark = pytest.mark.django_db
DEAL = "deals.deal"


def set_pattern(pattern: str) -> None:
    DealSettings.objects.update_or_create(pk=1, defaults={"number_pattern": pattern})


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("{year}/{number:5}", "2026/00007"),
        ("{number}", "7"),
        ("D-{year}-{month}-{number:3}/PL", "D-2026-03-007/PL"),
    ],
)
def test_a_pattern_is_shown_with_its_day(pattern, shown):
    validate_pattern(pattern)
    frame = frame_of(pattern, date(2026, 3, 2))
    assert (frame.show(7), frame.read(shown)) == (shown, 7)


@pytest.mark.parametrize(
    "pattern",
    ["{year}", "", "{number}{number}", "{day}/{number}", "{number:0}", "{month}/{number}", "{year}{number}",
     "{number}2", "{", "{number", "x" * 32 + "/{number}"],
)  # fmt: skip
def test_a_pattern_that_cannot_number_is_refused(pattern):
    with pytest.raises(ValidationError):
        validate_pattern(pattern)


def test_numbers_run_on_by_pattern_and_type(rep):
    year = today_of_company().year
    assert [make_deal(rep).number for _deal in range(2)] == [f"{year}/00001", f"{year}/00002"]
    service = make_deal_type("service", funnel=make_funnel("service", "Service"), is_default=False)
    service.number_pattern = "SRV-{number:3}"
    service.save()
    assert make_deal(rep, deal_type=service).number == "SRV-001"
    set_pattern("{year}/{number:3}")
    # Another number of digits goes on with the same counter; a new text around it begins anew.
    assert make_deal(rep).number == f"{year}/003"
    set_pattern("{number}/{year}")
    assert make_deal(rep).number == f"1/{year}"
    assert take_numbers(pattern="{year}/{number:4}", count=2, day=date(2031, 1, 1)) == [
        "2031/0001",
        "2031/0002",
    ]


def test_a_counter_begins_after_the_highest_and_passes_over_what_is_taken(rep):
    deal = make_deal(rep)
    for number in ("A-12", "A-9", "A-x", "A-14", "A-16"):
        Deal.objects.filter(pk=deal.pk).update(number=number)
        deal = make_deal(rep)
    Deal.objects.filter(number__in=["A-14", "A-16"]).update(number=None)
    assert take_numbers(pattern="A-{number}", count=1) == ["A-13"]
    Deal.objects.filter(pk=deal.pk).update(number="A-14")
    assert take_numbers(pattern="A-{number}", count=2) == ["A-15", "A-16"]


def test_a_deal_that_is_not_made_takes_no_number(rep):
    first = make_deal(rep)
    with pytest.raises(RuntimeError), transaction.atomic():
        make_deal(rep)
        raise RuntimeError
    assert int(make_deal(rep).number[-5:]) == int(first.number[-5:]) + 1


def test_a_deal_is_found_and_told_by_its_number(rep, signed_in):
    set_pattern("UM-{number:4}")
    deal = make_deal(rep, name="Conveyor")
    make_deal(rep, name="Other")
    browser = signed_in(rep)
    for page in (f"/deals/{deal.pk}/", "/deals/board/"):
        assert "UM-0001" in browser.get(page).content.decode()
    shown = browser.get("/deals/?q=um-0001&cols=name,number").content.decode()
    assert "UM-0001" in shown
    assert "Other" not in shown


ROWS = [
    ["Nazwa szansy", "Klient", "Numer"],
    ["Regały", "Żubr", "OLD/7"],
    ["Wózki", "Żubr", "OLD/7"],
    ["Brama", "Żubr", "OLD/8"],
    ["Suwnica", "Żubr", ""],
]


def test_a_file_keeps_its_numbers_and_a_taken_one_is_refused(company, tmp_path, run_jobs, outsider):
    admin = company["admin"]
    make_type()
    make_counterparty(admin, name="Żubr")
    theirs = make_deal(outsider)
    Deal.objects.filter(pk=theirs.pk).update(number="OLD/8")
    path = sheets.write_workbook(tmp_path / "szanse.xlsx", ROWS)
    run = finished_import(path, by=admin, run_jobs=run_jobs, kind=DEAL, mode="all")
    assert run.counts == {"created": 2, "failed": 2}
    found = dict(Deal.objects.exclude(pk=theirs.pk).values_list("name", "number"))
    assert (found["Regały"], found["Suwnica"][:4]) == ("OLD/7", str(today_of_company().year))
    assert "old/7" in Deal.objects.get(name="Regały").search_text
    faults = [row.errors[0]["code"] for row in run.rows.order_by("number") if row.errors]
    assert faults == ["number_taken", "number_taken"]

    # Taken back and brought again: the number is free, and its former deal comes back under another.
    undoing.start_undo(run=run, by=admin)
    run_jobs()
    gone = Deal.objects.get(name="Regały")
    assert (gone.deleted_at is not None, gone.number) == (True, "OLD/7")
    again = finished_import(path, by=admin, run_jobs=run_jobs, kind=DEAL, mode="all")
    assert again.counts == {"created": 2, "failed": 2}
    gone.refresh_from_db()
    assert gone.number is None
    restore_record(deletion=Deletion.objects.get(kind=DEAL, record_id=gone.pk), by=admin)
    gone.refresh_from_db()
    assert gone.number.startswith(f"{today_of_company().year}/")
    changes = Event.objects.filter(kind="deal_number_changed", subject_id=gone.pk).order_by("pk")
    assert [one.changes.get().new for one in changes] == [None, gone.number]


def test_a_deal_in_the_bin_keeps_its_number(rep):
    deal = make_deal(rep)
    restore_record(deletion=delete_record(record=deal, by=rep), by=rep)
    deal.refresh_from_db()
    assert deal.number.endswith("/00001")
    assert not Event.objects.filter(kind="deal_number_changed").exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's test database has one connection")
@pytest.mark.django_db(transaction=True)
def test_people_who_open_deals_at_once_get_numbers_of_their_own(rep):
    counterparty, kind = make_counterparty(rep), make_deal_type()

    def open_one():
        return create_deal(name="One of many", counterparty=counterparty, deal_type=kind, by=rep).number

    numbers = at_once(*[open_one] * 8)
    year = today_of_company().year
    assert sorted(map(str, numbers)) == [f"{year}/{number:05d}" for number in range(1, 9)]
    assert NumberCounter.objects.get().last == 8
