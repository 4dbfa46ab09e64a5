"""From a messy spreadsheet to a counterparty and a deal."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import id_in
from tests.factories.sheets import messy_workbook

pytestmark = pytest.mark.browser


def add_lead(hand, company, **values):
    """Types a lead in by hand and ends on its card."""
    page = hand.page
    page.goto("/leads/new/")
    for name, value in {"company": company, **values}.items():
        page.fill(f"#lead-form [name={name}]", value)
    page.click("#lead-form button.btn-primary")
    page.wait_for_url(re.compile(r"/leads/\d+/$"))
    return id_in(page.url)


def test_messy_spreadsheet_becomes_leads(person, product, tmp_path):
    hand = person("rep")
    page = hand.page
    file = messy_workbook(tmp_path / "targi.xlsx")
    page.goto("/leads/")
    hand.start()
    hand.click(page.get_by_role("link", name="Import"))
    page.wait_for_selector("#upload-form")
    hand.drop_file("#upload-form input[type=file]", file)
    page.wait_for_selector("#mapping-form")
    matched = page.locator(".import-columns select").evaluate_all("all => all.map(one => one.value)")
    assert {"company", "phone", "email", "tax_number", "city", "note"} <= {
        re.sub(r"^.*\W", "", one) for one in matched
    }
    hand.click(page.get_by_role("button", name="Check the rows"))
    page.wait_for_selector(".import-start", timeout=60_000)
    figures = page.locator(".import-figures dd").all_inner_texts()
    assert figures == ["5", "3", "2"]
    hand.click(page.get_by_role("button", name="Import", exact=True))
    page.wait_for_selector("text=The import is done", timeout=60_000)
    assert hand.deeds == 4
    assert page.locator(".import-figures dd").all_inner_texts() == ["5", "0", "3", "2"]
    assert product.select("SELECT count(*) FROM leads_lead WHERE company LIKE '%Gęś i Ryś%'") == [(1,)]


def test_logged_call_takes_a_lead_to_work_and_goes_along_on_conversion(person, product):
    hand = person("rep")
    page = hand.page
    lead = add_lead(
        hand, "Zakłady Kolejowe Żmigród", first_name="Łucja", last_name="Wąs", phone="22 555 01 02"
    )
    expect(page.locator("h1 .pill")).to_contain_text("New")

    hand.start()
    hand.click(page.get_by_role("link", name="Log a call"))
    page.wait_for_selector("dialog[open] form")
    page.keyboard.type("Chce ofertę na trzy zwrotnice")
    hand.click(page.locator("dialog .follow-up label", has_text="Meeting"))
    hand.click(page.get_by_role("button", name="Save the result"))
    expect(page.locator("h1 .pill")).to_contain_text("In work")
    assert hand.deeds == 3
    expect(page.locator("#history")).to_contain_text("Chce ofertę na trzy zwrotnice")
    expect(page.locator("#next-activity")).to_contain_text("Meeting")

    hand.start()
    hand.click(page.locator("#lead-actions .btn-primary"))
    page.wait_for_selector("dialog[open] #conversion-form")
    hand.click("#conversion-form .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/deals/\d+/$"))
    product.until("SELECT 1 FROM leads_lead WHERE id = ? AND status = 'qualified'", lead)
    assert hand.deeds <= 3
    [(counterparty, deal)] = product.select(
        "SELECT counterparty_id, deal_id FROM leads_lead WHERE id = ?", lead
    )
    for address in (f"/counterparties/{counterparty}/", f"/deals/{deal}/"):
        page.goto(address)
        expect(page.locator("#history")).to_contain_text("Chce ofertę na trzy zwrotnice")
        expect(page.locator("#next-activity")).to_contain_text("Meeting")

    hand.start()
    hand.click(page.locator("#next-activity").get_by_role("link", name="Move…"))
    page.wait_for_selector("dialog[open] form")
    page.fill("dialog [name=starts_at]", "2027-01-05T10:00")
    hand.click("dialog .form-foot .btn-primary")
    expect(page.locator("#next-activity")).to_contain_text("5 Jan")
    assert hand.deeds == 2


def test_client_is_found_by_a_fragment_without_touching_the_mouse(person):
    hand = person("rep")
    page = hand.page
    lead = add_lead(hand, "Śnieżka Wełniana Sp. j.", phone="(81) 740-55-66")
    for typed in ("sniezka weln", "7405566", "740 55"):
        page.goto("/")
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"(/leads/{lead}/|/search/)"))
        expect(page.locator("main")).to_contain_text("Śnieżka Wełniana")


def test_first_task_of_the_day_is_done_in_two_clicks(person):
    hand = person("rep")
    page = hand.page
    page.goto("/")
    late = page.locator("#my-activities li.line-overdue")
    before = late.count()
    hand.start()
    hand.click(late.first.locator("a.btn"))
    page.wait_for_selector("dialog[open] form")
    page.keyboard.type("Oddzwonili sami")
    hand.click("dialog .form-foot .btn-primary")
    expect(late).to_have_count(before - 1)
    assert hand.deeds == 2


def test_double_click_on_save_logs_one_call(person, product):
    hand = person("rep")
    page = hand.page
    lead = add_lead(hand, "Podwójne Kliknięcie S.A.")
    page.click("text=Log a call")
    page.wait_for_selector("dialog[open] form")
    page.keyboard.type("Nie odbiera")
    page.locator("dialog .form-foot .btn-primary").dblclick()
    expect(page.locator("#history")).to_contain_text("Nie odbiera")
    assert product.select("SELECT count(*) FROM collab_calendar_activity WHERE lead_id = ?", lead) == [(1,)]


def test_deal_from_a_counterparty_s_card_in_two_clicks(person):
    hand = person("rep")
    page = hand.page
    page.goto("/counterparties/")
    page.locator(".table-list .row-link").first.click()
    page.wait_for_url(re.compile(r"/counterparties/\d+/"))
    hand.start()
    hand.click(page.get_by_role("link", name="New deal"))
    page.wait_for_selector("dialog[open] form")
    page.fill("dialog [name=name]", "Serwis na miejscu")
    hand.click("dialog .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/deals/\d+/"))
    expect(page.locator("h1")).to_contain_text("Serwis na miejscu")
    assert hand.deeds == 2
