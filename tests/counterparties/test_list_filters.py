"""The lists' filters that no column answers: categories, any phone, any e-mail."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from collab.calendar.services import cancel_activity
from counterparties.categories import rule_condition
from counterparties.models import Category, CategoryGroup
from counterparties.services import edit_counterparty
from tests.factories.collab import make_activity, make_series
from tests.factories.counterparties import make_contact, make_counterparty

pytestmark = pytest.mark.django_db


def found(client, name, *conditions) -> list[str]:
    listed = client.get(reverse(f"counterparties:{name}_list"), {"f": list(conditions)}).context["list"]
    return [str(row) for row in listed.page]


@pytest.fixture
def categories():
    group = CategoryGroup.objects.create(name="Size")
    return {name: Category.objects.create(name=name, group=group).pk for name in ("big", "small", "key")}


def test_by_category(rep, categories, signed_in):
    for name, given in (("A", ["big"]), ("B", ["big", "key"]), ("C", ["small"]), ("D", [])):
        record = make_counterparty(rep, name=name)
        values = {"categories": [categories[one] for one in given]}
        edit_counterparty(counterparty=record, values=values, version=record.version, by=rep)
    client = signed_in(rep)
    big, key, small = categories["big"], categories["key"], categories["small"]
    asked = {
        f"any:{big}": ["A", "B"],
        f"any:{big},{small}": ["A", "B", "C"],
        f"all:{big},{key}": ["B"],
        f"none:{big}": ["C", "D"],
        "empty:": ["D"],
        "filled:": ["A", "B", "C"],
        "any:x": ["A", "B", "C", "D"],
    }
    for condition, names in asked.items():
        assert found(client, "counterparty", f"categories:{condition}") == names, condition
    page = client.get("/lists/filter/", {"kind": "counterparties.counterparty", "field": "categories"})
    assert "small" in page.content.decode()


@pytest.mark.parametrize(("name", "make"), [("counterparty", make_counterparty), ("contact", make_contact)])
def test_by_next_step(rep, signed_in, name, make):
    """None means what the column shows; of what repeats an open one is enough, a cancelled one is none."""
    client, with_step, over, idle = signed_in(rep), make(rep), make(rep), make(rep)
    make_series(rep, **{name: with_step})
    cancel_activity(activity=make_activity(rep, **{name: over}), by=rep)
    asked = {"next:filled": {with_step.pk}, "next:empty": {over.pk, idle.pk}}
    for condition, pks in asked.items():
        listed = client.get(reverse(f"counterparties:{name}_list"), {"f": condition}).context["list"]
        assert {row.pk for row in listed.page} == pks
        assert {row.next_activity is None for row in listed.page} == {condition == "next:empty"}


def test_a_rule_cannot_ask_for_categories(admin_user, categories):
    with pytest.raises(ValidationError, match="wait for each other"):
        rule_condition(f"f=categories:any:{categories['big']}", admin_user)


@pytest.mark.parametrize(("name", "make"), [("counterparty", make_counterparty), ("contact", make_contact)])
def test_by_any_phone_and_any_e_mail(rep, signed_in, name, make):
    key = "name" if name == "counterparty" else "last_name"
    rows = {
        "A": {"phones": "22 123 45 67; 601 234 567", "emails": "a@a.example, Second@A.example"},
        "B": {"phones": "601 234 567"},
        "C": {},
    }
    for title, values in rows.items():
        make(rep, **{key: title, **({"first_name": ""} if name == "contact" else {})}, **values)
    client = signed_in(rep)
    asked = {
        "phones:is:601 234 567": ["A", "B"],
        "phones:is:+48 22 123 45 67": ["A"],
        "phones:is:0048601234567": ["A", "B"],
        "phones:has:234-5": ["A", "B"],
        "phones:starts:+4822": ["A"],
        "phones:lacks:601": ["C"],
        "phones:empty:": ["C"],
        "phones:filled:": ["A", "B"],
        "emails:is:second@a.example": ["A"],
        "emails:has:SECOND": ["A"],
        "emails:lacks:second": ["B", "C"],
        "phones:is:nonsense": [],
        "phones:lacks:nonsense": ["A", "B", "C"],
    }
    for condition, names in asked.items():
        assert found(client, name, condition) == names, condition


def test_the_filters_cost_no_further_query(rep, categories, signed_in):
    client = signed_in(rep)
    for number in range(30):
        make_counterparty(rep, name=f"N{number}", phones="22 123 45 67; 601 234 567")
    url = reverse("counterparties:counterparty_list")
    client.get(url)
    counts = []
    for given in ({}, {"f": ["phones:is:601234567", f"categories:none:{categories['big']}"]}):
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(url, given).context["list"].page) == 30
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10
