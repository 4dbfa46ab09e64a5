#!/usr/bin/env python3
"""Makes the icons of the installed product (static/img/*.png) from static/img/mark.svg, with Chromium.

.venv/bin/python docs/icons.py
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img"
# file, pixels, share of the square that the mark fills; a mask may cut everything outside the middle 80 %
ICONS = [
    ("icon-192", 192, 1.0),
    ("icon-512", 512, 1.0),
    ("icon-mask-512", 512, 0.74),
    ("icon-touch-180", 180, 0.86),
]
BACKGROUND = "#0b5563"


def main() -> None:
    mark = (FOLDER / "mark.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, size, share in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            ground = BACKGROUND if share < 1 else "transparent"
            page.set_content(
                f"<style>body{{margin:0;height:100vh;display:grid;place-items:center;background:{ground}}}"
                f"svg{{width:{share * 100}vw;height:{share * 100}vw}}</style>{mark}"
            )
            page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
