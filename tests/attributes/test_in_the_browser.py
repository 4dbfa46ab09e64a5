"""A form in a real browser: fields come and go with what they depend on; a record and a file are chosen."""

import re

import pytest
from playwright.sync_api import expect

from counterparties.models import Counterparty
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty, make_type
from tests.web.conftest import open_page  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_form_with_every_new_kind(rep, open_page, tmp_path):  # noqa: F811
    make_attribute("tier", "choice")
    make_attribute("reason", shown_if_key="tier", shown_if_values=["gold"], required=True)
    make_attribute("visits", "bool")
    make_attribute("visit_day", "date", shown_if_key="visits", shown_if_values=["yes"])
    make_attribute("tags", "choices")
    make_attribute("parent", "link")
    make_attribute("expert", "person")
    make_attribute("contract", "file")
    make_attribute("shop", "url")
    parent = make_counterparty(rep, name="Łódź Meble", attributes={"visits": False})
    file = tmp_path / "umowa.pdf"
    file.write_bytes(b"%PDF-1.4")

    page = open_page(rep)
    page.goto(f"/counterparties/new/?counterparty_type={make_type().pk}")
    expect(page.get_by_label("Reason")).to_be_hidden()
    expect(page.get_by_label("Visit_Day")).to_be_hidden()
    page.select_option("[name=attr_tier]", "gold")
    expect(page.get_by_label("Reason")).to_be_visible()
    page.select_option("[name=attr_tier]", "plain")
    expect(page.get_by_label("Reason")).to_be_hidden()
    page.check("[name=attr_visits]")
    expect(page.get_by_label("Visit_Day")).to_be_visible()
    page.fill("main form [name=name]", "Nowa")
    page.check("[name=attr_tags][value=gold]")
    page.check("[name=attr_tags][value=new]")
    page.get_by_label("Parent", exact=True).press_sequentially("lodz")
    page.locator(".picker-options [data-value]").first.click()
    page.set_input_files("[name=attr_contract]", file)
    page.fill("[name=attr_shop]", "javascript:alert(1)")
    page.click("main form .form-foot .btn-primary")
    expect(page.locator(".field-error")).to_contain_text("web address")
    page.fill("[name=attr_shop]", "example.com")
    page.set_input_files("[name=attr_contract]", file)
    page.click("main form .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/counterparties/\d+/$"))
    expect(page.get_by_role("link", name="umowa.pdf")).to_be_visible()
    expect(page.get_by_role("link", name="Łódź Meble").first).to_be_visible()
    expect(page.locator("a[href='https://example.com']")).to_be_visible()
    made = Counterparty.objects.get(name="Nowa").attributes
    assert (made["tags"], made["parent"], "reason" in made) == (
        ["gold", "new"], f"counterparties.counterparty/{parent.pk}", False,
    )  # fmt: skip
