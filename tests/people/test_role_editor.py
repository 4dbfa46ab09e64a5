"""The editor of roles in the administration: matrix, plain words, restricted fields."""

import re

import pytest
from django.urls import reverse
from django.utils import translation

from crm.people.explaining import sentence
from crm.people.kinds import granted_kinds, kind_named
from crm.people.models import FieldRule, Role, RoleScope, User

DEAL = "deals.deal"


@pytest.fixture
def role(company):
    return Role.objects.get(key="seller")


@pytest.fixture
def browser(signed_in, admin_user):
    return signed_in(admin_user)


def url(role) -> str:
    return reverse("admin:people_role_change", args=[role.pk])


def posted(browser, role, **changes) -> dict:
    """What the page would send: every select as it stands, and `changes`."""
    html = browser.get(url(role)).content.decode()
    data = {"name": role.name, "name_pl": role.name_pl, "key": role.key}
    for name, options in re.findall(r'<select name="(right-[^"]+)"[^>]*>(.*?)</select>', html, re.S):
        data[name] = re.search(r'<option value="(\w+)"[^>]* selected', options)[1]
    data |= {
        "field_rules-TOTAL_FORMS": 0, "field_rules-INITIAL_FORMS": 0,
        "field_rules-MIN_NUM_FORMS": 0, "field_rules-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    return data | changes


def test_the_page_has_a_select_for_every_kind_and_action(browser, role):
    html = browser.get(url(role)).content.decode()
    names = set(re.findall(r'<select name="right-([^"]+)"', html))
    standard = ("view", "create", "edit", "delete", "assign", "export", "import")
    assert names == {
        f"{kind.label}-{action}"
        for kind in granted_kinds()
        for action in (*standard, *(name for name, _label in kind.rights))
    }
    assert "see those of their own department" in html


def test_saving_unchanged_changes_nothing(browser, role):
    before = set(RoleScope.objects.values_list("role", "kind", "action", "scope"))
    assert browser.post(url(role), posted(browser, role)).status_code == 302
    assert set(RoleScope.objects.values_list("role", "kind", "action", "scope")) == before


def test_a_changed_select_changes_one_right(browser, role, teammate):
    data = posted(browser, role, **{f"right-{DEAL}-edit": "team"})
    assert browser.post(url(role), data).status_code == 302
    assert RoleScope.objects.get(role=role, kind=DEAL, action="edit").scope == "team"
    assert User.objects.get(pk=teammate.pk).access.scope(DEAL, "edit") == "team"


def test_no_action_reaches_further_than_seeing(browser, role):
    data = posted(browser, role, **{f"right-{DEAL}-delete": "all"})
    answer = browser.post(url(role), data)
    assert answer.status_code == 200
    assert "may not reach further than" in answer.content.decode()
    assert RoleScope.objects.get(role=role, kind=DEAL, action="delete").scope == "own"


def test_a_made_up_scope_is_refused(browser, role):
    data = posted(browser, role, **{f"right-{DEAL}-edit": "galaxy"})
    assert browser.post(url(role), data).status_code == 200
    assert RoleScope.objects.get(role=role, kind=DEAL, action="edit").scope == "own"


def test_a_new_role_may_nothing_until_told(browser, company):
    html = browser.get(reverse("admin:people_role_add")).content.decode()
    assert html.count("nothing at all") >= len(granted_kinds())
    data = posted(browser, Role(name="Guest", key="guest", pk=Role.objects.first().pk))
    data = {key: "none" if key.startswith("right-") else value for key, value in data.items()}
    assert browser.post(reverse("admin:people_role_add"), data).status_code == 302
    assert set(Role.objects.get(key="guest").scopes.values_list("scope", flat=True)) == {"none"}


def rule(target: str, level: str, number: int = 0) -> dict:
    return {
        "field_rules-TOTAL_FORMS": number + 1,
        f"field_rules-{number}-target": target,
        f"field_rules-{number}-level": level,
    }


def test_a_field_is_restricted_on_the_same_page(browser, role):
    data = posted(browser, role, **rule(f"{DEAL}|amount", "hidden"))
    assert browser.post(url(role), data).status_code == 302
    assert list(FieldRule.objects.values_list("role", "kind", "field", "level")) == [
        (role.pk, DEAL, "amount", "hidden")
    ]


@pytest.mark.parametrize(
    "target", [f"{DEAL}|name", f"{DEAL}|counterparty", "counterparties.contact|last_name"]
)
def test_what_a_record_cannot_be_without_is_never_hidden(browser, role, target):
    assert browser.post(url(role), posted(browser, role, **rule(target, "hidden"))).status_code == 200
    assert not FieldRule.objects.exists()


@pytest.mark.parametrize("target", [f"{DEAL}|owner", f"{DEAL}|owner__password", "people.user|password", "x"])
def test_paths_and_structure_cannot_be_named(browser, role, target):
    assert browser.post(url(role), posted(browser, role, **rule(target, "readonly"))).status_code == 200
    assert not FieldRule.objects.exists()


def test_each_field_once(browser, role):
    twice = rule(f"{DEAL}|amount", "hidden") | rule(f"{DEAL}|amount", "readonly", 1)
    assert browser.post(url(role), posted(browser, role, **twice)).status_code == 200
    assert not FieldRule.objects.exists()


def test_only_administrators_reach_it(signed_in, rep, role):
    assert signed_in(rep).get(url(role)).status_code == 302


def test_the_words_of_a_role():
    kind = kind_named(DEAL)
    scopes = {"view": "team", "create": "all", "edit": "own", "reopen": "subordinates"}
    assert sentence(kind, scopes) == (
        "see those of their own department; create new ones; edit only their own; "
        "reopen a closed deal (their own and those of the departments they head)"
    )
    assert sentence(kind, {}) == "nothing at all: for these people it does not exist"
    with translation.override("pl"):
        assert sentence(kind, {"import": "none"}) != ""
