"""Creating, editing and linking counterparties and contacts."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from counterparties.duplicates import duplicate_counterparties, find_counterparties
from counterparties.models import ContactLink
from counterparties.name_keys import name_key, person_key
from counterparties.services import (
    create_contact,
    create_counterparty,
    edit_contact,
    edit_counterparty,
    link_contact,
    unlink_contact,
)
from crm.attributes.models import AttributeValue
from crm.history.cards import card_history
from crm.history.editing import EditConflict
from crm.people.tax_numbers import clean_tax_number
from tests.factories.counterparties import make_contact, make_counterparty, make_type


def kinds_on(user, record):
    return [line.event.kind for line in card_history(user=user, record=record).lines]


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("526-025-02-74", "", "5260250274"),
        ("PL 526 025 02 74", "PL", "5260250274"),
        ("DE136695976", "", "DE136695976"),
        ("136 695 976", "DE", "DE136695976"),
        ("12-3456789", "US", "US123456789"),
        ("ab 12", "ZZ", "ZZAB12"),
    ],
)
def test_tax_numbers(typed, country, stored):
    assert clean_tax_number(typed, country) == stored


@pytest.mark.parametrize(
    ("typed", "country"), [("5260250275", ""), ("526", "PL"), ("DE136695977", ""), ("nie ma", "PL")]
)
def test_wrong_tax_numbers(typed, country):
    with pytest.raises(ValidationError):
        clean_tax_number(typed, country)


@pytest.mark.parametrize(
    "name",
    [
        "Łódź Sp. z o.o.",
        "LODZ",
        "łódź  spółka z ograniczoną odpowiedzialnością",
        "Łódź, S.A.",
        "Lodz sp.z o.o.",
    ],
)
def test_name_keys(name):
    assert name_key(name) == "lodz"


def test_a_name_of_nothing_but_a_legal_form_stays():
    assert name_key("S.A.") == "s a"
    assert person_key("Jan", "Łukasik") == person_key("łukasik", "JAN") == "jan lukasik"


def test_created_in_the_stored_spelling(rep):
    made = make_counterparty(
        rep,
        name="  Łódź   Sp. z o.o. ",
        phone="(22) 123-45-67",
        email="Biuro@Lodz.example",
        website="lodz.example",
        note="one\n two ",
        tax_number="526 025 02 74",
    )
    assert (made.name, made.phone, made.email, made.website, made.note, made.tax_number, made.country) == (
        "Łódź Sp. z o.o.",
        "+48221234567",
        "biuro@lodz.example",
        "https://lodz.example",
        "one\n two",
        "5260250274",
        "PL",
    )
    assert (made.owner, made.department, made.version) == (rep, rep.department, 1)
    assert kinds_on(rep, made) == ["counterparty_created"]


def test_attributes_of_the_type(rep):
    made = make_counterparty(rep, attributes={"industry": "Handel", "employees": "1 200"})
    assert made.attributes == {"industry": "trade", "employees": "1200"}
    assert set(AttributeValue.objects.values_list("text", "number")) == {("trade", None), (None, 1200)}
    with pytest.raises(ValidationError) as error:
        make_counterparty(rep, type_key="partner", attributes={})
    assert list(error.value.error_dict) == ["attr_level"]


@pytest.mark.parametrize(
    "values", [{"name": ""}, {"phone": "12"}, {"email": "x"}, {"website": "javascript:alert(1)"}]
)
def test_refused(rep, values):
    with pytest.raises(ValidationError) as error:
        create_counterparty(counterparty_type=make_type(), values={"name": "A", **values}, by=rep)
    assert list(error.value.error_dict) == list(values)


def test_creating_is_a_right(marketing):
    with pytest.raises(PermissionDenied):
        make_counterparty(marketing)


def test_another_owner_needs_the_right_to_assign(rep, teammate):
    assert make_counterparty(rep, owner=teammate).owner == teammate


def test_edit(rep, teammate):
    made = make_counterparty(rep, attributes={"employees": 10})
    fields = edit_counterparty(
        counterparty=made,
        values={"name": "New", "phone": "22 123 45 67"},
        attributes={"employees": 20},
        version=1,
        by=rep,
    )
    assert (fields, made.name, made.attributes, made.version) == (
        ["name", "phone", "phones", "attr_employees"],
        "New",
        {"employees": "20"},
        2,
    )
    assert edit_counterparty(counterparty=made, values={"name": "New"}, version=2, by=rep) == []
    with pytest.raises(PermissionDenied):
        edit_counterparty(counterparty=made, values={"name": "X"}, version=2, by=teammate)


def test_only_the_same_field_is_a_conflict(rep, head):
    made = make_counterparty(rep)
    edit_counterparty(counterparty=made, values={"name": "Theirs"}, version=1, by=head)
    edit_counterparty(counterparty=made, values={"city": "Łódź"}, version=1, by=rep)
    with pytest.raises(EditConflict):
        edit_counterparty(counterparty=made, values={"name": "Mine"}, version=1, by=rep)
    made.refresh_from_db()
    assert (made.name, made.city) == ("Theirs", "Łódź")


def test_the_first_contact_is_the_primary_one(rep):
    client = make_counterparty(rep)
    first = make_contact(rep, counterparty=client, role="decides")
    second = make_contact(rep, first_name="Ola", last_name="", counterparty=client)
    assert [(link.contact, link.is_primary) for link in client.contact_links.all()] == [
        (first, True),
        (second, False),
    ]
    link_contact(counterparty=client, contact=second, is_primary=True, by=rep)
    assert [(link.contact, link.is_primary) for link in client.contact_links.all()] == [
        (second, True),
        (first, False),
    ]
    assert ContactLink.objects.count() == 2


def test_events_of_contacts_stand_on_the_counterparty(rep):
    client = make_counterparty(rep)
    person = make_contact(rep, counterparty=client)
    edit_contact(contact=person, values={"position": "CEO"}, version=1, by=rep)
    unlink_contact(link=person.links.get(), by=rep)
    assert kinds_on(rep, client) == [
        "contact_unlinked",
        "contact_changed",
        "contact_linked",
        "contact_created",
        "counterparty_created",
    ]


def test_a_contact_has_a_name(rep):
    with pytest.raises(ValidationError):
        create_contact(values={"phone": "22 123 45 67"}, by=rep)
    person = make_contact(rep)
    with pytest.raises(ValidationError):
        edit_contact(contact=person, values={"first_name": "", "last_name": " "}, version=1, by=rep)


def test_linking_what_is_out_of_sight(rep, outsider):
    with pytest.raises(PermissionDenied):
        link_contact(counterparty=make_counterparty(outsider), contact=make_contact(rep), by=rep)


def test_finding_by_sets(rep, outsider):
    one = make_counterparty(rep, name="Łódź S.A.", phone="221234567")
    two = make_counterparty(outsider, name="Lodz", email="a@b.example")
    make_counterparty(rep, name="Else")
    found = find_counterparties(
        names=["ŁÓDŹ sp. z o.o."], phones=["+48221234567", ""], emails=["a@b.example", ""]
    )
    assert found == {
        ("name_key", "lodz"): [one, two],
        ("phone", "+48221234567"): [one],
        ("email", "a@b.example"): [two],
    }


def test_duplicates_say_what_may_be_seen(rep, outsider):
    hidden = make_counterparty(outsider, name="Lodz", tax_number="5260250274")
    seen = make_counterparty(rep, name="Łódź S.A.")
    found = duplicate_counterparties(rep, {"name": "łódź", "tax_number": "5260250274"})
    assert [(one.record, one.columns, one.is_visible, bool(one.url)) for one in found] == [
        (hidden, ("tax_number", "name_key"), False, False),
        (seen, ("name_key",), True, True),
    ]
    assert duplicate_counterparties(rep, {"name": "", "tax_number": "", "phone": ""}) == []
