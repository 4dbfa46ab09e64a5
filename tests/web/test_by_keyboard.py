"""Jobs of the day without a mouse, and values changed where they stand."""

import pytest
from playwright.sync_api import expect

from collab.calendar.models import Activity
from crm.listing.tags.models import Tag
from deals.models import Deal
from leads.models import Lead
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def tab_to(page, selector, most=80):
    """Presses Tab until what has the focus matches: whatever a keyboard cannot reach fails here."""
    for _ in range(most):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_call_is_logged_from_the_list_on(open_page, rep):
    make_lead(rep, company="Huta Żelazna")
    page = open_page(rep)
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/leads/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/*/")
    page.wait_for_selector("#history .composer")
    address = page.get_by_role("link", name="Log a call").get_attribute("href")
    tab_to(page, f"a[href='{address}']")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] form textarea[name=result]")
    tab_to(page, "dialog textarea[name=result]")
    page.keyboard.type("Prosi o ofertę do piątku")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog[open]", state="detached")
    expect(page.locator("#history")).to_contain_text("Prosi o ofertę do piątku")
    call = Activity.objects.get()
    assert (call.result, call.is_open) == ("Prosi o ofertę do piątku", False)


def test_a_deal_moves_by_its_menu(open_page, rep):
    deal = make_deal(rep, name="Suwnica")
    target = deal.funnel.stages.exclude(pk=deal.stage_id).order_by("position").first()
    page = open_page(rep)
    page.goto("/deals/board/")
    tab_to(page, f"#deal-{deal.pk} .tile-menu")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] form")
    tab_to(page, "dialog [name=stage]")
    page.keyboard.type(target.name[:4])
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog[open]", state="detached")
    expect(page.locator(f"#deal-{deal.pk}")).to_have_attribute("data-stage", str(target.pk))
    assert Deal.objects.get().stage_id == target.pk


def test_a_cell_is_changed_in_the_list_and_a_fact_on_the_card(open_page, rep):
    lead = make_lead(rep, company="Huta", city="Kraków")
    page = open_page(rep)
    page.goto("/leads/?cols=name,city,phone")
    cell = page.locator(f"#row-{lead.pk} td", has_text="Kraków")
    cell.dblclick()
    field = page.locator("[data-cell-form] input[name=value]")
    field.fill("Łódź")
    field.press("Enter")
    expect(page.locator(f"#row-{lead.pk}")).to_contain_text("Łódź")
    assert Lead.objects.get().city == "Łódź"
    page.locator(f"#row-{lead.pk} td", has_text="Łódź").dblclick()
    field.fill("Nigdzie")
    field.press("Escape")
    expect(page.locator(f"#row-{lead.pk}")).to_contain_text("Łódź")
    page.goto(f"/leads/{lead.pk}/")
    page.locator("[data-cell-edit*='/city/']").hover()
    page.locator("[data-cell-edit*='/city/'] .fact-edit").click()
    page.locator("[data-cell-form] input[name=value]").fill("Gdańsk")
    page.keyboard.press("Enter")
    expect(page.locator("#card-facts, main").first).to_contain_text("Gdańsk")
    assert Lead.objects.get().city == "Gdańsk"


def test_a_row_gets_a_tag_by_its_key(open_page, rep):
    lead = make_lead(rep, company="Huta")
    Tag.objects.create(name="VIP")
    page = open_page(rep)
    page.goto("/leads/?cols=name,tags")
    page.keyboard.press("j")
    page.keyboard.press("t")
    page.wait_for_selector("dialog[open] form")
    page.get_by_label("VIP").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"#row-{lead.pk}")).to_contain_text("VIP")
