"""Bootstrap Icons, written straight into the page: no request, no flash, and the text's own colour."""

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(settings.BASE_DIR) / "node_modules" / "bootstrap-icons" / "icons"
NAME = re.compile(r"[a-z0-9-]+")


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
    return format_html(
        '<svg class="icon {}" viewBox="0 0 16 16" fill="currentColor" {}>{}</svg>', css, spoken, _body(name)
    )
