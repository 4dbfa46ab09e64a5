"""What an administrator changes without a deploy: types with attributes, stages, processes, gates."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import ROOT, id_in

pytestmark = pytest.mark.browser


@pytest.fixture
def diagram(tmp_path):
    """The shipped process of an offer, as one for a site visit."""
    text = (ROOT / "bpm/examples/commercial-offer.bpmn").read_text()
    text = text.replace("commercial_offer", "site_visit").replace(
        'name="Commercial offer"', 'name="Site visit"'
    )
    file = tmp_path / "site-visit.bpmn"
    file.write_text(text.replace("Attach the commercial offer", "Attach the site report"))
    return file


def save(hand):
    hand.click("input[name=_save], button[name=_save]")
    expect(hand.page.locator("body")).to_contain_text(re.compile("successfully|is published"), timeout=20_000)


def test_new_type_with_an_attribute_is_on_the_form_at_once(person):
    hand = person("admin")
    page = hand.page
    page.goto("/admin/counterparties/counterpartytype/add/")
    page.fill("#id_name", "Municipality")
    page.fill("#id_key", "municipality")
    hand.start()
    hand.click(page.get_by_role("link", name=re.compile("Add another")))
    page.fill("[name='attributes-0-name']", "Population")
    hand.choose("[name='attributes-0-kind']", "number")
    save(hand)
    assert hand.deeds == 4

    page.goto("/counterparties/new/")
    page.select_option("select[name=counterparty_type]", label="Municipality")
    expect(page.get_by_label("Population")).to_be_visible()
    page.fill("main form [name=name]", "Gmina Żórawina")
    page.get_by_label("Population").fill("11250")
    page.click("main form .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/counterparties/\d+/$"))
    expect(page.locator("main")).to_contain_text("Population")


def test_uploaded_process_guards_a_new_stage(person, product, diagram):
    hand, seller = person("admin"), person("rep")
    page = hand.page
    [(funnel,)] = product.select("SELECT id FROM funnel_funnel ORDER BY position, id LIMIT 1")
    page.goto(f"/admin/funnel/funnel/{funnel}/change/")
    number = int(page.input_value("[name$='-INITIAL_FORMS']"))
    prefix = page.locator("[name$='-INITIAL_FORMS']").get_attribute("name").removesuffix("-INITIAL_FORMS")
    for name, value in {
        "position": "9",
        "name": "Site visit",
        "key": "site_visit",
        "probability": "60",
    }.items():
        page.fill(f"[name='{prefix}-{number}-{name}']", value)
    save(hand)

    page.goto("/admin/bpm/processdefinition/add/")
    page.set_input_files("input[name=diagram]", diagram)
    page.check("input[name=publish]")
    save(hand)
    page.goto("/admin/bpm/stagegate/add/")
    stage, definition = (
        page.locator(f"select[name={name}] option", has_text="Site visit").get_attribute("value")
        for name in ("stage", "definition")
    )
    page.select_option("select[name=stage]", stage)
    page.select_option("select[name=definition]", definition)
    page.check(f"input[name=ends][value='{definition}:End_offer_attached']")
    save(hand)

    board = seller.page
    board.goto("/deals/board/")
    column = board.locator(f".board-column[data-column='{stage}']")
    expect(column.locator(".gate")).to_have_count(1)
    tile = board.locator(".board-column").first.locator(".tile:not(.tile-pending):not([data-fixed])").first
    deal = id_in(tile.get_attribute("data-url"))
    board.goto(f"/deals/{deal}/")
    board.click(f".stage-bar button[value='{stage}']")
    expect(board.locator("#deal-state, main").first).to_contain_text("Attach the site report", timeout=20_000)
    product.until(
        "SELECT 1 FROM deals_stagerequest WHERE deal_id = ? AND to_stage_id = ? AND status = 'pending'",
        deal,
        stage,
    )


def test_file_that_is_no_sound_diagram_says_why_and_leaves_nothing(person, product, tmp_path):
    hand = person("admin")
    page = hand.page
    bad = tmp_path / "bad.bpmn"
    bad.write_text('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    before = product.select("SELECT count(*) FROM bpm_processdefinition")
    page.goto("/admin/bpm/processdefinition/add/")
    page.set_input_files("input[name=diagram]", bad)
    page.locator("input[name=_save], button[name=_save]").first.click()
    expect(page.locator("body")).to_contain_text("DOCTYPE")
    assert product.select("SELECT count(*) FROM bpm_processdefinition") == before
