"""Counterparties with their people, contacts, deals and activities from spreadsheets, and the undo of it all."""

import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from collab.calendar.models import Activity
from counterparties.matching.models import MatchKey
from counterparties.models import Contact, ContactLink, ContactPoint, Counterparty
from crm.history.cards import card_history
from crm.history.models import EventLink
from crm.listing.imports import services, undoing
from crm.listing.imports.correcting import CREATE, settle_unknown
from crm.listing.imports.registry import importers_of
from crm.listing.models import Import
from deals.models import Deal, StageTransition
from tests.factories import sheets
from tests.factories.counterparties import make_counterparty, make_type
from tests.factories.deals import make_deal_type
from tests.factories.imports import checked_import, finished_import

pytestmark = pytest.mark.django_db
COUNTERPARTY, CONTACT = "counterparties.counterparty", "counterparties.contact"
DEAL, ACTIVITY = "deals.deal", "collab_calendar.activity"


@pytest.fixture(autouse=True)
def schema(db):
    make_type()


def undo(run: Import, by, run_jobs) -> dict:
    undoing.start_undo(run=run, by=by)
    run_jobs()
    run.refresh_from_db()
    return {name: run.counts[name] for name in ("undone", "reverted", "kept")}


CLIENTS = [
    ["Nazwa firmy", "NIP", "Telefon", "Miasto", "Imię i nazwisko", "Stanowisko", "Telefon osoby", "E-mail"],
    [
        "Łódź Meble Sp. z o.o.",
        "526-025-02-74",
        "22 123 45 67",
        "Łódź",
        "Anna Ćma",
        "prezes",
        "601 234 567",
        "b@m.example",
    ],
    ["Łódź Meble", "5260250274", "", "", "Jan Lis", "magazyn", "602 345 678", ""],
    ["Żubr S.A.", "", "", "Hajnówka", "", "", "", "biuro@zubr.example"],
]


def test_a_counterparty_comes_with_its_people(rep, tmp_path, run_jobs):
    path = sheets.write_workbook(tmp_path / "klienci.xlsx", CLIENTS)
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=COUNTERPARTY)
    assert run.counts == {"created": 2, "updated": 1}
    meble, zubr = Counterparty.objects.order_by("pk")
    assert (meble.name, meble.tax_number, meble.phone, meble.city, meble.email) == (
        "Łódź Meble", "5260250274", "+48221234567", "Łódź", "b@m.example",
    )  # fmt: skip
    assert (zubr.name, zubr.owner, zubr.department) == ("Żubr S.A.", rep, rep.department)
    people = [(str(link.contact), link.contact.phone, link.is_primary) for link in meble.contact_links.all()]
    assert people == [("Anna Ćma", "+48601234567", True), ("Jan Lis", "+48602345678", False)]
    assert not zubr.contact_links.exists()
    kinds = {line.event.kind for line in card_history(user=rep, record=meble).lines}
    assert kinds == {"counterparty_imported", "counterparty_import_updated", "contact_imported"}


def test_undoing_takes_the_people_back_too(rep, tmp_path, run_jobs):
    path = sheets.write_workbook(tmp_path / "klienci.xlsx", CLIENTS)
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=COUNTERPARTY)
    assert undo(run, rep, run_jobs)["kept"] == 0
    assert not Counterparty.objects.filter(deleted_at=None).exists()
    assert not Contact.objects.filter(deleted_at=None).exists()


def test_another_firm_of_the_same_name_is_no_duplicate(rep, tmp_path, run_jobs):
    make_counterparty(rep, name="Alfa", tax_number="5260250274")
    rows = [["Nazwa firmy", "NIP"], ["Alfa Sp. z o.o.", sheets.tax_number(3)], ["ALFA", ""]]
    run = checked_import(
        sheets.write_workbook(tmp_path / "a.xlsx", rows), by=rep, run_jobs=run_jobs, kind=COUNTERPARTY
    )
    assert dict(run.rows.values_list("number", "status")) == {2: "ready", 3: "duplicate"}


