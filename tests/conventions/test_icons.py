"""Icons come from one published file: every name in the pages is in its list, and the list holds no others."""

import re
from pathlib import Path

from crm.web import icons
from crm.web.staticfiles import NodeFinder

ROOT = Path(__file__).resolve().parents[2]
QUOTED = re.compile(r"""["']([a-z0-9-]+)["']""")
TAG = re.compile(r"""(?:\{% icon |\bicon(?:_name)?=)["']([a-z0-9-]+)["']""")


def sources() -> list[str]:
    files = [
        file
        for folder in (
            "templates",
            "crm",
            "bpm",
            "collab",
            "counterparties",
            "deals",
            "funnel",
            "leads",
            "telephony",
        )
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".html", ".py"} and "migrations" not in file.parts
    ]
    return [file.read_text() for file in files]


def test_the_list_names_every_icon_of_the_pages():
    named = {name for text in sources() for name in TAG.findall(text)}
    missing = {name for name in named if (icons.FOLDER / f"{name}.svg").exists()} - icons.COMMON
    assert missing == set(), f"add to crm/web/icons.txt: {sorted(missing)}"


def test_the_list_names_no_icon_that_nobody_uses():
    quoted = {name for text in sources() for name in QUOTED.findall(text)}
    assert icons.COMMON - quoted == set()


def test_every_listed_icon_is_drawn_in_the_published_file():
    sheet = Path(NodeFinder().find(icons.SHEET)).read_text()
    drawn = dict(re.findall(r'<symbol id="([a-z0-9-]+)"[^>]*>(.*?)</symbol>', sheet))
    assert set(drawn) == icons.COMMON
    assert all(drawn.values())


def test_an_icon_beyond_the_list_is_drawn_in_the_page():
    assert "<path" in icons.icon("emoji-sunglasses")
    assert "<use" not in icons.icon("emoji-sunglasses")
