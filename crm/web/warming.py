"""What a web process does once before it serves: the first reader must not wait for it, nor every later one."""

from __future__ import annotations

import gc
from pathlib import Path

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_resolver


def warm() -> None:
    """Loads every page's code and template, and takes all that from the sight of the garbage collector.

    What stays for ever is half a million objects; looking through them took 100 ms in the middle of somebody's page.
    """
    _ = get_resolver().url_patterns
    folder = Path(settings.BASE_DIR) / "templates"
    for file in sorted(folder.rglob("*.html")):
        get_template(str(file.relative_to(folder)))
    gc.collect()
    gc.freeze()
