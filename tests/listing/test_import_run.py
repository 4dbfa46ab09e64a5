"""An import from upload to report: staging, duplicates, modes, resuming, hostile files."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from crm.jobs.models import Job
from crm.jobs.services import cancel
from crm.listing import tasks
from crm.listing.imports import services, writing
from crm.listing.models import Import, ImportRow, ImportTemplate
from crm.listing.sheets.errors import SheetError
from crm.notify.models import Notification
from crm.people.models import Department
from tests.factories import sheets
from tests.factories.imports import KIND, checked_import, finished_import, upload_of

pytestmark = pytest.mark.django_db


def statuses(run) -> dict[int, str]:
    return dict(run.rows.order_by("number").values_list("number", "status"))


def imported() -> list[str]:
    return sorted(
        Department.objects.exclude(name_pl="").filter(name_pl__contains="=").values_list("name", flat=True)
    )


def test_upload_finds_headers_and_columns(departments, rep, messy):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    assert (run.status, run.header_row, run.row_count, run.sheet) == ("uploaded", 3, 10, "Arkusz1")
    assert run.columns == list(sheets.HEADERS)
    assert run.by_column == {0: "name", 1: "person", 2: "phone", 3: "email", 4: "tax_number", 6: "note"}


def test_check_stages_rows_with_errors_and_duplicates(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    assert (run.status, run.counts) == ("previewed", {"ready": 5, "duplicate": 3, "bad": 2})
    assert statuses(run) == {
        4: "ready", 6: "ready", 7: "ready", 8: "ready", 9: "ready",
        10: "duplicate", 11: "duplicate", 12: "duplicate", 13: "bad", 14: "bad",
    }  # fmt: skip
    duplicates = {row.number: row.duplicate for row in run.rows.filter(status="duplicate")}
    assert duplicates == {
        10: {"by": "phone", "row": 4},
        11: {"by": "email", "row": 6},
        12: {"by": "tax_number", "row": 8},
    }
    errors = {
        row.number: [(error["field"], error["code"]) for error in row.errors]
        for row in run.rows.filter(status="bad")
    }
    assert errors == {13: [("email", "email")], 14: [("phone", "phone"), ("tax_number", "tax_number")]}
    assert run.rows.get(number=8).values["phone"] == "+48223334455"
    assert imported() == []


def test_new_ones_are_created_and_duplicates_skipped(departments, rep, messy, run_jobs):
    run = finished_import(messy, by=rep, run_jobs=run_jobs)
    assert (run.status, run.counts) == ("done", {"created": 5, "skipped": 3, "bad": 2})
    assert imported() == ["Gęś i Ryś s.c.", "Paweł Źrebak", "Ósemka", "Łódź Meble Sp. z o.o.", "Żubr S.A."]
    assert Department.objects.get(pk=run.rows.get(number=6).record_id).name == "Żubr S.A."
    note = Notification.objects.get(user=rep, kind="import_done")
    assert note.params == {"file": "leady.xlsx", "created": 5, "updated": 0, "bad": 2}


@pytest.mark.parametrize(
    ("mode", "counts", "names"),
    [
        ("both", {"created": 5, "updated": 3, "bad": 2}, ["Lodz Meble", "ŻUBR SA Oddział", "Ósemka 2"]),
        ("update", {"skipped": 8, "bad": 2}, []),
        (
            "all",
            {"created": 8, "bad": 2},
            ["Lodz Meble", "Żubr S.A.", "ŻUBR SA Oddział", "Ósemka", "Ósemka 2"],
        ),
    ],
)
def test_modes(departments, rep, messy, run_jobs, mode, counts, names):
    run = finished_import(messy, by=rep, run_jobs=run_jobs, mode=mode)
    assert run.counts == counts
    assert set(names) <= set(imported())


def test_the_same_file_again_adds_nothing(departments, rep, messy, run_jobs):
    finished_import(messy, by=rep, run_jobs=run_jobs)
    before = imported()
    again = finished_import(messy, by=rep, run_jobs=run_jobs)
    assert again.counts == {"skipped": 8, "bad": 2}
    assert imported() == before
    assert services.imported_before(again).status == "done"
    updated = finished_import(messy, by=rep, run_jobs=run_jobs, mode="update")
    assert updated.counts == {"updated": 8, "bad": 2}
    assert len(imported()) == 5


def test_what_appeared_after_the_preview_is_a_duplicate_too(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    Department.objects.create(name="Nowa", name_pl="email=jan@zubr.example")
    services.start_import(run=run, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert statuses(run)[6] == "skipped"
    assert run.counts == {"created": 4, "skipped": 4, "bad": 2}


def test_records_that_may_not_be_edited_are_not_updated(departments, rep, messy, run_jobs):
    Department.objects.create(name="Locked", name_pl="email=jan@zubr.example")
    run = finished_import(messy, by=rep, run_jobs=run_jobs, mode="both")
    assert (statuses(run)[6], statuses(run)[11]) == ("skipped", "skipped")
    assert Department.objects.filter(name="Locked").exists()


def test_a_row_may_be_decided_otherwise(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    services.decide_row(run=run, number=10, decision="create", by=rep)
    services.decide_row(run=run, number=6, decision="skip", by=rep)
    with pytest.raises(ImportRow.DoesNotExist):
        services.decide_row(run=run, number=13, decision="create", by=rep)
    services.start_import(run=run, by=rep)
    run_jobs()
    # Row 11 was a duplicate of the row left out, and is new now.
    assert {number: statuses(run)[number] for number in (6, 10, 11)} == {
        6: "skipped",
        10: "created",
        11: "created",
    }


def test_only_the_rows_the_database_refuses_fail(departments, rep, messy, run_jobs, monkeypatch):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    row = run.rows.get(number=7)
    row.values["name"] = None
    row.values["person"] = None
    row.save()
    services.start_import(run=run, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert run.counts == {"created": 4, "failed": 1, "skipped": 3, "bad": 2}
    assert run.rows.get(number=7).errors == [{"field": "", "column": None, "code": "refused", "params": {}}]


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_import_ends_like_an_unbroken_one(
    departments, rep, tmp_path, run_jobs, monkeypatch, stop
):
    """The worker fails in the middle of a batch, in the check and in the run, and goes on later."""
    path = sheets.large_workbook(tmp_path / "large.xlsx", 60)
    monkeypatch.setattr(tasks, "BATCH", 20)
    run = services.create_import(upload=upload_of(path), kind=KIND, by=rep)
    services.check_import(run=run, mapping=run.by_column, by=rep)
    break_once(monkeypatch, tasks.Stager, "stage", stop)
    until_done(run_jobs)
    run.refresh_from_db()
    assert run.counts == {"ready": 54, "duplicate": 6}
    services.start_import(run=run, by=rep)
    break_once(monkeypatch, writing, "_write", stop)
    until_done(run_jobs)
    run.refresh_from_db()
    assert (run.status, run.counts) == ("done", {"created": 54, "skipped": 6})
    assert len(imported()) == 54
    assert list(run.rows.order_by("number").values_list("number", flat=True)) == list(range(3, 63))


def break_once(monkeypatch, owner, name, at):
    real, calls = getattr(owner, name), []

    def breaking(*args, **kwargs):
        calls.append(1)
        if len(calls) == at:
            raise RuntimeError("the machine stopped")
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, breaking)


def until_done(run_jobs):
    for hours in range(5):
        run_jobs(timezone.now() + timezone.timedelta(hours=hours))
        if not Job.objects.open().filter(kind__startswith="listing.").exists():
            return


def test_checking_again_replaces_the_rows(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    services.check_import(run=run, mapping={0: "name"}, by=rep)
    run_jobs()
    run.refresh_from_db()
    # Without the other columns nothing is wrong any more, but the row without a company has no name.
    assert run.counts == {"ready": 9, "bad": 1}


def test_columns_are_remembered(departments, rep, teammate, messy, run_jobs):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    services.check_import(run=run, mapping={0: "person", 2: "phone"}, template="Targi", by=rep)
    assert ImportTemplate.objects.get(user=rep).mapping["nazwa firmy"] == "person"
    later = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    assert later.by_column == {0: "person", 2: "phone"}
    assert services.create_import(upload=upload_of(messy), kind=KIND, by=teammate).by_column[0] == "name"


def test_a_double_click_on_upload_makes_one_import(departments, rep, messy):
    first = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    assert services.create_import(upload=upload_of(messy), kind=KIND, by=rep).pk == first.pk
    assert Import.objects.count() == 1


def test_starting_twice_runs_once(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    services.start_import(run=run, by=rep)
    with pytest.raises(services.WrongStep):
        services.start_import(run=run, by=rep)
    assert Job.objects.filter(kind="listing.import_run").count() == 1


def test_a_large_file_is_read_by_a_job(departments, rep, messy, run_jobs, monkeypatch):
    monkeypatch.setattr(services, "READ_AT_ONCE_BYTES", 10)
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    assert run.status == "reading"
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.header_row) == ("uploaded", 3)


def test_a_hostile_file_leaves_nothing_behind(departments, rep, tmp_path, run_jobs, monkeypatch):
    path = sheets.sparse_bomb(tmp_path / "sparse.xlsx")
    with pytest.raises(SheetError):
        services.create_import(upload=upload_of(path), kind=KIND, by=rep)
    assert Import.objects.count() == 0
    monkeypatch.setattr(services, "READ_AT_ONCE_BYTES", 10)
    run = services.create_import(upload=upload_of(path), kind=KIND, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "too_large")


def test_cancelling(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    services.start_import(run=run, by=rep)
    services.cancel_import(run=run, by=rep)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert imported() == []
    with pytest.raises(services.WrongStep):
        services.cancel_import(run=run, by=rep)


def test_a_cancelled_check_can_be_started_again(departments, rep, messy, run_jobs):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    job = services.check_import(run=run, mapping=run.by_column, by=rep)
    cancel(job=job, by=rep)
    run.refresh_from_db()
    assert run.status == "uploaded"
    services.check_import(run=run, mapping=run.by_column, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert run.status == "previewed"


def test_rights_are_asked_again_when_the_job_runs(departments, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    services.start_import(run=run, by=rep)
    rep.roles.clear()
    run_jobs()
    run.refresh_from_db()
    assert run.status == "failed"
    assert imported() == []


def test_without_the_right_nothing_begins(departments, outsider, messy):
    outsider.roles.clear()
    with pytest.raises(PermissionDenied):
        services.create_import(upload=upload_of(messy), kind=KIND, by=outsider)
    with pytest.raises(PermissionDenied):
        services.create_import(upload=upload_of(messy), kind="no.such", by=outsider)


def test_another_header_row_and_encoding(departments, rep, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Nazwa firmy;Telefon\nŁódź;601234567\nŻary;602345678\n".encode("iso8859-2"))
    run = services.create_import(upload=upload_of(path), kind=KIND, by=rep)
    services.read_again(run=run, sheet="", encoding="cp1252", header_row=0, by=rep)
    assert (run.encoding, run.header_row, run.row_count) == ("cp1252", 0, 3)
    services.read_again(run=run, sheet="", encoding="iso8859-2", by=rep)
    assert (run.header_row, run.row_count, run.head[1][1]) == (1, 2, ["Łódź", "601234567"])
