"""Two records of one client: the warning while typing, merging from the list, the old address, and the way back."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import id_in

pytestmark = pytest.mark.browser


def add_client(page, name, **values):
    page.goto("/counterparties/new/")
    for field, value in {"name": name, **values}.items():
        page.fill(f"#counterparty-form [name={field}]", value)
    page.click("#counterparty-form button.btn-primary")
    page.wait_for_url(re.compile(r"/counterparties/\d+/$"))
    return id_in(page.url)


def test_two_of_one_client_are_merged_and_parted(person):
    page = person("head").page
    one = add_client(page, "Wytwórnia Jaśmin Sp. z o.o.", city="Kutno")
    page.goto("/counterparties/new/")
    page.fill("#counterparty-form [name=name]", "wytwornia jasmyn")
    expect(page.locator(".found-matches")).to_contain_text("Wytwórnia Jaśmin")
    expect(page.locator(".found-matches")).to_contain_text("a similar name")
    other = add_client(page, "Wytwornia Jasmyn", email="biuro@jasmin.example")

    page.goto("/counterparties/?q=wytw")
    for pk in (one, other):
        page.check(f"#row-{pk} [data-select]")
    page.click("#bulk >> text=Merge")
    page.wait_for_selector("#merge-form")
    page.check(f"#merge-form [name=survivor][value='{one}']")
    expect(page.locator(f"#merge-form [name=field_name][value='{one}']")).to_be_checked()
    page.click("#merge-form button.btn-primary")
    page.wait_for_url(f"**/counterparties/{one}/")
    expect(page.locator("#card-facts")).to_contain_text("biuro@jasmin.example")
    page.goto(f"/counterparties/{other}/")
    expect(page).to_have_url(re.compile(f"/counterparties/{one}/$"))

    page.locator("#history a.history-act", has_text="Undo").first.click()
    page.click("dialog[open] button.btn-primary")
    expect(page.locator("#card-facts")).not_to_contain_text("biuro@jasmin.example")
    page.goto(f"/counterparties/{other}/")
    expect(page.locator("h1")).to_contain_text("Wytwornia Jasmyn")
