"""A client calls: his card stands on the screen while it rings, what is typed there is kept, and a click calls back."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def play(admin, flow: str, whose: str, number: str, speed: str) -> None:
    admin.page.goto("/telephony/simulator/")
    admin.page.select_option("#id_flow", flow)
    phone = admin.page.locator("#id_phone option", has_text=whose).get_attribute("value")
    admin.page.select_option("#id_phone", phone)
    admin.page.fill("#id_number", number)
    admin.page.select_option("#id_speed", speed)
    admin.page.click("#simulator button[type=submit]")


def test_a_call_stands_on_the_screen_and_what_is_typed_is_kept(person):
    """Rings, is answered, ends: one card the whole time, through a change of the page and a reload."""
    rep, admin = person("rep"), person("admin")
    page = rep.page
    page.goto("/deals/")
    play(admin, "incoming_answered", "Zielińska", "+48799555001", "4")
    card = page.locator("[data-call]", has_text="799 555 001")
    expect(card).to_be_visible()
    note = card.locator("textarea")
    expect(note).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith("/note/")):
        note.fill("Wants two lifts")
    page.goto("/leads/")
    expect(note).to_have_value("Wants two lifts")
    done = card.get_by_role("button", name="Save and close")
    expect(done).to_be_visible(timeout=60_000)
    done.click()
    expect(card).to_have_count(0)
    page.goto("/telephony/")
    page.get_by_role("link", name="799 555 001").first.click()
    expect(page.locator("textarea").first).to_have_value("Wants two lifts")


def test_a_click_on_a_number_calls_it(person):
    """The link of the number starts the call; its card appears without leaving the page."""
    page = person("teammate").page
    page.goto("/counterparties/contacts/")
    link = page.locator('a[href^="tel:"]').first
    number = link.inner_text()
    expect(page.locator('#calls-shown[data-phone="yes"]')).to_be_attached()
    link.click()
    expect(page.locator("[data-call]", has_text=number).first).to_be_visible()
