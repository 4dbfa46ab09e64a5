"""Leads come in: from the form on the company's page, and from a stack of business cards typed by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_visitors_form_becomes_a_lead(chromium, person, product):
    """Without signing in and without a cookie; the browser does its sum, so nothing is held for review."""
    ((key,),) = product.select("SELECT key FROM leads_webform LIMIT 1")
    visitor = chromium.new_context(base_url=product.url, locale="en-GB").new_page()
    visitor.goto(f"/forms/{key}/?utm_campaign=Spring")
    visitor.fill("[name=company]", "Odlewnia Źródło")
    visitor.fill("[name=email]", "biuro@zrodlo.example")
    visitor.check("[name=consent]")
    expect(visitor.locator("[name=proof]")).not_to_have_value("")
    visitor.wait_for_timeout(3100)
    visitor.click("button[type=submit]")
    expect(visitor.get_by_role("status")).to_contain_text("Thank you")
    assert visitor.context.cookies() == []
    (pk,) = product.until("SELECT id FROM leads_lead WHERE company = 'Odlewnia Źródło'")
    hand = person("admin")
    hand.page.goto(f"/leads/{pk}/")
    expect(hand.page.locator("#lead-facts")).to_contain_text("Spring")
    ending = hand.page.locator("#lead-ending")
    expect(ending).to_contain_text("Waiting for the first response")
    hand.click(hand.page.get_by_role("link", name="Log a call"))
    hand.page.wait_for_selector("dialog[open] form")
    hand.page.keyboard.type("Oddzwonione, chce ofertę")
    hand.click(hand.page.get_by_role("button", name="Save the result"))
    expect(ending).not_to_contain_text("Waiting for the first response")
    (minutes,) = product.until(
        "SELECT response_minutes FROM leads_lead WHERE id = ? AND first_response_at IS NOT NULL", pk
    )
    assert minutes == 0


def test_a_stack_of_cards_is_typed_by_keyboard_alone(person, product):
    hand = person("rep")
    page = hand.page
    page.goto("/leads/business-cards/")
    for company, name in (("Walcownia Pstrąg", "Ewa"), ("Tartak Świerk", "Jan")):
        expect(page.locator("[name=company]")).to_be_focused()
        page.keyboard.type(company)
        page.keyboard.press("Tab")
        page.keyboard.type(name)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".cards-side")).to_contain_text(company)
    expect(page.locator(".cards-side .lines li")).to_have_text(
        [re.compile("Tartak"), re.compile("Walcownia")]
    )
    rows = product.select(
        "SELECT first_name FROM leads_lead WHERE company IN ('Walcownia Pstrąg', 'Tartak Świerk')"
    )
    assert sorted(rows) == [("Ewa",), ("Jan",)]
