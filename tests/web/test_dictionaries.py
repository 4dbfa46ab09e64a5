"""Dictionaries kept outside the administration: entries added, renamed, ordered, retired, never gone."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from crm.web.dictionaries import dictionary
from deals.models import LossReason, OutcomeReason
from leads.models import LeadSource

pytestmark = pytest.mark.django_db
LOSSES = "/dictionaries/deals-lossreason/"


@pytest.fixture
def keeper(head):
    """A head whom the administration lets change reasons of loss, and nothing else."""
    head.is_staff = True
    head.save()
    head.user_permissions.add(Permission.objects.get(codename="change_lossreason"))
    return head


@pytest.fixture
def browser(keeper, signed_in):
    return signed_in(keeper)


def test_everybody_sees_what_he_may_keep(browser, rep, company, signed_in):
    page = browser.get("/dictionaries/").content.decode()
    assert LOSSES in page and "deals-competitor" not in page
    assert "/dictionaries/" in browser.get("/").content.decode()
    assert browser.get("/dictionaries/deals-competitor/").status_code == 403
    assert browser.get("/dictionaries/deals-deal/").status_code == 404
    assert signed_in(rep).get("/dictionaries/").status_code == 403
    assert signed_in(rep).post(LOSSES + "new/", {"name": "x"}).status_code == 403
    assert signed_in(company["admin"]).get("/dictionaries/").content.decode().count("row-link") == 8


def test_entries_are_added_renamed_retired_and_offered_again(browser, keeper):
    made = browser.post(LOSSES + "new/", {"name": "  Too   slow ", "name_pl": "Za wolno"})
    assert made.status_code == 302
    entry = LossReason.objects.get(name="Too slow")
    for twin in ({"name": "too SLOW"}, {"name": "Other", "name_pl": "za wolno"}, {"name": ""}):
        assert browser.post(LOSSES + "new/", twin).status_code == 422
    assert (
        browser.post(f"{LOSSES}{entry.pk}/", {"name": "Too late", "name_pl": "Za wolno"}).status_code == 302
    )
    browser.post(f"{LOSSES}{entry.pk}/retirement/")
    entry.refresh_from_db()
    assert (entry.name, entry.is_active) == ("Too late", False)
    assert "1 retired entry" in browser.get(LOSSES).content.decode()
    browser.post(f"{LOSSES}{entry.pk}/retirement/", {"again": "1"})
    assert LossReason.objects.get(pk=entry.pk).is_active
    told = LogEntry.objects.filter(user=keeper).order_by("pk").values_list("change_message", flat=True)
    assert list(told)[1:] == [
        "name: Too slow → Too late",
        "is_active: True → False",
        "is_active: False → True",
    ]
    assert browser.get(f"{LOSSES}{entry.pk}/retirement/").status_code == 405
    assert browser.get(f"{LOSSES}999999/").status_code == 404


def test_the_order_is_the_one_that_was_sent(browser):
    LossReason.objects.all().delete()
    one, two, three = (
        LossReason.objects.create(name=name, position=place) for place, name in enumerate("abc")
    )
    sent = [three.pk, one.pk, 999_999, "x"]
    assert browser.post(LOSSES + "order/", {"row": sent}).status_code == 302
    assert list(LossReason.objects.order_by("position").values_list("name", flat=True)) == ["c", "a", "b"]
    assert two.name in browser.get(LOSSES + "order/").content.decode()


def test_what_else_an_entry_needs(company, signed_in):
    browser = signed_in(company["admin"])
    sources, outcomes = (f"/dictionaries/{key}/" for key in ("leads-leadsource", "deals-outcomereason"))
    browser.post(sources + "new/", {"name": "Trade fair Łódź", "response_minutes": "90"})
    browser.post(sources + "new/", {"name": "Trade fair Lodz 2"})
    assert set(LeadSource.objects.filter(name__startswith="Trade fair").values_list("key", "response_minutes")) == {
        ("trade-fair-odz", 90), ("trade-fair-lodz-2", None),
    }  # fmt: skip
    for outcome in ("won", "postponed"):
        assert browser.post(outcomes + "new/", {"name": "Budget", "outcome": outcome}).status_code == 302
    assert browser.post(outcomes + "new/", {"name": "Budget", "outcome": "won"}).status_code == 422
    won = OutcomeReason.objects.get(name="Budget", outcome="won")
    browser.post(f"{outcomes}{won.pk}/", {"name": "Price", "outcome": "postponed"})
    won.refresh_from_db()
    assert (won.name, won.outcome) == ("Price", "won")
    assert dictionary("deals-outcomereason").group == "outcome"
