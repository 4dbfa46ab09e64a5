"""An edit is taken back field by field; what was changed since stays and is named."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from collab.calendar.services import edit_activity
from counterparties.services import edit_contact, edit_counterparty
from crm.attributes.models import Attribute, AttributeValue
from crm.history.models import Event
from crm.history.undoing import undo_event
from deals.models import Deal, StageTransition
from deals.services import edit_deal
from leads.services import edit_lead
from tests.factories.collab import in_hours, make_activity
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead, make_source


def last(kind: str) -> Event:
    return Event.objects.filter(kind=kind).latest("pk")


def outcome(plan):
    return [change.field for change in plan.back], [(one.change.field, one.reason) for one in plan.skipped]


def test_an_edit_of_a_deal_goes_back_with_its_ledger(rep):
    deal = make_deal(rep, amount=Decimal("100"), close_date=date(2027, 1, 31))
    edit_deal(
        deal=deal, version=deal.version, by=rep, attributes={"source_note": "fair"},
        values={"name": "New name", "amount": Decimal("250.5"), "close_date": None, "currency": deal.currency},
    )  # fmt: skip
    rows = StageTransition.objects.count()
    plan = undo_event(event=last("deal_changed"), by=rep)
    assert outcome(plan) == (["name", "amount", "close_date", "attr_source_note"], [])
    deal = Deal.objects.get()
    assert (deal.name, deal.amount, deal.close_date) == (
        "Service contract",
        Decimal("100"),
        date(2027, 1, 31),
    )
    assert deal.attributes == {}
    assert StageTransition.objects.count() == rows + 2
    event = last("deal_changed")
    assert (event.via, event.changes.count()) == ("undo", 4)


def test_what_was_changed_since_stays_and_is_named(rep, head):
    lead = make_lead(rep, city="Łódź")
    edit_lead(lead=lead, values={"city": "Kraków", "note": "x"}, version=lead.version, by=rep)
    event = last("lead_changed")
    edit_lead(lead=lead, values={"city": "Gdynia"}, version=lead.version, by=head)
    assert outcome(undo_event(event=event, by=rep)) == (["note"], [("city", "changed since")])
    lead.refresh_from_db()
    assert (lead.city, lead.note) == ("Gdynia", "")
    assert outcome(undo_event(event=event, by=rep)) == (
        [], [("city", "changed since"), ("note", "changed since")],
    )  # fmt: skip


def test_an_undo_is_undone(rep):
    company = make_counterparty(rep, city="Łódź")
    edit_counterparty(counterparty=company, values={"city": "Kraków"}, version=company.version, by=rep)
    undo_event(event=last("counterparty_changed"), by=rep)
    undo_event(event=last("counterparty_changed"), by=rep)
    company.refresh_from_db()
    assert (company.city, company.version) == ("Kraków", 4)


def test_attributes_of_every_kind_go_back_with_their_rows(rep):
    company = make_counterparty(rep)
    schema = company.counterparty_type.attribute_set
    for key, kind in [("u_money", "money"), ("u_number", "number"), ("u_date", "date"), ("u_flag", "bool")]:
        Attribute.objects.create(attribute_set=schema, key=key, name=key, kind=kind, filterable=True)
    old = {"u_money": "1250,50", "u_number": "1.5", "u_date": "2026-01-02", "u_flag": True}
    new = {"u_money": "3", "u_number": None, "u_date": "2027-01-02", "u_flag": False}
    edit_counterparty(counterparty=company, values={}, attributes=old, version=company.version, by=rep)
    before, rows = (
        dict(company.attributes),
        set(AttributeValue.objects.values_list("attribute", "number", "date")),
    )
    edit_counterparty(counterparty=company, values={}, attributes=new, version=company.version, by=rep)
    undo_event(event=last("counterparty_changed"), by=rep)
    company.refresh_from_db()
    assert company.attributes == before
    assert set(AttributeValue.objects.values_list("attribute", "number", "date")) == rows


def test_relations_go_back_and_a_new_owner_only_with_the_right_to_assign(rep, head, teammate):
    lead = make_lead(rep, source=make_source())
    edit_lead(lead=lead, values={"source": None, "owner": teammate}, version=lead.version, by=head)
    event = last("lead_changed")
    with pytest.raises(PermissionDenied):
        undo_event(event=event, by=rep)
    assert outcome(undo_event(event=event, by=head)) == (["source", "owner"], [])
    lead.refresh_from_db()
    assert (lead.source, lead.owner) == (make_source(), rep)


def test_contacts_and_activities_too(rep):
    contact, activity = make_contact(rep, position="Head"), make_activity(rep)
    edit_contact(contact=contact, values={"position": ""}, version=contact.version, by=rep)
    undo_event(event=last("contact_changed"), by=rep)
    was = activity.starts_at
    edit_activity(activity=activity, values={"starts_at": in_hours(5)}, version=activity.version, by=rep)
    undo_event(event=last("call_edited"), by=rep)
    contact.refresh_from_db()
    activity.refresh_from_db()
    assert (contact.position, activity.starts_at) == ("Head", was)


def test_the_button_shows_what_goes_back_and_does_it(rep, marketing, outsider, signed_in):
    lead = make_lead(rep, city="Łódź")
    edit_lead(lead=lead, values={"city": "Kraków"}, version=lead.version, by=rep)
    url = reverse("history:event_undo", args=[last("lead_changed").pk])
    story = reverse("history:card_history", args=["leads.lead", lead.pk])
    assert url in signed_in(rep).get(story).content.decode()
    assert url not in signed_in(marketing).get(story).content.decode()
    assert signed_in(marketing).post(url).status_code == 403
    assert signed_in(outsider).post(url).status_code == 404
    client = signed_in(rep)
    shown = client.get(url).content.decode()
    assert "<del>Kraków</del> → <ins>Łódź</ins>" in shown
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 422
    lead.refresh_from_db()
    assert lead.city == "Łódź"
    created = Event.objects.get(kind="lead_created")
    assert client.get(reverse("history:event_undo", args=[created.pk])).status_code == 404
