"""Two records of one client: the warning while typing, merging from the list, the old address, and the way back."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import id_in
from tests.factories.sheets import write_workbook

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


MESSY = [
    ["Kontrahenci z targów"],
    [],
    ["Nazwa firmy", "NIP", "Telefon", "E-mail", "Tagi"],
    ["ODLEWNIA BOCIANIA DOLINA sp. z o.o.", "", "", "", ""],
    ["Odlewnia Bocianla Dolina", "", 48413334455.0, "biuro@bociania.example", "Bociany"],
    ["Tartak Bociani Brzeg", "526-025-02-75", "", "", "Bociany"],
]


def test_a_messy_file_its_duplicates_a_merge_and_the_way_back(person, product, tmp_path):
    page = person("head").page
    one = add_client(page, "Odlewnia Bociania Dolina", city="Kutno")
    page.goto("/imports/new/?kind=counterparties.counterparty")
    page.set_input_files("input[type=file]", write_workbook(tmp_path / "targi.xlsx", MESSY))
    page.wait_for_selector("#mapping-form")
    page.click("#mapping-form .form-foot .btn-primary")
    page.wait_for_selector(".import-start", timeout=60_000)
    figures = page.locator(".import-figures dd")
    expect(figures).to_have_text(["1", "1", "1"])
    expect(page.locator(".import-same")).to_contain_text("Odlewnia Bociania Dolina")

    # The wrong tax number is put right in its cell; the unknown tag is added.
    page.fill(".import-cell-form input.is-invalid", "526-025-02-74")
    page.click(".import-cell-form button:has-text('Save')")
    expect(figures).to_have_text(["2", "1", "0"])
    page.select_option(".import-unknown select", "+")
    page.click(".import-unknown .form-foot .btn")
    page.wait_for_selector(".import-start", timeout=60_000)
    page.click(".import-start .btn-primary")
    page.wait_for_selector("text=The import is done", timeout=60_000)
    expect(figures).to_have_text(["2", "0", "1", "0"])
    report = page.url
    (other,) = product.until(
        "SELECT id FROM counterparties_counterparty WHERE name = 'Odlewnia Bocianla Dolina'"
    )

    # What only a person can tell: the name with the typing error is the same foundry.
    page.goto("/counterparties/?q=odlewnia+bocian")
    for pk in (one, other):
        page.check(f"#row-{pk} [data-select]")
    page.click("#bulk >> text=Merge")
    page.wait_for_selector("#merge-form")
    page.check(f"#merge-form [name=survivor][value='{one}']")
    page.click("#merge-form button.btn-primary")
    page.wait_for_url(f"**/counterparties/{one}/")
    expect(page.locator("#card-facts")).to_contain_text("biuro@bociania.example")
    page.locator("#history a.history-act", has_text="Undo").first.click()
    page.click("dialog[open] button.btn-primary")
    expect(page.locator("#card-facts")).not_to_contain_text("biuro@bociania.example")

    # The import goes back as well, but for the record that has been merged and parted since: it is named.
    page.goto(report)
    page.click("text=Undo the import")
    page.click("dialog[open] .btn-danger")
    page.wait_for_selector("text=The import was undone", timeout=60_000)
    expect(page.locator(".notice-amber")).to_contain_text("In the recycle bin: 1, put back: 0, left alone")
    expect(page.locator("#import-rows tr", has_text="Odlewnia Bocianla Dolina")).to_contain_text(
        "Somebody has changed or used it since the import."
    )
    page.goto("/counterparties/?q=bocian")
    expect(page.locator("[id^=row-]")).to_have_count(2)
