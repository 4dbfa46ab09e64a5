"""The frame in a real browser: no accessibility finding, no overflow, the dialog keeps what was typed."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty, make_type

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def findings(page):
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {node['html'][:160]}" for item in found for node in item["nodes"]]


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_sign_in_and_home_are_accessible(open_page, company, theme, width):
    page = open_page(theme=theme, width=width)
    page.goto("/accounts/login/")
    assert findings(page) == []
    page = open_page(company["rep"], theme, width)
    assert page.locator("html").get_attribute("data-bs-theme") == theme
    assert findings(page) == []
    page.goto("/profile/")
    assert findings(page) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_component_is_accessible_and_fits_a_phone(open_page, company, theme, settings):
    settings.DEBUG = True
    page = open_page(company["rep"], theme)
    page.goto("/style/")
    assert findings(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow(page) <= 0
    assert findings(page) == []


def test_dialog_keeps_typing_from_a_slip_and_saves_by_keyboard(open_page, company, settings):
    settings.DEBUG = True
    page = open_page(company["rep"])
    page.goto("/style/")
    page.click(".page-actions .btn-primary")
    page.wait_for_selector("dialog[open] #id_email")
    assert findings(page) == []
    page.fill("dialog #id_email", "nonsense")
    asked = []
    page.once("dialog", lambda question: (asked.append(question.message), question.dismiss()))
    page.keyboard.press("Escape")
    assert (asked, page.locator("dialog[open]").count()) == (["Leave without saving what you typed?"], 1)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog #id_email_error")
    page.fill("dialog #id_email", "anna@example.com")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/profile/")
    assert page.locator("#toasts").inner_text().strip() == "Saved."


def test_the_sidebar_folds_for_good(open_page, company):
    page = open_page(company["rep"])
    page.click("[data-sidebar-toggle]")
    page.reload()
    assert "sidebar-closed" in page.locator("body").get_attribute("class")


def test_theme_and_language_change_with_one_click(open_page, company):
    page = open_page(company["rep"])
    page.click("summary[aria-label='My account']")
    page.click("button[name=theme][value=dark]")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.click("summary[aria-label='My account']")
    page.click("button[name=language][value=pl]")
    page.wait_for_selector("html[lang=pl]")


def test_menu_closes_by_escape_and_gives_the_focus_back(open_page, company):
    page = open_page(company["rep"])
    page.click("summary[aria-label='My account']")
    page.keyboard.press("Escape")
    assert page.locator(".topbar details[open]").count() == 0
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "My account"


def test_a_phone_has_the_menu_behind_more(open_page, company):
    page = open_page(company["rep"], width=390)
    assert not page.locator("#sidebar").is_visible()
    page.click(".bottombar [data-sidebar-open]")
    assert page.locator("#sidebar").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#sidebar").is_visible()


def test_a_client_is_found_without_a_click(open_page, company):
    record = make_counterparty(company["rep"], name="Żółw i Łoś S.A.")
    page = open_page(company["rep"])
    page.keyboard.press("Control+k")
    page.keyboard.type("zolw los")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counterparties/{record.pk}/")
    page.keyboard.press("Control+k")
    page.wait_for_selector(f"#palette-found [href='/counterparties/{record.pk}/']")
    assert findings(page) == []
    assert (
        page.locator("#palette [role=option][aria-selected=true]").inner_text().startswith("Żółw i Łoś S.A.")
    )
    page.keyboard.press("Escape")
    assert not page.locator("#palette").is_visible()


def test_the_palette_gives_commands_by_keyboard(open_page, company):
    page = open_page(company["rep"], width=390)
    page.click("[data-palette-open]")
    page.keyboard.type("theme dark")
    page.wait_for_selector("#palette-commands > :first-child:has-text('Theme: dark')")
    active = page.locator("#palette-input").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text().startswith("Theme: dark")
    assert overflow(page) <= 0
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-bs-theme=dark]")


def test_what_was_typed_comes_back_after_a_reload_and_leaves_once_saved(open_page, company):
    record = make_counterparty(company["rep"], name="Draft")
    page = open_page(company["rep"])
    page.goto(f"/counterparties/{record.pk}/")
    page.fill("#history textarea", "Half a thought")
    page.wait_for_timeout(600)  # the draft is kept a moment after the last key
    page.reload()
    page.wait_for_selector("#history .draft-note")
    assert page.locator("#history textarea").input_value() == "Half a thought"
    page.locator("#history textarea").press("Control+Enter")
    page.wait_for_selector("#history .history >> text=Half a thought")
    page.reload()
    page.wait_for_selector("#history textarea")
    assert page.locator("#history textarea").input_value() == ""


def test_what_is_typed_while_a_form_comes_anew_stays(open_page, company):
    make_attribute("population", type_key="partner")
    partner = make_type("partner")
    page = open_page(company["rep"])
    page.goto("/counterparties/new/")
    held = []
    page.route(re.compile(r"/counterparties/new/\?"), lambda route: held.append(route))  # noqa: PLW0108 - the driver marks the function it is given
    with page.expect_request(re.compile(r"/counterparties/new/\?")):
        page.select_option("select[name=counterparty_type]", value=str(partner.pk))
    page.fill("#counterparty-form [name=name]", "Gmina Żórawina")
    held[0].continue_()
    page.wait_for_selector("#counterparty-form :text('Population')")
    expect(page.locator("#counterparty-form [name=name]")).to_have_value("Gmina Żórawina")
    expect(page.locator(".draft-note")).to_have_count(0)


def test_the_question_mark_tells_the_keys(open_page, company):
    page = open_page(company["rep"])
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] .shortcuts")
    assert findings(page) == []
