"""Bootstrap Icons in the text's own colour: those of `icons.txt` from one file that browsers keep, others in the page.

A list shows the same few icons dozens of times; as drawings they were a third of its bytes.
"""

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(settings.BASE_DIR) / "node_modules" / "bootstrap-icons" / "icons"
NAME = re.compile(r"[a-z0-9-]+")
SHEET = "v/icons.svg"
"""The published file with the drawings of `icons.txt`."""
COMMON = frozenset((Path(__file__).parent / "icons.txt").read_text().split())
"""The icons that pages name; a test keeps the list complete."""


@lru_cache(maxsize=512)
def _body(name: str) -> SafeString:
    file = FOLDER / f"{name}.svg"
    if not NAME.fullmatch(name) or not file.exists():
        return mark_safe("")
    inner = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text(), re.DOTALL)
    # The package's own file, chosen by a name of letters, digits and hyphens.
    return mark_safe(" ".join(inner[1].split())) if inner else mark_safe("")


@lru_cache(maxsize=1024)
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An ``<svg>`` of the named icon; hidden from screen readers unless it has a *label*."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    look = f"icon {css}".strip()
    if name in COMMON:
        return format_html('<svg class="{}" {}><use href="{}#{}"/></svg>', look, spoken, static(SHEET), name)
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" fill="currentColor" {}>{}</svg>', look, spoken, _body(name)
    )


@lru_cache(maxsize=1)
def sheet() -> Path:
    """The file of all common icons, made from npm's package in the data folder."""
    drawings = (
        f'<symbol id="{name}" viewBox="0 0 16 16" fill="currentColor">{_body(name)}</symbol>'
        for name in sorted(COMMON)
    )
    text = f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(drawings)}</svg>'
    file = Path(settings.DATA_DIR) / "icons.svg"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file
