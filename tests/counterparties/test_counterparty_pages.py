"""Pages of counterparties and contacts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.services import edit_counterparty
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact, make_counterparty, make_type

HTMX = {"HX-Request": "true"}


def address(name, *args):
    return reverse(f"counterparties:{name}", args=args)


def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.fixture
def record(rep):
    return make_counterparty(rep, phone="221234567", city="Łódź", attributes={"industry": "trade"})


@pytest.fixture
def person(rep, record):
    return make_contact(rep, counterparty=record, phone="601234567", role="decides")


def test_lists_show_what_is_visible(rep, outsider, record, person, signed_in):
    make_contact(outsider, last_name="Hidden", counterparty=make_counterparty(outsider, name="Hidden Ltd"))
    client = signed_in(rep)
    html = client.get(address("counterparty_list")).content.decode()
    assert "Łódź Sp. z o.o." in html and "Jan Łukasik" in html and "Hidden" not in html
    html = client.get(address("contact_list")).content.decode()
    assert "Jan Łukasik" in html and "Łódź Sp. z o.o." in html and "Hidden" not in html


def test_a_hidden_contact_is_not_named_on_a_visible_counterparty(rep, outsider, record, signed_in):
    ContactLink.objects.create(
        counterparty=record, contact=make_contact(outsider, last_name="Hidden"), is_primary=True
    )
    client = signed_in(rep)
    assert "Hidden" not in client.get(address("counterparty_list")).content.decode()
    assert "Hidden" not in client.get(address("counterparty_contacts", record.pk)).content.decode()
    assert "Hidden" not in client.get(address("counterparty_detail", record.pk)).content.decode()


def test_list_is_in_polish_order_and_filtered_by_type(rep, record, signed_in):
    for name in ("Lipa", "Lód", "Marta"):
        make_counterparty(rep, name=name, type_key="person")
    client = signed_in(rep)
    found = client.get(address("counterparty_list")).context["list"]
    assert [row.name for row in found.page] == ["Lipa", "Lód", "Łódź Sp. z o.o.", "Marta"]
    found = client.get(address("counterparty_list"), {"type": record.counterparty_type_id}).context["list"]
    assert [row.name for row in found.page] == ["Łódź Sp. z o.o."]


@pytest.mark.parametrize("name", ["counterparty_list", "contact_list"])
def test_lists_cost_the_same_for_one_and_fifty(rep, record, person, signed_in, name):
    client = signed_in(rep)
    make_activity(rep, counterparty=record)
    make_activity(rep, contact=person)
    client.get(address(name))
    one = queries(client, address(name))
    for number in range(49):
        other = make_counterparty(rep, name=f"Client {number}")
        make_activity(rep, contact=make_contact(rep, last_name=str(number), counterparty=other))
        make_activity(rep, counterparty=other)
    assert queries(client, address(name)) == one
    assert one <= 10


def test_cards_cost_at_most_fifteen(rep, record, person, signed_in):
    client = signed_in(rep)
    for url in (address("counterparty_detail", record.pk), address("contact_detail", person.pk)):
        client.get(url)
        assert queries(client, url) <= 15


def test_cards(rep, teammate, outsider, record, person, signed_in):
    pages = {
        address("counterparty_detail", record.pk): "Trade",
        address("contact_detail", person.pk): "601 234 567",
    }
    for url, text in pages.items():
        assert text in signed_in(rep).get(url).content.decode()
        assert signed_in(teammate).get(url).status_code == 200
        assert signed_in(outsider).get(url).status_code == 404
        assert signed_in(rep).post(url).status_code == 405
        fragment = signed_in(rep).get(url, headers=HTMX).content.decode()
        assert fragment.strip().startswith("<section") and "<html" not in fragment


def test_access_to_forms_and_panels(teammate, outsider, record, person, signed_in):
    forms = [
        address("counterparty_update", record.pk),
        address("contact_update", person.pk),
        address("counterparty_link", record.pk),
        address("contact_link", person.pk),
    ]
    panels = [address("counterparty_contacts", record.pk), address("contact_counterparties", person.pk)]
    for url in forms:
        assert signed_in(teammate).get(url).status_code == 403
        assert signed_in(teammate).post(url).status_code == 403
        assert signed_in(outsider).get(url).status_code == 404
    for url in panels:
        assert signed_in(teammate).get(url).status_code == 200
        assert signed_in(outsider).get(url).status_code == 404
    removal = address("link_delete", person.links.get().pk)
    assert signed_in(teammate).post(removal).status_code == 403
    assert signed_in(outsider).post(removal).status_code == 404
    assert signed_in(teammate).get(removal).status_code == 405


def test_create(rep, signed_in):
    kind = make_type()
    values = {
        "counterparty_type": kind.pk,
        "name": "Nowa",
        "country": "pl",
        "phone": "22 123 45 67",
        "attr_employees": "1000",
    }
    response = signed_in(rep).post(address("counterparty_create"), values)
    made = Counterparty.objects.get()
    assert (response.status_code, response.url) == (302, address("counterparty_detail", made.pk))
    assert (made.name, made.phone, made.country, made.attributes, made.owner) == (
        "Nowa",
        "+48221234567",
        "PL",
        {"employees": "1000"},
        rep,
    )


def test_the_type_decides_the_attributes_asked_for(rep, signed_in):
    make_type()
    client, url = signed_in(rep), address("counterparty_create")
    assert 'name="attr_industry"' in client.get(url).content.decode()
    html = client.get(
        url, {"counterparty_type": make_type("partner").pk, "name": "Typed"}, headers=HTMX
    ).content.decode()
    assert 'name="attr_level"' in html and 'name="attr_industry"' not in html and 'value="Typed"' in html
    response = client.post(
        url, {"counterparty_type": make_type("partner").pk, "name": "Typed", "country": "PL"}
    )
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["attr_level"])


@pytest.mark.parametrize("kind", ["0", "x", "9" * 30])
def test_hostile_types(rep, signed_in, kind):
    make_type()
    client, url = signed_in(rep), address("counterparty_create")
    assert client.get(url, {"counterparty_type": kind}).status_code == 200
    assert client.post(url, {"counterparty_type": kind, "name": "A", "country": "PL"}).status_code == 422


def test_the_edit_form_leaves_the_type_and_leads_to_its_page(rep, record, signed_in):
    url = address("counterparty_update", record.pk)
    html = signed_in(rep).get(url, headers=HTMX).content.decode()
    assert "counterparty_type" not in html
    assert address("counterparty_type", record.pk) in html
    values = {
        "counterparty_type": make_type("partner").pk,
        "name": "X",
        "country": "PL",
        "version": 1,
        "owner": rep.pk,
    }
    assert signed_in(rep).post(url, values).status_code == 302
    record.refresh_from_db()
    assert (record.name, record.counterparty_type.key) == ("X", "company")


def test_two_people_editing(rep, head, record, signed_in):
    edit_counterparty(counterparty=record, values={"name": "Theirs"}, version=1, by=head)
    values = {
        "counterparty_type": record.counterparty_type_id,
        "name": "Mine",
        "country": "PL",
        "version": 1,
        "owner": rep.pk,
        "phone": "221234567",
        "city": "Łódź",
        "attr_industry": "trade",
    }
    response = signed_in(rep).post(address("counterparty_update", record.pk), values)
    assert response.status_code == 409
    record.refresh_from_db()
    assert record.name == "Theirs"
    assert (
        signed_in(rep).post(address("counterparty_update", record.pk), {**values, "version": 2}).status_code
        == 302
    )
    record.refresh_from_db()
    assert record.name == "Mine"


def test_contact_for_a_counterparty(rep, record, signed_in):
    client, url = signed_in(rep), address("contact_create")
    html = client.get(url, {"counterparty": record.pk}).content.decode()
    assert f'value="{record.pk}"' in html and "Łódź Sp. z o.o." in html
    values = {"first_name": "Ola", "counterparty": record.pk, "role": "buys"}
    response = client.post(url, values, headers=HTMX)
    assert response.status_code == 204 and "contacts-changed" in response["HX-Trigger"]
    link = ContactLink.objects.get()
    assert (str(link.contact), link.counterparty, link.role, link.is_primary) == ("Ola", record, "buys", True)
    assert client.post(url, {"phone": "601234567"}).status_code == 422


def test_contact_for_a_hidden_counterparty(rep, outsider, signed_in):
    hidden = make_counterparty(outsider, name="Hidden Ltd")
    client, url = signed_in(rep), address("contact_create")
    assert "Hidden Ltd" not in client.get(url, {"counterparty": hidden.pk}).content.decode()
    assert client.post(url, {"first_name": "Ola", "counterparty": hidden.pk}).status_code == 422
    assert not Contact.objects.exists()


def test_linking_and_unlinking(rep, outsider, record, signed_in):
    client = signed_in(rep)
    single = make_contact(rep, last_name="Single")
    url = address("counterparty_link", record.pk)
    assert client.post(url, {"other": make_contact(outsider).pk}).status_code == 422
    assert client.post(url, {"other": single.pk, "role": "pays"}).status_code == 302
    link = ContactLink.objects.get()
    assert (link.contact, link.role) == (single, "pays")
    assert client.post(address("link_delete", link.pk)).url == address("counterparty_detail", record.pk)
    assert not ContactLink.objects.exists()
    assert client.post(address("contact_link", single.pk), {"other": record.pk}).status_code == 302


def test_options_by_fragments(rep, outsider, record, person, signed_in):
    client, url = signed_in(rep), address("counterparty_options")
    make_counterparty(outsider, name="Łódź Hidden")
    for text in ("lodz", "22 123-45", "ŁÓDŹ sp"):
        html = client.get(url, {"q": text}).content.decode()
        assert html.count("data-value") == 1 and f'data-value="{record.pk}"' in html
    assert "data-value" not in client.get(url, {"q": ""}).content.decode()
    assert (
        f'data-value="{person.pk}"'
        in client.get(address("contact_options"), {"q": "601 234"}).content.decode()
    )
    for number in range(25):
        make_counterparty(rep, name=f"Many {number}")
    assert client.get(url, {"q": "many"}).content.decode().count("data-value") == 20


def test_duplicates_while_typing(rep, outsider, record, person, signed_in):
    make_counterparty(outsider, name="Hidden", email="h@h.example")
    client = signed_in(rep)
    html = client.get(
        address("counterparty_duplicates"), {"phone": "22/123 45 67", "email": "H@h.example"}
    ).content.decode()
    assert "Łódź Sp. z o.o." in html and "Hidden" not in html and str(outsider) in html
    html = client.get(
        address("contact_duplicates"), {"first_name": "łukasik", "last_name": "JAN"}
    ).content.decode()
    assert "Jan Łukasik" in html
    assert (
        client.get(address("counterparty_duplicates"), {"phone": "2", "tax_number": "52602"})
        .content.decode()
        .strip()
        == ""
    )
