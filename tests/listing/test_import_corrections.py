"""Rows put right on the preview; nothing typed there is lost by going back; what a run would do is said before."""

import pytest
from django.utils import timezone

from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.listing.imports import correcting, purging, services
from crm.listing.imports.correcting import CREATE, correct_cells, settle_unknown
from crm.listing.imports.expecting import expected_counts
from crm.listing.imports.registry import importer_for
from crm.listing.imports.services import WrongStep
from crm.listing.models import Import, ImportTemplate
from leads.models import LEAD_KIND, Lead, LeadSource
from tests.factories import sheets
from tests.factories.imports import KIND, checked_import, finished_import, upload_of

pytestmark = pytest.mark.django_db

ROWS = [
    ["Firma", "E-mail", "Źródło", "Miasto"],
    ["Alfa", "a(at)a.example", "Targi", "Łódź"],
    ["Beta", "a(at)a.example", "Targi", "Łódź"],
    ["Gamma", "c@c.example", "Polecenie", "Łódź"],
]


@pytest.fixture
def run(rep, tmp_path, run_jobs) -> Import:
    path = sheets.write_workbook(tmp_path / "leady.xlsx", ROWS)
    return checked_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)


def statuses(run: Import) -> dict[int, str]:
    return dict(run.rows.order_by("number").values_list("number", "status"))


def test_one_cell_is_corrected(run, rep):
    assert statuses(run) == {2: "bad", 3: "bad", 4: "ready"}
    assert correct_cells(run=run, number=2, texts={1: "a@a.example"}, by=rep) == [2]
    assert (statuses(run), run.counts) == ({2: "ready", 3: "bad", 4: "ready"}, {"ready": 2, "bad": 1})
    correct_cells(run=run, number=3, texts={1: "a@a.example"}, by=rep)
    assert run.rows.get(number=3).duplicate == {"by": "email", "row": 2}
    with pytest.raises(services.ImportRow.DoesNotExist):
        correct_cells(run=run, number=99, texts={1: "x"}, by=rep)


