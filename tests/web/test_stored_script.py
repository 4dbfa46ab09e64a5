"""Script stored in every text of the database, shown by Chromium: no dialog opens and no policy is violated."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as project
from django.core.management import call_command
from django.db import models
from django.urls import NoReverseMatch, reverse

from crm.people.kinds import all_kinds
from crm.people.models import User
from tests.factories.canary import make_canary
from tests.web.test_every_page import addresses

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LONG = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
SHORT = '"><svg onload=alert(1)>'
# What the machine reads: codes and keys, never words of a person.
NOT_WORDS = {
    "password", "username", "codename", "kind", "key", "model", "app_label", "session_key", "session_data", "hash",
    "token", "record_kind", "subject_kind", "field", "action", "status", "content_type", "sha256", "scope", "code",
    "query", "sort", "xml", "node", "flow", "currency", "iso", "country", "language", "time_zone", "theme", "element",
    "operation",
}  # fmt: skip
DIALOGS = (
    "counterparties:counterparty_update",
    "deals:deal_update",
    "leads:lead_update",
    "leads:lead_convert",
)


def poison() -> int:
    """Overwrites every free text of our tables, past all checks; returns how many columns it was."""
    columns = 0
    ours = Path(project.BASE_DIR)
    own = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ours) and "site-packages" not in config.path
    }
    for model in apps.get_models():
        if model._meta.app_label not in own:
            continue
        for field in model._meta.concrete_fields:
            if (
                type(field) not in (models.CharField, models.TextField)
                or field.choices
                or field.name in NOT_WORDS
            ):
                continue
            if field.unique or any(
                field.name in one.fields for one in model._meta.constraints if hasattr(one, "fields")
            ):
                continue
            text = LONG if (field.max_length or 999) >= len(LONG) else SHORT
            if (field.max_length or 999) >= len(text):
                columns += bool(model._base_manager.exclude(**{field.name: ""}).update(**{field.name: text}))
    return columns


def test_no_stored_script_runs(open_page, settings):
    settings.DEMO = True
    call_command("demo")
    admin = User.objects.get(username="admin")
    canary = make_canary(admin)
    page = open_page(admin)
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append((page.url, dialog.message)), dialog.dismiss()))
    assert poison() >= 60
    cards = [kind.url(record.pk) for kind in all_kinds() if (record := kind.visible(admin).first())]
    for address in dict.fromkeys([*addresses(), *cards, *forms(canary)]):
        assert page.goto(address).status < 400, address
        page.wait_for_timeout(400)  # panels arrive on their own
        assert page.locator("img[src=x], body svg[onload]").count() == 0, address
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("svg")
    page.wait_for_timeout(1_000)
    assert page.locator("img[src=x], body svg[onload]").count() == 0
    assert alerts == []


def forms(canary):
    for name in DIALOGS:
        try:
            yield reverse(name, args=[canary[name.split(":")[1].split("_")[0]].pk])
        except NoReverseMatch:
            continue
