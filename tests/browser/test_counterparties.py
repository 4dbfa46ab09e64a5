"""What an administrator gives a type is on its cards and lists at once; a type is changed and comes back."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def save(hand):
    hand.click("input[name=_save], button[name=_save]")
    expect(hand.page.locator("body")).to_contain_text("successfully", timeout=20_000)


def unused(name: str) -> str:
    """A name of this attempt alone: a journey that is tried again finds what the first attempt left."""
    return f"{name}{uuid4().hex[:6]}"


def wait_until_live(page, selector: str) -> None:
    """Until the page listens to a field of a form that has just come: faster than any person's hand is a script's."""
    page.wait_for_function(
        "selector => document.querySelector(selector)?.['htmx-internal-data']?.listenerInfos?.length > 0",
        arg=selector,
    )


def make_type(hand, name: str, *attributes: tuple[str, str]) -> None:
    """A type with filterable attributes, each with its kind."""
    page = hand.page
    page.goto("/admin/counterparties/counterpartytype/add/")
    page.fill("#id_name", name)
    page.fill("#id_key", name.lower())
    for place, (label, kind) in enumerate(attributes):
        hand.click(page.get_by_role("link", name=re.compile("Add another")))
        page.fill(f"[name='attributes-{place}-name']", label)
        hand.choose(f"[name='attributes-{place}-kind']", kind)
        page.check(f"[name='attributes-{place}-filterable']")
    save(hand)


def add_client(page, type_name: str, name: str, **values) -> str:
    """The card's address."""
    page.goto("/counterparties/new/")
    page.select_option("select[name=counterparty_type]", label=type_name)
    for label in values:
        expect(page.get_by_label(label)).to_be_visible()
    page.fill("main form [name=name]", name)
    for label, value in values.items():
        page.get_by_label(label).fill(value)
    page.click("main form .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/counterparties/\d+/$"))
    return page.url


def test_from_a_new_type_to_its_column_filter_and_export(person, tmp_path):
    hand, shipyard = person("admin"), unused("Shipyard")
    page = hand.page
    make_type(hand, shipyard, ("Slipways", "number"))
    add_client(page, shipyard, f"{shipyard} Żuraw", Slipways="7")
    expect(page.locator("#card-facts")).to_contain_text("Slipways")
    add_client(page, shipyard, f"{shipyard} Mewa", Slipways="2")

    page.goto(f"/counterparties/?q={shipyard}")
    page.click(".list-views >> text=Columns")
    wait_until_live(page, "dialog[open] form")
    page.check("dialog[open] [name=column][value=attr_slipways]")
    page.click("dialog[open] .btn-primary")
    page.wait_for_url(re.compile("cols="))
    expect(page.locator("thead")).to_contain_text("Slipways")
    expect(page.locator("tbody tr")).to_have_count(2)

    page.click("[data-list-key=f]")
    wait_until_live(page, "dialog[open] #filter-field")
    page.select_option("dialog[open] #filter-field", label="Slipways")
    expect(page.locator("dialog[open] #filter-operator option").first).to_have_text("at least")
    page.fill("dialog[open] #filter-value", "5")
    page.click("dialog[open] .btn-primary")
    page.wait_for_url(re.compile("attr_slipways"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Żuraw")

    page.click(".list-views >> text=Export")
    wait_until_live(page, "dialog[open] form")
    page.check("dialog[open] [name=file_form][value=csv]")
    page.click("dialog[open] .btn-primary")
    page.wait_for_url(re.compile(r"/lists/exports/\d+/"))
    link = page.locator("#export-state a.btn-primary")
    expect(link).to_be_visible(timeout=40_000)
    with page.expect_download() as fetched:
        link.click()
    target: Path = tmp_path / "export.csv"
    fetched.value.save_as(target)
    text = target.read_text("utf-8-sig")
    heading, *rows = text.splitlines()
    assert "Slipways" in heading
    assert [bool(re.search(r"Żuraw.*\b7\b", row)) for row in rows] == [True]


def test_another_type_keeps_what_fits_and_the_undo_brings_the_rest_back(person):
    hand, brewery, distillery = person("admin"), unused("Brewery"), unused("Distillery")
    page = hand.page
    make_type(hand, brewery, ("Vats", "number"), ("Motto", "text"))
    make_type(hand, distillery, ("Vats", "number"))
    add_client(page, brewery, "Browar Chmiel", Vats="12", Motto="Na zdrowie")
    hand.start()
    hand.click(".page-sub a")
    wait_until_live(page, "dialog[open] [name=to]")
    option = page.locator("dialog[open] [name=to] option", has_text=distillery)
    hand.choose("dialog[open] #type-form [name=to]", option.get_attribute("value"))
    expect(page.locator("dialog[open] #type-form")).to_contain_text("Vats: 12")
    expect(page.locator("dialog[open] #type-form")).to_contain_text("Motto: Na zdrowie")
    hand.click("dialog[open] .btn-primary")
    expect(page.locator("#card-facts")).not_to_contain_text("Na zdrowie")
    assert hand.deeds == 4
    page.reload()
    expect(page.locator(".page-sub")).to_contain_text(distillery)
    expect(page.locator("#card-facts")).to_contain_text("12")
    page.locator("#history a.history-act", has_text="Undo").first.click()
    expect(page.locator("dialog[open]")).to_contain_text("Na zdrowie")
    page.click("dialog[open] button.btn-primary")
    expect(page.locator("#card-facts")).to_contain_text("Na zdrowie")
    page.reload()
    expect(page.locator(".page-sub")).to_contain_text(brewery)
