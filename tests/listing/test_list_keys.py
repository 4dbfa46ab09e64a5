"""A list by keyboard and by hand: rows chosen over two pages, one changed field, a filter and its chip."""

import pytest
from playwright.sync_api import expect

from crm.listing.models import BulkRun
from leads.models import Lead
from tests.factories.leads import make_lead

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_page(chromium, live_server):
    contexts, errors = [], []

    def open_(user):
        context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
        page.goto("/accounts/login/")
        page.fill("#id_login", user.username)
        page.fill("#id_password", "demo")
        page.click("button.btn-primary")
        page.wait_for_url("**/")
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state("networkidle")
        context.close()
    assert errors == []


def test_choosing_changing_filtering(rep, open_page, run_jobs):
    for number in range(55):
        make_lead(rep, company=f"Lead {number:02}")
    page = open_page(rep)
    page.goto("/leads/?sort=sort_key")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    page.click("a[rel=next]")
    page.wait_for_url("**after=**", wait_until="load")
    expect(page.locator("tbody tr").first).to_contain_text("Lead 50")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("3")
    page.click(".bulk-bar button[value=edit]")
    page.select_option("#bulk-field", "city")
    page.fill("#bulk-value", "Łódź")
    page.click("dialog button[name=confirmed]")
    page.wait_for_url("**/lists/bulk/*/")
    page.goto("about:blank")  # the page asks for progress, and a database in memory has one lock
    run_jobs()
    assert BulkRun.objects.count() == 1
    changed = list(Lead.objects.filter(city="Łódź").order_by("sort_key").values_list("name", flat=True))
    assert changed == ["Lead 00", "Lead 01", "Lead 50"]
    page.goto("/leads/")
    page.keyboard.press("f")
    page.select_option("#filter-field", "city")
    page.wait_for_selector("#filter-operator option[value=has]", state="attached")
    page.fill("#filter-value", "lodz")
    page.click("dialog button[name=apply]")
    page.wait_for_selector(".chip-edit")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.click(".chip-remove")
    page.wait_for_selector(".chip-edit", state="detached")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/*/")
