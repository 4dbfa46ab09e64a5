"""A counterparty's type is changed with a look at its values, and comes back."""

import re
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


def test_another_type_keeps_what_fits_and_the_undo_brings_the_rest_back(person):
    hand, brewery, distillery = person("admin"), unused("Brewery"), unused("Distillery")
    page = hand.page
    make_type(hand, brewery, ("Vats", "number"), ("Motto", "text"))
    make_type(hand, distillery, ("Vats", "number"))
    add_client(page, brewery, "Browar Chmiel", Vats="12", Motto="Na zdrowie")
    hand.start()
    hand.click(".page-sub a")
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
