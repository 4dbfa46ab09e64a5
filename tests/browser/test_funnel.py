"""A deal moves only when its process says so."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories.browser import id_in

pytestmark = pytest.mark.browser
AT_STAGE = "SELECT 1 FROM deals_deal d JOIN funnel_stage s ON s.id = d.stage_id WHERE d.id = ? AND s.key = ?"
RUN = "SELECT id FROM bpm_processinstance WHERE record_kind = 'deals.deal' AND record_id = ?"


def open_deal(hand, name, amount=""):
    """Creates a deal for the first counterparty of the list, at the first stage of new business; its id."""
    page = hand.page
    page.goto("/counterparties/")
    page.locator(".table-list .row-link").first.click()
    page.wait_for_url(re.compile(r"/counterparties/\d+/"))
    counterparty = id_in(page.url)
    page.goto(f"/deals/new/?counterparty={counterparty}")
    page.fill("main form [name=name]", name)
    page.fill("main form [name=amount]", amount)
    page.click("main form .form-foot .btn-primary")
    page.wait_for_url(re.compile(r"/deals/\d+/$"))
    return id_in(page.url)


def column(page, stage):
    return page.locator(".board-column", has=page.get_by_role("heading", name=re.compile(f"^{stage}")))


@pytest.fixture
def offer(tmp_path):
    file = tmp_path / "oferta.pdf"
    file.write_bytes(b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n")
    return file


def test_gated_stage_waits_for_the_offer_and_the_open_board_follows(person, product, offer):
    hand, watcher = person("rep"), person("teammate")
    page = hand.page
    deal = open_deal(hand, "Suwnica bramowa 12 t", "40000")
    for one in (page, watcher.page):
        one.goto("/deals/board/")
    tile = page.locator(f"#deal-{deal}")
    hand.start()
    hand.drag(tile, column(page, "Proposal"))
    expect(tile).to_have_class(re.compile("tile-pending"))
    expect(tile).to_contain_text("→ Proposal")
    expect(tile.locator(".tile-wait")).to_contain_text("(you)", timeout=20_000)
    expect(column(page, "Qualification").locator(f"#deal-{deal}")).to_have_count(1)
    expect(column(watcher.page, "Qualification").locator(f"#deal-{deal}")).to_contain_text("→ Proposal")

    task = hand.page.context.new_page()
    task.goto("/")
    task.goto(tile.locator(".tile-wait").get_attribute("href"))
    task.set_input_files("#task-form input[type=file]", offer)
    if task.locator("#task-form button[value=attach]").count():
        task.click("#task-form button[value=attach]")
    expect(column(page, "Proposal").locator(f"#deal-{deal}")).to_have_count(1, timeout=30_000)
    expect(column(watcher.page, "Proposal").locator(f"#deal-{deal}")).to_have_count(1, timeout=30_000)
    expect(tile).not_to_have_class(re.compile("tile-pending"))
    page.goto(f"/deals/{deal}/")
    expect(page.locator("main")).to_contain_text("oferta.pdf")
    expect(page.locator("#next-activity")).to_contain_text("Follow up on the offer")


def test_one_drag_and_one_drop_are_enough(person, product, offer):
    hand = person("rep")
    page = hand.page
    deal = open_deal(hand, "Prasa hydrauliczna", "30000")
    page.goto("/deals/board/")
    tile = page.locator(f"#deal-{deal}")
    hand.start()
    hand.drag(tile, column(page, "Proposal"))
    expect(tile.locator(".tile-wait")).to_be_visible(timeout=20_000)
    hand.drop_on(tile, offer)
    product.until(AT_STAGE, deal, "proposal")
    expect(column(page, "Proposal").locator(f"#deal-{deal}")).to_have_count(1, timeout=20_000)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert hand.deeds == 2


def test_what_a_stage_requires_is_asked_for_at_the_drop(person, product):
    hand = person("rep")
    page = hand.page
    deal = open_deal(hand, "Myjnia tunelowa")
    page.goto("/deals/board/")
    tile = page.locator(f"#deal-{deal}")
    hand.start()
    hand.drag(tile, column(page, "Needs"))
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("To reach “Needs”")
    expect(tile).to_contain_text("fill in: Amount, Close date (you)")
    expect(dialog.locator("input:not([type=hidden])")).to_have_count(2)
    dialog.locator("[name=amount]").fill("64000")
    dialog.locator("[name=close_date]").fill("2031-03-31")
    dialog.locator("[name=close_date]").press("Enter")
    product.until(AT_STAGE, deal, "needs")
    expect(column(page, "Needs").locator(f"#deal-{deal}")).to_have_count(1, timeout=20_000)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(tile).not_to_have_class(re.compile("tile-pending"))


@pytest.mark.parametrize(("answer", "stage"), [("agree", "contract"), ("return", "qualification")])
def test_contract_above_the_limit_is_the_head_s(person, product, answer, stage):
    seller, head = person("rep"), person("head")
    page, desk = seller.page, head.page
    name = f"Hala magazynowa ({answer})"
    deal = open_deal(seller, name, "250000")
    page.goto("/deals/board/")
    seller.drag(page.locator(f"#deal-{deal}"), column(page, "Contract"))
    tile = page.locator(f"#deal-{deal}")
    expect(tile).to_contain_text("Katarzyna Lewandowska", timeout=20_000)

    desk.goto("/processes/tasks/")
    row = desk.locator("#task-rows tr", has_text=name)
    expect(row).to_have_count(1)
    head.start()
    head.click(row.locator(".row-link"))
    desk.wait_for_selector("#task-form")
    if answer == "return":
        desk.click("#task-form button[value=return]")
        expect(desk.locator("#task-form .notice-red")).to_be_visible()
        desk.fill("#task-form textarea[name$=comment]", "Cena bez rabatu, proszę o korektę")
    head.click(f"#task-form button[value={answer}]")
    product.until(AT_STAGE, deal, stage)
    product.until("SELECT 1 FROM deals_stagerequest WHERE deal_id = ? AND status <> 'pending'", deal)
    expect(tile).not_to_have_class(re.compile("tile-pending"), timeout=20_000)
    assert product.select(AT_STAGE, deal, stage) == [(1,)]
    page.goto(f"/deals/{deal}/")
    if answer == "return":
        expect(page.locator("#history")).to_contain_text("Cena bez rabatu, proszę o korektę")
    else:
        assert head.deeds == 2


def test_head_sees_the_run_on_its_diagram(person, product):
    seller, head = person("rep"), person("head")
    deal = open_deal(seller, "Wózek widłowy elektryczny", "90000")
    seller.page.goto("/deals/board/")
    seller.drag(seller.page.locator(f"#deal-{deal}"), column(seller.page, "Contract"))
    [run] = product.until(RUN, deal)
    page = head.page
    page.goto(f"/processes/runs/{run}/")
    expect(page.locator(".djs-container svg").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Agree to the contract")
    expect(page.locator("main")).to_contain_text("Katarzyna Lewandowska")


def test_outsider_finds_nothing_of_it(person, product):
    seller, outsider = person("rep"), person("outsider")
    page = seller.page
    deal = open_deal(seller, "Tajna umowa ramowa", "75000")
    page.goto("/deals/board/")
    seller.drag(page.locator(f"#deal-{deal}"), column(page, "Proposal"))
    expect(page.locator(f"#deal-{deal} .tile-wait")).to_be_visible(timeout=20_000)
    task = page.locator(f"#deal-{deal} .tile-wait").get_attribute("href")
    [run] = product.until(RUN, deal)
    for address in (f"/deals/{deal}/", f"/deals/{deal}/stage/", task, f"/processes/runs/{run}/",
                    f"/history/deals.deal/{deal}/", f"/calendar/deal/{deal}/activities/"):  # fmt: skip
        assert outsider.page.goto(address).status == 404, address
    for address in (
        "/deals/",
        "/deals/board/",
        "/search/?q=tajna+umowa",
        "/processes/",
        "/processes/tasks/",
        "/",
    ):
        outsider.page.goto(address)
        expect(outsider.page.locator("main")).not_to_contain_text("Tajna umowa")
