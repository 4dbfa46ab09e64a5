#!/usr/bin/env python3
"""Makes docs/screenshot.png, the picture in the README, from a running demo.

    ./run &                                  # in one terminal
    .venv/bin/python docs/screenshots.py [http://127.0.0.1:8000]

It asks for the gated stage of a deal unless one waits already, so that the board shows what a pending deal looks like.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--force-color-profile=srgb",
]
TARGET = ROOT / "docs" / "screenshot.png"


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        size = {"width": 1440, "height": 900}
        page = browser.new_context(
            base_url=address, viewport=size, locale="en-GB", reduced_motion="reduce"
        ).new_page()
        page.goto("/accounts/login/")
        page.fill("#id_login", "rep")
        page.fill("#id_password", "demo")
        page.click("button.btn-primary")
        page.wait_for_url("**/")
        page.goto("/deals/board/")
        page.wait_for_selector(".board .tile")
        ask_for_the_gated_stage(page)
        page.mouse.move(5, 895)
        page.wait_for_timeout(600)
        page.screenshot(path=TARGET)
        browser.close()
    sys.stdout.write(f"{TARGET}\n")


def ask_for_the_gated_stage(page) -> None:
    """Moves the first free deal to the first column with a gate, unless one waits already."""
    if page.locator(".tile-pending .tile-wait").count():
        return
    column = page.locator(".board-column:has(.gate)").first
    stage = column.get_attribute("data-stage")
    tile = page.locator(f".board-column:not([data-stage='{stage}']) .tile:not(.tile-pending)").first
    ask = "([url, stage]) => htmx.ajax('POST', url, {target: '#board-changes', swap: 'innerHTML', values: {stage}})"
    page.evaluate(ask, [tile.get_attribute("data-url") + "stage/", stage])
    page.wait_for_selector(".tile-pending .tile-wait", timeout=20_000)


if __name__ == "__main__":
    main()
