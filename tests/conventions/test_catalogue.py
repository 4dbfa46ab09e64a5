"""Polish is complete: every text of the code stands in the catalogue, translated, with the same placeholders."""

import re
import shutil
from pathlib import Path

import polib
import pytest
from django.core.management import call_command
from django.test import override_settings

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "pl" / "LC_MESSAGES" / "django.po"
SOURCES = ["crm", "funnel", "counterparties", "deals", "leads", "collab", "telephony", "bpm", "templates"]
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]*\}")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """A catalogue made anew from the sources, in a folder of its own."""
    if not shutil.which("xgettext"):
        pytest.skip("xgettext is not installed")
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "locale", folder / "locale")
    with pytest.MonkeyPatch.context() as patch, override_settings(LOCALE_PATHS=[folder / "locale"]):
        patch.chdir(folder)
        call_command(
            "makemessages",
            locale=["pl"],
            symlinks=True,
            no_obsolete=True,
            no_location=True,
            no_wrap=True,
            verbosity=0,
        )
    return polib.pofile(str(folder / "locale" / "pl" / "LC_MESSAGES" / "django.po"))


def test_every_text_is_translated(extracted):
    missing = [entry.msgid for entry in extracted if not entry.translated() or "fuzzy" in entry.flags]
    assert missing == []


def test_nothing_is_left_over(extracted):
    kept = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(CATALOGUE)) if not entry.obsolete}
    assert kept - {(entry.msgctxt, entry.msgid) for entry in extracted} == set()


def test_placeholders_survive_translation():
    wrong = []
    for entry in polib.pofile(str(CATALOGUE)):
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        wrong += [
            entry.msgid
            for text in texts
            if not set(PLACEHOLDER.findall(text)) <= wanted | set(PLACEHOLDER.findall(entry.msgid))
        ]
        if not entry.msgid_plural and set(PLACEHOLDER.findall(entry.msgstr)) != wanted:
            wrong.append(entry.msgid)
    assert wrong == []
