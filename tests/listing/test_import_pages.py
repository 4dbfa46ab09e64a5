"""The wizard in the browser's eyes: four steps, for the uploader only."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from crm.listing.imports import services
from crm.listing.models import Import
from tests.factories import sheets
from tests.factories.imports import KIND, checked_import, finished_import, upload_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(signed_in, rep, departments):
    return signed_in(rep)


def workbook_of(response) -> list[list]:
    sheet = load_workbook(BytesIO(response.content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_whole_way_without_scripts(browser, rep, messy, run_jobs):
    response = browser.post(f"/imports/new/?kind={KIND}", {"file": upload_of(messy)})
    run = Import.objects.get()
    assert (response.status_code, response.url) == (302, f"/imports/{run.pk}/mapping/")
    page = browser.get(response.url)
    assert page.status_code == 200
    assert "Nazwa firmy" in page.text
    data = {f"column_{index}": key for index, key in run.by_column.items()}
    response = browser.post(f"/imports/{run.pk}/mapping/", data)
    assert response.url == f"/imports/{run.pk}/"
    assert "jobs/" in browser.get(response.url).text
    run_jobs()
    assert browser.get(f"/imports/{run.pk}/").url == f"/imports/{run.pk}/preview/"
    preview = browser.get(f"/imports/{run.pk}/preview/").text
    assert "“adam(at)zly” is not an e-mail address." in preview
    assert "same Phone as row 4" in preview
    response = browser.post(f"/imports/{run.pk}/run/", {"mode": "create"})
    assert response.url == f"/imports/{run.pk}/"
    run_jobs()
    report = browser.get(f"/imports/{run.pk}/")
    assert report.status_code == 200
    assert f"/imports/{run.pk}/bad-rows/" in report.text
    assert browser.get("/imports/").status_code == 200


def test_progress_sends_on_when_the_step_is_done(browser, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    response = browser.get(f"/imports/{run.pk}/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, f"/imports/{run.pk}/preview/")


def test_rows_are_filtered_and_paged(browser, rep, tmp_path, run_jobs):
    run = checked_import(sheets.large_workbook(tmp_path / "large.xlsx", 120), by=rep, run_jobs=run_jobs)
    first = browser.get(f"/imports/{run.pk}/preview/")
    assert f"after={52}" in first.text
    assert first.text.count("<tr>") == 51
    assert browser.get(f"/imports/{run.pk}/preview/?show=duplicates").text.count("<tr>") == 13
    for odd in ("after=x", "after=-1", "after=99999999999999999999", "show=%00", "show=nonsense"):
        assert browser.get(f"/imports/{run.pk}/preview/?{odd}").status_code == 200


def test_pages_cost_the_same_for_one_row_and_fifty(
    browser, rep, tmp_path, run_jobs, django_assert_max_num_queries
):
    for rows in (1, 50):
        path = sheets.large_workbook(tmp_path / f"{rows}.xlsx", rows)
        run = checked_import(path, by=rep, run_jobs=run_jobs)
        with django_assert_max_num_queries(10):
            browser.get(f"/imports/{run.pk}/preview/")


def test_bad_rows_come_back_as_a_workbook_of_texts(browser, rep, tmp_path, run_jobs):
    path = tmp_path / "bad.csv"
    path.write_text("Nazwa firmy;Telefon\n=1+1;12\n")
    run = finished_import(path, by=rep, run_jobs=run_jobs)
    response = browser.get(f"/imports/{run.pk}/bad-rows/")
    assert response["Content-Disposition"] == f'attachment; filename="import-{run.pk}-bad-rows.xlsx"'
    assert workbook_of(response) == [
        ["Row", "What is wrong", "Nazwa firmy", "Telefon"],
        ["2", "Telefon: “12” is not a telephone number.", "=1+1", "12"],
    ]
    assert load_workbook(BytesIO(response.content)).active["C2"].data_type == "s"


def test_example_file_can_be_imported(browser, rep, tmp_path):
    path = tmp_path / "example.xlsx"
    path.write_bytes(browser.get(f"/imports/example/?kind={KIND}").content)
    run = services.create_import(upload=upload_of(path), kind=KIND, by=rep)
    assert list(run.by_column.values()) == ["name", "person", "phone", "email", "tax_number", "note"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.7", "This is not a spreadsheet."),
        (b"", "The submitted file is empty."),
        (b"PK\x03\x04" + bytes(100), "The file is damaged."),
    ],
)
def test_a_refused_file_is_said_in_the_form(browser, content, message):
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("plik.xlsx", content)
    response = browser.post(f"/imports/new/?kind={KIND}", {"file": upload}, headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert message in response.text
    assert "<html" not in response.text
    assert Import.objects.count() == 0


def test_a_mapping_that_makes_no_sense_is_refused(browser, rep, messy):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    for data in ({}, {"column_0": "name", "column_1": "name"}, {"column_0": "no_such_field"}):
        assert browser.post(f"/imports/{run.pk}/mapping/", data).status_code == 422
    run.refresh_from_db()
    assert run.status == "uploaded"


def test_another_header_row_is_read_again(browser, rep, messy):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    assert browser.post(f"/imports/{run.pk}/reading/", {"header_row": "4"}).status_code == 302
    run.refresh_from_db()
    assert (run.header_row, run.columns[0]) == (4, "Łódź Meble Sp. z o.o.")
    assert browser.post(f"/imports/{run.pk}/reading/", {"header_row": "x"}).status_code == 302


def test_decisions_row_by_row(browser, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    url = f"/imports/{run.pk}/rows/10/decision/"
    assert browser.post(url, {"decision": "create"}, headers={"HX-Request": "true"}).status_code == 204
    assert run.rows.get(number=10).decision == "create"
    assert browser.post(url, {"decision": "explode"}).status_code == 404
    assert browser.post(f"/imports/{run.pk}/rows/13/decision/", {"decision": "create"}).status_code == 404


def test_a_second_click_on_import_changes_nothing(browser, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    for _click in range(2):
        assert browser.post(f"/imports/{run.pk}/run/", {"mode": "create"}).status_code == 302
    run_jobs()
    assert browser.post(f"/imports/{run.pk}/run/", {"mode": "all"}).status_code == 302
    run.refresh_from_db()
    assert run.counts == {"created": 5, "skipped": 3, "bad": 2}


def test_discarding(browser, rep, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    browser.post(f"/imports/{run.pk}/cancellation/")
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert browser.get(f"/imports/{run.pk}/").status_code == 200


def test_nobody_else_sees_an_import(signed_in, departments, rep, teammate, outsider, messy, run_jobs):
    run = checked_import(messy, by=rep, run_jobs=run_jobs)
    for stranger in (teammate, outsider):
        browser = signed_in(stranger)
        for path in ("", "mapping/", "preview/", "bad-rows/"):
            assert browser.get(f"/imports/{run.pk}/{path}").status_code == 404
        for path in ("mapping/", "reading/", "run/", "cancellation/", "rows/10/decision/"):
            assert browser.post(f"/imports/{run.pk}/{path}").status_code == 404
    run.refresh_from_db()
    assert run.status == "previewed"


def test_without_the_right_there_is_no_upload(signed_in, departments, outsider):
    outsider.roles.clear()
    browser = signed_in(outsider)
    assert browser.get("/imports/").status_code == 403
    assert browser.get(f"/imports/new/?kind={KIND}").status_code == 403
    assert browser.get(f"/imports/example/?kind={KIND}").status_code == 403
    assert browser.get("/imports/new/?kind=").status_code == 403


def test_wrong_methods(browser, rep, messy):
    run = services.create_import(upload=upload_of(messy), kind=KIND, by=rep)
    for path in ("run/", "cancellation/", "reading/", "rows/1/decision/"):
        assert browser.get(f"/imports/{run.pk}/{path}").status_code == 405
    for path in ("", "preview/", "bad-rows/"):
        assert browser.post(f"/imports/{run.pk}/{path}").status_code == 405
