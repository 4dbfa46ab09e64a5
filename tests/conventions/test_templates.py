"""Templates: no inline script or style, forms carry their tokens, nothing is marked safe."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_keeps_the_rules(path):
    text = path.read_text()
    assert not re.search(r"<style[\s>]|\sstyle=[\"']", text), "inline style"
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), "inline script"
    assert not re.search(r"\son[a-z]+=[\"']", text), "inline event handler"
    assert not re.search(r"\|\s*safe\b|autoescape off|hx-on|javascript:|hx-vars|hx-vals=[\"']js:", text), (
        "unsafe output"
    )
    for form in re.findall(r"<form\b.*?</form>", text, re.S):
        head = form[: form.index(">")]
        if re.search(r"method=[\"']post[\"']", head, re.I):
            assert "csrf_token" in form, "a POST form without its token"
    assert len(text.splitlines()) <= 120, "longer than 120 lines"
