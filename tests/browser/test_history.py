"""A colleague is named in a note, a slip is undone, a deleted card comes back."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import id_in

pytestmark = pytest.mark.browser


def new_lead(page, company) -> str:
    page.goto("/leads/new/")
    page.fill("#lead-form [name=company]", company)
    page.fill("#lead-form [name=city]", "Łódź")
    page.click("#lead-form button.btn-primary")
    page.wait_for_url(re.compile(r"/leads/\d+/$"))
    page.wait_for_selector("#comment-text")
    return id_in(page.url)


def test_a_colleague_named_in_a_note_finds_it_under_the_bell(person):
    page, other = person("rep").page, person("head").page
    new_lead(page, "Wzmianka Sp. z o.o.")
    page.click("#comment-text")
    page.keyboard.type("Proszę zerknąć, @he")
    expect(page.locator(".mention-list li")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#comment-text")).to_have_value("Proszę zerknąć, @head ")
    page.click(".composer button[type=submit]")
    expect(page.locator(".history-note a.mention")).to_have_text("@head")
    other.goto("/notifications/")
    expect(other.locator("#notifications")).to_contain_text("Wzmianka Sp. z o.o.")


def test_a_slip_is_undone_and_a_deleted_card_comes_back(person, product):
    page = person("rep").page
    pk = new_lead(page, "Pomyłka S.A.")
    page.click("#lead-facts .box-head a")
    page.fill("dialog [name=city]", "Gdynia")
    page.click("dialog button.btn-primary")
    expect(page.locator("#lead-facts")).to_contain_text("Gdynia")
    page.click("a.history-act:has-text('Undo')")
    page.click("#undo-form button.btn-primary")
    expect(page.locator("#lead-facts")).to_contain_text("Łódź")

    page.click(".page-actions a:has-text('Delete')")
    page.click("#deletion-form button.btn-danger")
    page.wait_for_url("**/leads/")
    assert product.select(f"SELECT count(*) FROM leads_lead WHERE id = {pk} AND deleted_at IS NULL") == [(0,)]
    page.click(".toast-undo")
    page.wait_for_url(f"**/leads/{pk}/")
    assert product.select(f"SELECT count(*) FROM leads_lead WHERE id = {pk} AND deleted_at IS NULL") == [(1,)]
