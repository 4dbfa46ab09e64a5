"""Another deal like this one: what goes along, what stays, and who may."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from counterparties.models import Contact
from crm.history.models import Event
from crm.people.models import FieldRule
from deals.cloning import clone_deal
from deals.lines import add_line
from deals.models import Deal, DealContact
from deals.services import request_stage
from tests.factories.counterparties import make_contact
from tests.factories.deals import make_deal, make_stage


@pytest.fixture
def deal(rep):
    deal = make_deal(
        rep,
        name="Line 1",
        close_date=date(2030, 1, 1),
        attributes={"source_note": "fair"},
        contacts=[make_contact(rep)],
    )
    DealContact.objects.update(role="buyer")
    add_line(deal=deal, name="Pump", quantity=Decimal(2), unit_price=Decimal(150), by=rep)
    request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    return Deal.objects.get(pk=deal.pk)


def test_client_people_attributes_and_lines_go_along(deal, rep):
    made = clone_deal(deal=deal, name="Line 2", by=rep)
    assert (made.name, made.counterparty, made.stage.key, made.owner) == (
        "Line 2",
        deal.counterparty,
        "qualification",
        rep,
    )
    assert (made.attributes, made.amount, made.close_date) == ({"source_note": "fair"}, deal.amount, None)
    assert [(row.contact, row.role) for row in made.deal_contacts.all()] == [(Contact.objects.get(), "buyer")]
    assert [(line.name, line.quantity, line.unit_price) for line in made.lines.all()] == [("Pump", 2, 150)]
    event = Event.objects.get(kind="deal_cloned")
    assert {(link.kind, link.record_id) for link in event.links.all()} >= {
        ("deals.deal", deal.pk),
        ("deals.deal", made.pk),
    }
    assert made.number != deal.number


def test_what_one_may_not_see_is_not_copied(deal, rep):
    for field in ("amount", "attr_source_note"):
        FieldRule.objects.create(role=rep.roles.get(), kind="deals.deal", field=field, level="hidden")
    by = type(rep).objects.get(pk=rep.pk)
    made = clone_deal(deal=deal, name="Line 2", by=by)
    assert (made.amount, made.attributes, made.lines.count()) == (None, {}, 0)


def test_only_who_sees_the_deal_and_may_open_one(deal, outsider, rep, signed_in):
    with pytest.raises(PermissionDenied):
        clone_deal(deal=deal, name="x", by=outsider)
    assert signed_in(outsider).get(f"/deals/{deal.pk}/clone/").status_code == 404
    client = signed_in(rep)
    assert "Line 1 (copy)" in client.get(f"/deals/{deal.pk}/clone/").content.decode()
    assert client.post(f"/deals/{deal.pk}/clone/", {"name": ""}).status_code == 422
    answer = client.post(f"/deals/{deal.pk}/clone/", {"name": "Line 3"})
    assert answer["Location"] == f"/deals/{Deal.objects.get(name='Line 3').pk}/"
