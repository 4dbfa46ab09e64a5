"""axe finds nothing serious on any main page in either theme; the registries name the pages, so new ones count too."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import NoReverseMatch, reverse

from crm.people.kinds import all_kinds
from crm.web import registry
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OTHERS = (
    "web:profile", "web:search", "web:shortcuts", "notify:notification_list", "notify:choice_list", "history:bin",
    "usersessions_list", "mfa_index", "account_change_password",
)  # fmt: skip
GRAVE = {"serious", "critical"}
DARK = "document.documentElement.dataset.bsTheme = 'dark'"


def addresses():
    """Every menu entry, every form of the "+" menu, and the pages of one's own."""
    names = [entry.url_name for entry in registry.menu_entries()]
    names += [entry.url_name for entry in registry.quick_creates()]
    for name in dict.fromkeys([*names, *OTHERS]):
        try:
            yield reverse(name)
        except NoReverseMatch:
            continue


def cards(user):
    """One card of every kind that has a record."""
    for kind in all_kinds():
        if (record := kind.visible(user).order_by("pk").first()) is not None:
            yield kind.url(record.pk)


def grave(page, theme):
    options = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url} {theme} {item['id']}: {node['html'][:200]}"
        for item in found
        if item["impact"] in GRAVE
        for node in item["nodes"][:3]
    ]


def test_no_main_page_keeps_anybody_out(open_page, company):
    admin = company["admin"]
    counterparty = make_counterparty(admin, name="Łódź Sp. z o.o.", phone="+48221234567")
    make_contact(admin, last_name="Nowak")
    make_lead(admin, company="Hurtownia Żuraw")
    make_activity(admin, deal=make_deal(admin, name="Serwis", counterparty=counterparty))
    page = open_page(admin)
    found = []
    for address in dict.fromkeys([*addresses(), *cards(admin)]):
        page.goto(address)
        page.wait_for_timeout(300)  # panels and the bell arrive on their own
        found += grave(page, "light")
        page.evaluate(DARK)
        found += grave(page, "dark")
    assert found == []
