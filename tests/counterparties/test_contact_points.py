"""Several phones, e-mails and messengers of one record: written, found, undone, hidden."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from counterparties.duplicates import duplicate_contacts, find_counterparties
from counterparties.models import Contact, ContactPoint
from counterparties.rows import ACCOUNTS, EMAILS, PHONES, rows_of
from counterparties.services import edit_contact, edit_counterparty
from crm.history.cards import card_history
from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.people.models import FieldRule
from crm.people.search import matching
from tests.factories.counterparties import make_contact, make_counterparty

pytestmark = pytest.mark.django_db

TWO = [{"raw": "22 123-45-67 wew. 12", "label": "work"}, {"raw": "601 234 567", "label": "mobile"}]


@pytest.fixture
def person(rep):
    return make_contact(rep, phones=TWO, emails="Jan@A.example; jan@b.example")


def test_rows_keep_what_was_typed_beside_the_number(person):
    assert person.phones == [
        {"label": "work", "raw": "22 123-45-67 wew. 12", "number": "+48221234567", "ext": "12"},
        {"label": "mobile", "raw": "601 234 567", "number": "+48601234567", "ext": ""},
    ]
    assert (person.phone, person.email) == ("+48221234567", "jan@a.example")
    points = ContactPoint.objects.values_list("channel", "value").order_by("value")
    assert list(points) == [("phone", "+48601234567"), ("email", "jan@b.example")]


@pytest.mark.parametrize("text", ["601234567", "601 23", "jan@b", "221234567"])
def test_found_by_any_of_them(person, text):
    assert list(Contact.objects.filter(matching(text))) == [person]


def test_duplicates_by_a_further_phone(rep, person):
    found = duplicate_contacts(rep, {"phone": "+48601234567"})
    assert [(one.record, one.columns) for one in found] == [(person, ("phone",))]
    firm = make_counterparty(rep, phones="22 123 45 67; 601 234 567")
    assert find_counterparties(phones=["+48601234567"]) == {("phone", "+48601234567"): [firm]}


def test_one_phone_written_alone_takes_the_first_place(rep, person):
    edit_contact(contact=person, values={"phone": "22 765 43 21"}, version=person.version, by=rep)
    assert [row["number"] for row in person.phones] == ["+48227654321", "+48601234567"]
    edit_contact(contact=person, values={"phone": ""}, version=person.version, by=rep)
    assert (person.phone, len(person.phones)) == ("+48601234567", 1)
    assert not ContactPoint.objects.filter(channel="phone").exists()


def test_undo_brings_all_back_and_history_tells_it_once(rep, person):
    before = (person.phone, person.phones)
    edit_contact(contact=person, values={"phones": ["602 345 678"]}, version=person.version, by=rep)
    line = card_history(user=rep, record=person).lines[0]
    assert [(change.label, change.new_text) for change in line.changes] == [("phones", "602 345 678")]
    undo_event(event=Event.objects.get(kind="contact_changed"), by=rep)
    person.refresh_from_db()
    assert (person.phone, person.phones) == before
    assert ContactPoint.objects.filter(value="+48601234567").count() == 1


def test_a_record_written_without_rows_shows_its_one_phone(rep):
    made = Contact.objects.create(last_name="Bulk", owner=rep, phone="+48221234567")
    assert [row["number"] for row in rows_of(made, "phones")] == ["+48221234567"]
    assert edit_contact(contact=made, values={"phones": rows_of(made, "phones")}, version=1, by=rep) == []


def test_who_must_not_see_the_phone_sees_none(rep, person, signed_in):
    for role in rep.roles.all():
        FieldRule.objects.create(role=role, kind="counterparties.contact", field="phone", level="hidden")
    client = signed_in(rep)
    html = client.get(reverse("counterparties:contact_detail", args=[person.pk])).content.decode()
    assert "601" not in html and "jan@b.example" in html
    form = client.get(reverse("counterparties:contact_update", args=[person.pk])).content.decode()
    assert 'name="phone"' not in form


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        (PHONES, ["12"]),
        (EMAILS, ["nobody"]),
        (ACCOUNTS, ["PL61 1090 1014 0000 0712 1981 2875"]),
        (ACCOUNTS, [{"iban": "PL61109010140000071219812874", "currency": "ZŁOTY"}]),
        (PHONES, [f"60123{n:04}" for n in range(21)]),
    ],
)
def test_wrong_rows(shape, given):
    with pytest.raises(ValidationError):
        shape.clean_rows(given)


def test_accounts_know_their_bank():
    assert ACCOUNTS.clean_rows("61 1090 1014 0000 0712 1981 2874") == [
        {"iban": "PL61109010140000071219812874", "bank": "Santander", "currency": ""}
    ]


@pytest.mark.parametrize(
    ("field", "text", "stored"),
    [
        ("registry_number", "KRS 123456", "0000123456"),
        ("statistical_number", "123456785", "123456785"),
        ("registry_number", "12345678901", None),
        ("statistical_number", "123456786", None),
    ],
)
def test_registers(rep, field, text, stored):
    record = make_counterparty(rep)
    if stored is None:
        with pytest.raises(ValidationError) as error:
            edit_counterparty(counterparty=record, values={field: text}, version=1, by=rep)
        assert list(error.value.error_dict) == [field]
    else:
        edit_counterparty(counterparty=record, values={field: text}, version=1, by=rep)
        assert getattr(record, field) == stored


def test_the_form_takes_rows_without_scripts(rep, person, signed_in):
    client = signed_in(rep)
    url = reverse("counterparties:contact_update", args=[person.pk])
    html = client.get(url).content.decode()
    assert html.count('name="phone"') == 3 and "22 123-45-67 wew. 12" in html
    sent = {
        "first_name": "Jan",
        "last_name": "Łukasik",
        "owner": rep.pk,
        "version": person.version,
        "phone": ["221234567", "", "602345678"],
        "phone_label": ["work", "", "mobile"],
        "phone_first": "2",
        "email": ["jan@a.example"],
        "messengers": ["jan.l"],
        "messengers_service": ["signal"],
    }
    assert client.post(url, sent).status_code == 302
    person.refresh_from_db()
    assert [row["number"] for row in person.phones] == ["+48602345678", "+48221234567"]
    assert person.messengers == [{"handle": "jan.l", "service": "signal"}]
    answer = client.post(url, {**sent, "phone": ["12", "601234567"], "version": person.version})
    assert answer.status_code == 422 and "601234567" in answer.content.decode()
