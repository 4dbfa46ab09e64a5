"""Files that are not what they seem, that change while they are read, or whose records change before the undo."""

from pathlib import Path

import pytest

from crm.listing import tasks
from crm.listing.imports import services
from crm.listing.imports.undoing import start_undo
from leads.models import LEAD_KIND, Lead
from leads.services import edit_lead
from tests.factories import sheets
from tests.factories.imports import checked_import, finished_import, upload_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("encoding", "name", "note"),
    [
        ("cp1250", "Łódź Żółw", "zażółć gęślą jaźń " * 4),
        ("cp1251", "Гусь и Рысь", "Общество с ограниченной ответственностью " * 4),
        ("utf-16", "Łódź Żółw", "🦆 zażółć"),
        ("utf-8-sig", "Łódź 🦆", "日本語 العربية"),
    ],
    ids=["cp1250", "cp1251", "utf-16", "utf-8"],
)
def test_any_encoding_becomes_records(rep, tmp_path, run_jobs, encoding, name, note):
    path = tmp_path / "leady.csv"
    path.write_bytes(f"Firma;Telefon;Uwagi\r\n{name};48221234567.0;{note}\r\n".encode(encoding))
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    assert run.counts == {"created": 1}
    lead = Lead.objects.get()
    assert (lead.company, lead.phone, lead.note) == (name, "+48221234567", note.strip())


def test_two_hundred_columns_are_matched_in_time(rep, tmp_path, run_jobs):
    headers = ["Firma", *(f"Kolumna {number}" for number in range(199))]
    rows = [[f"Alfa {row}", *(f"x{row}" for _number in range(199))] for row in range(30)]
    path = sheets.write_workbook(tmp_path / "wide.xlsx", [headers, *rows])
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    assert (len(run.columns), run.counts) == (200, {"created": 30})


@pytest.mark.parametrize("size", [40_000, 10_000_000])
def test_a_cell_of_ten_megabytes_is_refused_or_cut(rep, tmp_path, run_jobs, size):
    path = tmp_path / "leady.csv"
    path.write_text(f"Firma;Uwagi\nAlfa;{'a b ' * (size // 4)}\nBeta;x\n")
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    run_jobs()
    run.refresh_from_db()
    if run.status == run.Status.FAILED:
        assert run.error in ("too_large", "cell_too_long")
        return
    services.check_import(run=run, mapping=run.by_column, by=rep)
    run_jobs()
    assert max(len(cell) for row in run.rows.all() for cell in row.cells) <= 32_767


@pytest.mark.parametrize("content", ["Firma;Telefon\nInna;22 765 43 21\n", ""])
def test_a_file_that_changed_on_the_disk_is_not_imported(rep, tmp_path, run_jobs, content):
    """What was uploaded is what is imported, or nothing is."""
    path = tmp_path / "leady.csv"
    path.write_text("Firma;Telefon\nAlfa;22 123 45 67\n")
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    Path(run.file.content.path).write_text(content)
    services.check_import(run=run, mapping=run.by_column, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "changed")
    assert not run.rows.exists()


def test_a_file_that_changes_while_it_is_read_is_not_imported(rep, tmp_path, run_jobs, monkeypatch):
    path = tmp_path / "leady.csv"
    path.write_text("Firma;Telefon\n" + "".join(f"Alfa {row};22 123 45 {row:02}\n" for row in range(40)))
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=rep)
    services.check_import(run=run, mapping=run.by_column, by=rep)
    monkeypatch.setattr(tasks, "BATCH", 10)
    real = tasks.read_rows

    def changing(*args, **kwargs):
        for row in real(*args, **kwargs):
            if row.number == 20:
                with Path(run.file.content.path).open("a") as stored:
                    stored.write("Beta;22 765 43 21\n")
            yield row

    monkeypatch.setattr(tasks, "read_rows", changing)
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "changed")
    with pytest.raises(services.WrongStep):
        services.start_import(run=run, by=rep)


def test_two_imports_of_one_file_at_once_add_each_row_once(rep, tmp_path, run_jobs):
    """Both are checked before either is written: the second finds the records of the first."""
    path = sheets.messy_workbook(tmp_path / "leady.xlsx")
    first = checked_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    other = path.rename(tmp_path / "kopia.xlsx")
    second = checked_import(other, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    assert first.pk != second.pk
    for run in (first, second):
        services.start_import(run=run, by=rep)
    run_jobs()
    assert Lead.objects.count() == 5
    second.refresh_from_db()
    assert second.counts == {"skipped": 8, "bad": 2}


def test_others_edits_between_import_and_undo_stay(rep, head, tmp_path, run_jobs):
    """Of one update, the field somebody has changed since stays and the others go back."""
    lead = Lead(owner=rep, company="Alfa", email="a@a.example", city="Kutno", position="prezes")
    lead.save()
    rows = [["Firma", "E-mail", "Miasto", "Stanowisko"], ["Alfa", "a@a.example", "Hel", "dyrektor"]]
    path = sheets.write_workbook(tmp_path / "rows.xlsx", rows)
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND, mode="both")
    lead.refresh_from_db()
    assert (lead.city, lead.position) == ("Hel", "dyrektor")
    edit_lead(lead=lead, values={"city": "Gdynia"}, version=lead.version, by=rep)
    start_undo(run=run, by=rep)
    run_jobs()
    lead.refresh_from_db()
    assert (lead.city, lead.position) == ("Gdynia", "prezes")
