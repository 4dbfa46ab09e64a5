"""One value changed where it stands: the right widget, 422 and 409 in place, nothing that is read-only."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.attributes.models import Attribute
from crm.history.models import Event
from crm.listing.cells import is_writable, plain_list
from crm.people.models import FieldRule
from crm.people.visibility import share
from leads.lists import LeadList
from leads.services import edit_lead
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead, make_source

FRAGMENT = {"HX-Request": "true"}


def address(record, field: str) -> str:
    return reverse("lists:cell_update", args=[record._meta.label_lower, record.pk, field])


def post(client, record, field: str, value, version=None):
    data = {"value": value, "version": version or record.version}
    return client.post(address(record, field), data, headers=FRAGMENT)


def test_values_of_every_kind(rep, teammate, signed_in):
    client, lead, deal = signed_in(rep), make_lead(rep), make_deal(rep)
    source = make_source()
    for record, field, value in [
        (lead, "city", "Łódź"), (lead, "phone", "22 123 45 67"), (lead, "source", str(source.pk)),
        (deal, "amount", "12 500,50"), (deal, "close_date", "2027-03-01"), (deal, "name", "Renamed"),
        (deal, "attr_source_note", "fair"),
    ]:  # fmt: skip
        assert client.get(address(record, field), headers=FRAGMENT).status_code == 200
        record.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            answer = post(client, record, field, value)
        assert (field, answer.status_code) == (field, 204)
        assert len(queries) <= 25, "\n".join(query["sql"][:150] for query in queries)
        assert "row-changed" in answer["HX-Trigger"]
    lead.refresh_from_db()
    deal.refresh_from_db()
    assert (lead.city, lead.phone, lead.source) == ("Łódź", "+48221234567", source)
    assert (deal.amount, deal.close_date, deal.name) == (Decimal("12500.50"), date(2027, 3, 1), "Renamed")
    assert deal.attributes == {"source_note": "fair"}


def test_what_does_not_fit_is_said_in_place(rep, signed_in):
    client, deal = signed_in(rep), make_deal(rep, amount=Decimal("10.00"))
    for field, value in [
        ("amount", "much"), ("amount", "1e999"), ("close_date", "2026-13-45"), ("name", ""), ("name", "\x00"),
        ("name", "x" * 1_000_000), ("amount", "9" * 40),
    ]:  # fmt: skip
        answer = post(client, deal, field, value)
        assert (field, value[:9], answer.status_code) == (field, value[:9], 422)
        assert b"field-error" in answer.content
    before = deal.version
    deal.refresh_from_db()
    assert (deal.version, deal.amount) == (before, Decimal("10.00"))


def test_the_same_field_changed_meanwhile(rep, teammate, signed_in):
    client, lead = signed_in(rep), make_lead(rep, city="Old")
    edit_lead(lead=lead, values={"city": "Theirs", "note": "n"}, version=1, by=rep)
    answer = post(client, lead, "city", "Mine", version=1)
    assert answer.status_code == 409
    assert b"Theirs" in answer.content
    assert f'name="version" value="{lead.version}"'.encode() in answer.content
    # Another field merges silently.
    assert post(client, lead, "position", "Director", version=1).status_code == 204
    lead.refresh_from_db()
    assert (lead.city, lead.position) == ("Theirs", "Director")
    assert post(client, lead, "city", "Mine").status_code == 204


@pytest.mark.parametrize(
    "field",
    [
        "owner__password",
        "status",
        "id",
        "deleted_at",
        "next",
        "created_at",
        "attr_nothing",
        "stage",
        "x" * 300,
    ],
)
def test_what_is_no_editable_field(rep, signed_in, field):
    deal = make_deal(rep)
    assert signed_in(rep).get(address(deal, field)).status_code in {403, 404}
    assert post(signed_in(rep), deal, field, "1").status_code in {403, 404}
    assert not Event.objects.filter(kind="deal_changed").exists()


def test_others_records(rep, outsider, signed_in):
    lead = make_lead(rep)
    assert signed_in(outsider).get(address(lead, "city")).status_code == 404
    assert post(signed_in(outsider), lead, "city", "X").status_code == 404
    share(record=lead, user=outsider, by=rep)
    assert post(signed_in(outsider), lead, "city", "X").status_code == 403
    assert signed_in(rep).put(address(lead, "city")).status_code == 405


def test_read_only_and_hidden_fields_are_not_offered(rep, signed_in):
    counterparty = make_counterparty(rep)
    role = rep.roles.first()
    FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="city", level="readonly")
    FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="note", level="hidden")
    rep.__dict__.pop("access", None)
    rows = plain_list("counterparties.counterparty", rep)
    writable = {one.key for one in rows.fields if is_writable(rows, one)}
    assert {"city", "note"} & writable == set()
    assert "name" in writable
    assert post(signed_in(rep), counterparty, "city", "X").status_code == 403
    assert post(signed_in(rep), counterparty, "note", "X").status_code == 404
    page = signed_in(rep).get(reverse("counterparties:counterparty_list")).content.decode()
    assert 'data-edit="name"' in page
    assert 'data-edit="city"' not in page


def test_handing_over_wants_its_right(rep, teammate, outsider, signed_in):
    deal = make_deal(rep)
    assert post(signed_in(rep), deal, "owner", str(outsider.pk)).status_code == 422
    assert post(signed_in(rep), deal, "owner", str(teammate.pk)).status_code == 204
    deal.refresh_from_db()
    assert deal.owner == teammate


def test_a_unique_attribute_says_who_has_it(rep, signed_in):
    first, second = make_deal(rep), make_deal(rep)
    schema = first.deal_type.attribute_set
    Attribute.objects.create(attribute_set=schema, key="order", name="Order", unique=True)
    assert post(signed_in(rep), first, "attr_order", "A-1").status_code == 204
    assert post(signed_in(rep), second, "attr_order", "a-1").status_code == 422


def test_one_row_is_drawn_anew_whatever_the_filter(rep, outsider, signed_in):
    lead, other = make_lead(rep, company="Ada"), make_lead(outsider)
    page = signed_in(rep).get(f"/leads/?f=city:has:warsaw&row={lead.pk}").content.decode()
    assert f'id="row-{lead.pk}"' in page
    assert LeadList(rep, QueryDict(f"row={other.pk}")).page == []


def test_only_rows_that_may_be_changed_offer_it(company, signed_in):
    own, foreign = make_lead(company["rep"], company="Own"), make_lead(company["outsider"], company="Foreign")
    share(record=foreign, user=company["rep"], by=company["outsider"])
    page = signed_in(company["rep"]).get("/leads/?tab=all").content.decode()
    assert f'<tr id="row-{own.pk}">' in page
    assert f'<tr id="row-{foreign.pk}" data-locked>' in page