def test_contacts_find_their_counterparty_or_make_it(rep, outsider, tmp_path, run_jobs):
    known = make_counterparty(rep, name="Żubr S.A.")
    make_counterparty(outsider, name="Obca")
    rows = [
        ["Imię i nazwisko", "Firma", "Telefon", "Telefon 2"],
        ["Anna Ćma", "ŻUBR", "601 234 567", "22 123 45 67"],
        ["Jan Lis", "Nowa Firma", "602 345 678", ""],
        ["Ewa Kos", "", "", ""],
    ]
    path = sheets.write_workbook(tmp_path / "kontakty.xlsx", rows)
    run = checked_import(path, by=rep, run_jobs=run_jobs, kind=CONTACT)
    assert (run.counts, run.unknown) == ({"ready": 2, "bad": 1}, {"counterparty": {"Nowa Firma": 1}})
    settle_unknown(run=run, choices={("counterparty", "Nowa Firma"): CREATE}, by=rep)
    run_jobs()
    services.start_import(run=run, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert run.counts == {"created": 3}
    anna = Contact.objects.get(last_name="Ćma")
    assert [row["number"] for row in anna.phones] == ["+48601234567", "+48221234567"]
    assert ContactPoint.objects.get(record_id=anna.pk).value == "+48221234567"
    assert MatchKey.objects.filter(record_id=anna.pk, kind=CONTACT, key="p:+48221234567").exists()
    assert (anna.phone, anna.note, list(anna.counterparties.all())) == (
        "+48601234567", "", [known],
    )  # fmt: skip
    made = Counterparty.objects.get(name="Nowa Firma")
    assert [str(one) for one in made.contacts.all()] == ["Jan Lis"]
    assert undo(run, rep, run_jobs) == {"undone": 4, "reverted": 0, "kept": 0}
    assert [one.name for one in Counterparty.objects.filter(deleted_at=None, owner=rep)] == ["Żubr S.A."]


def test_deals_start_at_their_stage_with_the_right_alone(company, rep, tmp_path, run_jobs):
    admin, kind = company["admin"], make_deal_type()
    stages = list(kind.funnel.stages.order_by("position"))
    make_counterparty(rep, name="Żubr S.A.")
    rows = [
        ["Nazwa szansy", "Klient", "Wartość", "Waluta", "Data zamknięcia", "Etap"],
        ["Regały", "Żubr", "12 500,50 zł", "PLN", "31.03.2027", stages[1].name],
        ["Wózki", "Nie ma takiej", "1", "", "", ""],
    ]
    path = sheets.write_workbook(tmp_path / "szanse.xlsx", rows)
    run = finished_import(path, by=admin, run_jobs=run_jobs, kind=DEAL)
    assert run.counts == {"created": 1, "bad": 1}
    deal = Deal.objects.get()
    assert (deal.name, deal.amount, deal.close_date.isoformat(), deal.stage) == (
        "Regały", Decimal("12500.50"), "2027-03-31", stages[1],
    )  # fmt: skip
    assert deal.number.endswith("/00001")
    (row,) = StageTransition.objects.filter(deal=deal)
    assert (row.cause, row.is_proven, row.to_stage) == ("import", False, stages[1])
    assert "stage" not in {one.key for one in importer(DEAL, rep).fields(rep)}
    assert EventLink.objects.filter(kind=COUNTERPARTY, event__kind="deal_imported").count() == 1
    assert undo(run, admin, run_jobs) == {"undone": 1, "reverted": 0, "kept": 0}


def importer(kind: str, user):
    return next(one for one in importers_of(user) if one.kind == kind)


def test_any_kind_is_imported_by_the_command(rep, tmp_path, capsys):
    path = sheets.write_workbook(tmp_path / "klienci.xlsx", CLIENTS)
    options = {"kind": COUNTERPARTY, "user": rep.username, "json": True}
    call_command("import_records", str(path), dry_run=True, **options)
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["created"], report["updated"], report["errors"]) == (3, 2, 1, [])
    assert not Counterparty.objects.exists()
    call_command("import_records", str(path), **options)
    assert json.loads(capsys.readouterr().out)["created"] == Counterparty.objects.count() == 2
    with pytest.raises(CommandError):
        call_command("import_records", str(path), kind=COUNTERPARTY, user="nobody")


def test_activities_stand_on_the_card_their_row_names(rep, tmp_path, run_jobs):
    client = make_counterparty(rep, name="Żubr S.A.", phone="+48221234567")
    rows = [
        ["Rodzaj", "Temat", "Data", "Telefon", "Wynik"],
        ["rozmowa", "Oferta", "2026-03-02 10:30", "22 123 45 67", "Wysłać ofertę"],
        ["spotkanie", "", "2099-03-02", "22 123 45 67", ""],
        ["wizyta", "Bez firmy", "2026-03-02", "nikt", ""],
    ]
    path = sheets.write_workbook(tmp_path / "rozmowy.xlsx", rows)
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=ACTIVITY)
    assert run.counts == {"created": 2, "bad": 1}
    done, planned = Activity.objects.order_by("starts_at")
    assert (done.kind, done.subject, done.result, done.counterparty, done.is_open) == (
        "call", "Oferta", "Wysłać ofertę", client, False,
    )  # fmt: skip
    assert (planned.kind, planned.is_open) == ("meeting", True)
    again = checked_import(path, by=rep, run_jobs=run_jobs, kind=ACTIVITY)
    assert again.counts == {"duplicate": 2, "bad": 1}
    assert undo(run, rep, run_jobs) == {"undone": 2, "reverted": 0, "kept": 0}
    assert ContactLink.objects.count() == 0