def test_all_equal_cells_at_once_and_again(run, rep, run_jobs):
    assert correct_cells(run=run, number=2, texts={1: "zły"}, everywhere=True, by=rep) == [2, 3]
    assert correct_cells(run=run, number=2, texts={1: ""}, everywhere=True, by=rep) == [2, 3]
    assert run.counts == {"ready": 3}
    services.check_import(run=run, mapping=run.by_column, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert run.counts == {"ready": 3}


def test_very_many_equal_cells_are_put_right_by_a_job(run, rep, run_jobs, monkeypatch):
    monkeypatch.setattr(correcting, "AT_ONCE", 1)
    assert correct_cells(run=run, number=2, texts={1: ""}, everywhere=True, by=rep) == []
    assert run.status == "checking"
    run_jobs()
    run.refresh_from_db()
    assert run.counts == {"ready": 3}


def test_going_back_loses_neither_corrections_nor_decisions(run, rep, run_jobs):
    correct_cells(run=run, number=2, texts={1: "a@a.example"}, by=rep)
    services.decide_row(run=run, number=4, decision="skip", by=rep)
    services.read_again(run=run, sheet=run.sheet, encoding="", by=rep)
    services.check_import(run=run, mapping=run.by_column, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert statuses(run) == {2: "ready", 3: "bad", 4: "ready"}
    assert run.rows.get(number=4).decision == "skip"
    services.read_again(run=run, sheet=run.sheet, encoding="", header_row=2, by=rep)
    assert run.corrections["cells"] == {"2": {"1": "a@a.example"}}


def test_values_no_dictionary_knows_are_added_mapped_or_left(run, rep, company, run_jobs):
    LeadSource.objects.create(key="x-rec", name="Recommendation", name_pl="Rekomendacja")
    assert run.unknown == {"source": {"Targi": 2, "Polecenie": 1}}
    correct_cells(run=run, number=2, texts={1: ""}, everywhere=True, by=rep)
    choices = {("source", "Targi"): CREATE, ("source", "Polecenie"): "Rekomendacja"}
    settle_unknown(run=run, choices=choices, by=rep)
    assert run.options.get("create") is None, "a seller adds nothing to dictionaries"
    run_jobs()
    run.refresh_from_db()
    assert run.unknown == {"source": {"Targi": 2}}
    services.start_import(run=run, by=rep)
    run_jobs()
    found = {lead.name: (lead.source and lead.source.name, lead.note) for lead in Lead.objects.all()}
    assert found["Gamma"] == ("Recommendation", "")
    assert found["Alfa"][1] == "Source: Targi"


def test_an_administrator_adds_to_the_dictionary(company, tmp_path, run_jobs):
    admin = company["admin"]
    path = sheets.write_workbook(
        tmp_path / "l.xlsx", [["Firma", "Źródło"], ["Alfa", "Targi"], ["Beta", "targi"]]
    )
    run = checked_import(path, by=admin, run_jobs=run_jobs, kind=LEAD_KIND)
    settle_unknown(run=run, choices={("source", "Targi"): CREATE}, by=admin)
    run_jobs()
    services.start_import(run=run, by=admin)
    run_jobs()
    assert LeadSource.objects.filter(name="Targi").count() == 1
    assert {lead.source.name for lead in Lead.objects.all()} == {"Targi"}


def test_what_each_way_would_do_is_what_it_does(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    assert expected_counts(run, importer_for(KIND)) == {
        "create": {"created": 5, "updated": 0, "skipped": 3},
        "both": {"created": 5, "updated": 3, "skipped": 0},
        "update": {"created": 0, "updated": 0, "skipped": 8},
        "all": {"created": 8, "updated": 0, "skipped": 0},
    }


def test_fixed_values_fill_what_the_row_leaves_empty(rep, tmp_path, run_jobs):
    path = sheets.write_workbook(tmp_path / "l.xlsx", [["Firma", "Miasto"], ["Alfa", ""], ["Beta", "Hel"]])
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    options = {"fixed": {"city": "Łódź", "note": "Targi"}}
    services.check_import(run=run, mapping=run.by_column, options=options, by=rep)
    run_jobs()
    run.refresh_from_db()
    services.start_import(run=run, by=rep)
    run_jobs()
    assert set(Lead.objects.values_list("name", "city", "note")) == {
        ("Alfa", "Łódź", "Targi"), ("Beta", "Hel", "Targi"),
    }  # fmt: skip


def test_only_the_chosen_keys_tell_a_duplicate(rep, tmp_path, run_jobs):
    rows = [["Firma", "Telefon"], ["Alfa", "22 123 45 67"], ["Beta", "22 123 45 67"]]
    path = sheets.write_workbook(tmp_path / "l.xlsx", rows)
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    for keys, counts in ((["name"], {"ready": 2}), (["phone"], {"ready": 1, "duplicate": 1})):
        services.check_import(run=run, mapping=run.by_column, options={"keys": keys}, by=rep)
        run_jobs()
        run.refresh_from_db()
        assert run.counts == counts


def test_a_shared_template_is_recognised_by_the_headers(rep, teammate, tmp_path, run_jobs):
    path = sheets.write_workbook(tmp_path / "l.xlsx", [["Podmiot", "Kontakt"], ["Alfa", "22 123 45 67"]])
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    services.check_import(
        run=run, mapping={0: "company", 1: "phone"}, options={"fixed": {"city": "Hel"}}, template="Targi",
        is_shared=True, by=rep,
    )  # fmt: skip
    theirs = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=teammate)
    assert (theirs.by_column, theirs.options, theirs.template.name) == (
        {0: "company", 1: "phone"}, {"fixed": {"city": "Hel"}}, "Targi",
    )  # fmt: skip
    ImportTemplate.objects.update(is_shared=False)
    own = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=teammate)
    assert own.template is None or own.pk == theirs.pk


def test_pages_of_correcting(run, rep, outsider, signed_in):
    browser, url = signed_in(rep), f"/imports/{run.pk}/rows/2/"
    assert 'value="a(at)a.example"' in browser.get(url).text
    response = browser.post(
        url, {"cell_1": "a@a.example", "inline": "1", "everywhere": "1"}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    assert 'id="import-preview"' in response.text
    assert statuses(run) == {2: "ready", 3: "duplicate", 4: "ready"}
    assert browser.post(url, {"cell_0": "Nowa"}).url == f"/imports/{run.pk}/preview/?show=all"
    assert run.rows.get(number=2).values["company"] == "Nowa"
    assert browser.post(url, {"cell_0": "x" * 3000}).status_code == 422
    assert browser.get(f"/imports/{run.pk}/rows/77/").status_code == 404
    assert browser.get(f"/imports/{run.pk}/unknown/").status_code == 405
    assert browser.post(f"/imports/{run.pk}/unknown/", {"unknown_0": "nonsense"}).status_code == 302
    stranger = signed_in(outsider)
    assert stranger.get(url).status_code == 404
    assert stranger.post(f"/imports/{run.pk}/unknown/").status_code == 404


def test_what_was_imported_is_corrected_no_more(run, rep, run_jobs):
    services.start_import(run=run, by=rep)
    run_jobs()
    with pytest.raises(WrongStep):
        correct_cells(run=run, number=2, texts={1: ""}, by=rep)
    with pytest.raises(WrongStep):
        settle_unknown(run=run, choices={}, by=rep)


def test_old_files_and_rows_are_removed(rep, tmp_path, run_jobs, settings):
    path = sheets.write_workbook(tmp_path / "l.xlsx", ROWS)
    done = finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    idle = checked_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    later = timezone.now() + purging.UNFINISHED + timezone.timedelta(days=1)
    Import.objects.filter(pk=idle.pk).update(created_at=timezone.now() - (later - timezone.now()))
    enqueue(kind="listing.import_purge", by=rep)
    run_jobs()
    done.refresh_from_db()
    idle.refresh_from_db()
    assert (idle.status, idle.rows.count(), idle.file.content.storage.exists(idle.file.content.name)) == (
        "cancelled", 0, False,
    )  # fmt: skip
    assert (done.expired_at, done.rows.count()) == (None, 3)
    assert not Job.objects.filter(status="failed").exists()
