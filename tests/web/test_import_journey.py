"""A seller imports an unknown spreadsheet whose columns match: two clicks after choosing the file."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from leads.models import Lead
from tests.factories.sheets import messy_workbook

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def findings(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {node['html'][:160]}" for item in found for node in item["nodes"]]


def let_work(page, run_jobs) -> None:
    """The seller leaves the page, the worker works, the seller comes back."""
    address = page.url
    page.goto("about:blank")
    run_jobs()
    page.goto(address)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_import_journey(open_page, company, tmp_path, run_jobs, theme, width):
    page = open_page(company["rep"], theme, width)
    page.goto("/imports/new/?kind=leads.lead")
    assert findings(page) == []
    page.set_input_files("input[type=file]", messy_workbook(tmp_path / "leady.xlsx"))
    # A chosen file is sent at once.
    page.wait_for_url("**/mapping/")
    assert findings(page) == []
    page.click("#mapping-form .form-foot .btn-primary")
    page.wait_for_url("**/imports/*/")
    page.wait_for_selector(".import-progress")
    assert findings(page) == []
    let_work(page, run_jobs)
    page.wait_for_url("**/preview/")
    assert page.locator(".import-figures dd").all_inner_texts() == ["5", "3", "2"]
    assert findings(page) == []
    page.click(".import-start .btn-primary")
    page.wait_for_selector(".import-progress")
    let_work(page, run_jobs)
    page.wait_for_selector(".notice-green")
    assert page.locator(".import-figures dd").all_inner_texts() == ["5", "0", "3", "2"]
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert Lead.objects.filter(owner=company["rep"]).count() == 5


def test_a_refused_file_is_said_beside_the_field(open_page, company, tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"%PDF-1.7")
    page = open_page(company["rep"])
    page.goto("/imports/new/?kind=leads.lead")
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector(".field-error")
    assert page.locator(".field-error").inner_text() == (
        "This is not a spreadsheet. Choose an .xlsx, .xls or .csv file."
    )
    assert findings(page) == []
