"""Defaults, conditions and help: what a form asks for, and what the server makes of the answer."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from counterparties.models import Counterparty
from counterparties.services import edit_counterparty
from crm.attributes.cards import attribute_facts
from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute, AttributeValue
from crm.history.models import Change
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty, make_type

pytestmark = pytest.mark.django_db


def plain(key: str, kind: str = "choice", shown_if: str = "", values=()) -> Attribute:
    return Attribute(key=key, kind=kind, shown_if_key=shown_if, shown_if_values=list(values))


def form_data(user, **values) -> dict:
    return {
        "name": "Conditional", "counterparty_type": make_type().pk, "country": "PL", "owner": user.pk, **values,
    }  # fmt: skip


@pytest.fixture
def schema(db):
    make_attribute("tier", "choice")
    make_attribute(
        "reason",
        shown_if_key="tier",
        shown_if_values=["gold"],
        required=True,
        filterable=True,
        help="Why gold?",
    )
    make_attribute("follow_up", "bool")
    make_attribute("day", "date", shown_if_key="follow_up", shown_if_values=["yes"])


def test_a_chain_of_conditions_holds_only_as_a_whole():
    attributes = [plain("a"), plain("b", "choices", "a", ["1"]), plain("c", "text", "b", ["2"])]
    assert applicable_keys(attributes, {"a": "1", "b": ["2", "3"]}) == {"a", "b", "c"}
    assert applicable_keys(attributes, {"a": "0", "b": ["2"]}) == {"a"}
    assert applicable_keys(attributes, {"a": "1"}) == {"a", "b"}


def test_conditions_on_nothing_or_in_a_circle_hide_nothing():
    assert applicable_keys([plain("a", "text", "gone", ["1"])], {}) == {"a"}
    circle = [plain("a", "choice", "b", ["1"]), plain("b", "choice", "a", ["1"])]
    assert applicable_keys(circle, {"a": "1", "b": "1"}) == {"a", "b"}


def test_a_yes_or_no_without_a_value_counts_as_no():
    attributes = [plain("a", "bool"), plain("b", "text", "a", ["no"])]
    assert applicable_keys(attributes, {}) == {"a", "b"}
    assert applicable_keys(attributes, {"a": True}) == {"a"}


def test_a_hidden_attribute_is_neither_demanded_nor_kept(rep, schema, signed_in):
    client, url = signed_in(rep), reverse("counterparties:counterparty_create")
    assert client.post(url, form_data(rep, attr_tier="gold")).status_code == 422
    assert Counterparty.objects.count() == 0
    answer = client.post(url, form_data(rep, attr_tier="plain", attr_reason="x" * 5000, attr_day="never"))
    assert answer.status_code == 302
    assert Counterparty.objects.get().attributes == {"tier": "plain", "follow_up": False}


def test_a_value_goes_when_its_condition_does_and_stays_in_history(rep, schema):
    record = make_counterparty(rep, attributes={"tier": "gold", "reason": "Old friends"})
    assert AttributeValue.objects.filter(attribute__key="reason").count() == 1
    with pytest.raises(ValidationError):
        make_counterparty(rep, attributes={"tier": "gold"})
    edit_counterparty(counterparty=record, values={}, attributes={"tier": "plain"}, version=1, by=rep)
    record.refresh_from_db()
    assert record.attributes == {"tier": "plain"}
    assert AttributeValue.objects.filter(attribute__key="reason").count() == 0
    assert Change.objects.get(field="attr_reason").old_text == "Old friends"
    assert "Old friends" not in str(attribute_facts(record, rep))


def test_the_form_tells_the_script_what_depends_on_what(rep, schema, signed_in):
    page = signed_in(rep).get(reverse("counterparties:counterparty_create")).content.decode()
    assert 'data-shown-if="attr_tier" data-shown-if-values="[&quot;gold&quot;]"' in page
    assert "Why gold?" in page


def test_a_new_record_starts_with_the_defaults(rep, signed_in):
    make_attribute("tier", "choice", default="złoty", filterable=True)
    make_attribute("seats", "number", default="1 000")
    make_attribute("tags", "choices", default="new, plain")
    make_attribute("odd", "number", default="many")
    page = signed_in(rep).get(reverse("counterparties:counterparty_create")).content.decode()
    assert '<option value="gold" selected>Gold</option>' in page
    assert 'value="1000"' in page
    silent = make_counterparty(rep)
    assert silent.attributes == {"tier": "gold", "seats": "1000", "tags": ["plain", "new"]}
    assert AttributeValue.objects.get(record_id=silent.pk).text == "gold"
    spoken = make_counterparty(rep, attributes={"tier": None, "seats": "5", "tags": []})
    assert spoken.attributes == {"seats": "5"}


def test_clearing_a_default_keeps_it_cleared(rep):
    make_attribute("tier", "choice", default="gold")
    record = make_counterparty(rep)
    edit_counterparty(counterparty=record, values={}, attributes={"tier": None}, version=1, by=rep)
    record.refresh_from_db()
    assert record.attributes == {}


@pytest.mark.parametrize("number", ["1 000", "1 000", "1'000", "1000,00"])
def test_numbers_are_typed_like_amounts(rep, signed_in, number):
    make_attribute("seats", "number")
    url = reverse("counterparties:counterparty_create")
    assert signed_in(rep).post(url, form_data(rep, attr_seats=number)).status_code == 302
    assert Counterparty.objects.get().attributes == {"seats": "1000"}
