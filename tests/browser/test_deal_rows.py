"""The rows of a deal, typed without the mouse."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def deal_without_lines(product) -> int:
    return product.select(
        "SELECT d.id FROM deals_deal d JOIN people_user u ON u.id = d.owner_id WHERE u.username = 'rep' AND "
        "d.status = 'active' AND d.currency_id = 'PLN' AND NOT EXISTS "
        "(SELECT 1 FROM deals_dealline l WHERE l.deal_id = d.id) ORDER BY d.id DESC LIMIT 1"
    )[0][0]


def test_lines_are_typed_without_the_mouse(person, product):
    page = person("rep").page
    page.goto(f"/deals/{deal_without_lines(product)}/")
    panel = page.locator("#deal-lines")
    page.locator("#deal-lines [name=q]").focus()
    page.keyboard.type("regal")
    expect(panel.locator(".picker-option").first).to_be_visible()
    expect(panel.locator(".picker-option").first).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("[name=q]")).to_be_focused()
    page.keyboard.type("Transport")
    expect(panel.locator(".picker-option")).to_have_text("Nothing found.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("1 000,50")
    page.keyboard.press("Enter")
    expect(panel.locator("tbody tr")).to_have_count(2)
    expect(panel.locator(".sums .is-main dd")).to_have_text(re.compile(r"11,350\.50"))
    # A value changed where it stands: the next field keeps the focus, the amount on the card follows.
    quantity = panel.locator("tbody tr").first.locator("[name=quantity]")
    quantity.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    expect(panel.locator(".sums .is-main dd")).to_have_text(re.compile(r"7,900\.50"))
    expect(panel.locator("tbody tr").first.locator("[name=unit]")).to_be_focused()
    expect(page.locator("#deal-facts")).to_contain_text("7,900.50")
    discount = panel.locator("tbody tr").first.locator("[name=discount]")
    discount.fill("101")
    discount.press("Enter")
    expect(panel.locator(".row-error").first).to_have_text("A discount is between 0 and 100 per cent.")
    expect(discount).to_have_value("101")
    discount.fill("10")
    discount.press("Enter")
    expect(panel.locator(".row-error").first).to_have_text("")
    expect(panel.locator(".sums .is-main dd")).to_have_text(re.compile(r"7,210\.50"))
