"""Conversion: one transaction, the history goes along, twice is once."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from counterparties.models import Contact, Counterparty
from crm.history.cards import card_history
from crm.history.models import Event
from crm.listing.tags.services import change_tags, make_tag, tags_of
from deals.models import Deal
from leads.models import LeadStatus
from leads.services import Conversion, convert_lead, disqualify_lead
from leads.signals import lead_converted
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.deals import make_deal_type
from tests.factories.leads import make_lead, make_reason


@pytest.fixture
def lead(rep):
    return make_lead(
        rep, phone="601 234 567", email="Ewa@huta.example", tax_number="526-025-02-74", position="CFO"
    )


def kinds_on(user, record):
    return [line.event.kind for line in card_history(user=user, record=record).lines]


def test_new_records_take_over_what_the_lead_knows(rep, lead):
    make_deal_type()
    made = convert_lead(
        lead=lead,
        by=rep,
        counterparty_type=make_type(),
        contact_values={"first_name": "Ewa", "last_name": "Nowak"},
        deal_values={"name": "Furnace", "amount": Decimal("1000.50")},
    )
    client = made.counterparty
    assert (client.name, client.phone, client.tax_number) == (
        "Huta Żelazna S.A.",
        "+48601234567",
        "5260250274",
    )
    assert str(made.contact) == "Ewa Nowak"
    assert made.contact.links.get().counterparty == client
    assert (made.contact.links.get().role, made.contact.links.get().is_primary) == ("CFO", True)
    assert (made.deal.counterparty, made.deal.amount, list(made.deal.contacts.all())) == (
        client,
        Decimal("1000.50"),
        [made.contact],
    )
    lead.refresh_from_db()
    assert (lead.status, lead.counterparty, lead.contact, lead.deal) == (
        LeadStatus.QUALIFIED,
        client,
        made.contact,
        made.deal,
    )
    assert lead.converted_at == lead.first_response_at


def test_tags_go_to_what_is_new_only(rep, lead):
    make_deal_type()
    client = make_counterparty(rep)
    change_tags(records=[lead], add=[make_tag(name="Hot")], by=rep)
    made = convert_lead(lead=lead, by=rep, counterparty=client, deal_values={"name": "Furnace"})
    found = tags_of("deals.deal", [made.deal.pk])
    assert [tag.name for tag in found[made.deal.pk]] == ["Hot"]
    assert tags_of("counterparties.counterparty", [client.pk]) == {}


def test_history_of_the_lead_stands_on_what_it_became(rep, lead):
    made = convert_lead(
        lead=lead, by=rep, counterparty_type=make_type(), contact_values={"last_name": "Nowak"}
    )
    assert kinds_on(rep, made.counterparty) == [
        "lead_converted",
        "contact_linked",
        "contact_created",
        "counterparty_created",
        "lead_created",
    ]
    assert {"lead_created", "lead_converted"} <= set(kinds_on(rep, made.contact))


def test_twice_gives_what_the_first_made(rep, lead):
    first = convert_lead(lead=lead, by=rep, counterparty_type=make_type())
    again = convert_lead(lead=lead, by=rep, counterparty_type=make_type())
    assert again == Conversion(first.counterparty, None, None, is_new=False)
    assert Counterparty.objects.count() == 1


def test_an_existing_counterparty_and_contact_are_taken(rep, lead):
    client, person = make_counterparty(rep), make_contact(rep)
    made = convert_lead(lead=lead, by=rep, counterparty=client, contact=person)
    assert (made.counterparty, made.contact, made.deal) == (client, person, None)
    assert client.contact_links.get().contact == person


def test_a_counterparty_out_of_sight_is_refused(rep, outsider, lead):
    with pytest.raises(PermissionDenied):
        convert_lead(lead=lead, by=rep, counterparty=make_counterparty(outsider))


def test_records_go_to_the_owner_of_the_lead(rep, head, lead):
    make_deal_type()
    made = convert_lead(
        lead=lead,
        by=head,
        counterparty_type=make_type(),
        contact_values={"last_name": "Nowak"},
        deal_values={},
    )
    assert {made.counterparty.owner, made.contact.owner, made.deal.owner} == {rep}


def test_a_failing_part_leaves_nothing(rep, lead):
    make_deal_type()
    events = Event.objects.count()
    with pytest.raises(ValidationError):
        convert_lead(
            lead=lead,
            by=rep,
            counterparty_type=make_type(),
            deal_values={"name": "x", "amount": Decimal(10) ** 14},
        )
    lead.refresh_from_db()
    assert (lead.status, Counterparty.objects.count(), Event.objects.count()) == (LeadStatus.NEW, 0, events)


def test_a_receiver_that_fails_rolls_everything_back(rep, lead):
    def fail(**kwargs):
        raise RuntimeError

    lead_converted.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            convert_lead(lead=lead, by=rep, counterparty_type=make_type())
    finally:
        lead_converted.disconnect(fail)
    assert Counterparty.objects.count() == 0


def test_a_lead_that_was_given_up_is_reopened_first(rep, lead):
    disqualify_lead(lead=lead, reason=make_reason(), by=rep)
    with pytest.raises(ValidationError):
        convert_lead(lead=lead, by=rep, counterparty_type=make_type())


def test_teammates_see_but_do_not_convert(teammate, lead):
    with pytest.raises(PermissionDenied):
        convert_lead(lead=lead, by=teammate, counterparty_type=make_type())


def values_of(response):
    """What a browser would send from the form of a conversion."""
    forms = response.context["forms"]
    values = {"counterparty": forms.client_choice, "contact": forms.person_choice}
    if forms.makes_deal:
        values["deal"] = "on"
    for part in (forms.client, forms.person, forms.deal):
        for bound in part:
            value = bound.value()
            values[bound.html_name] = "" if value is None else getattr(value, "pk", value)
    return values


def test_the_form_with_its_defaults(rep, lead, signed_in):
    make_type()
    make_deal_type()
    client = signed_in(rep)
    url = reverse("leads:lead_conversion", args=[lead.pk])
    response = client.get(url)
    assert response.status_code == 200
    response = client.post(url, values_of(response))
    deal = Deal.objects.get()
    assert (response.status_code, response.url) == (302, reverse("deals:deal_detail", args=[deal.pk]))
    assert (deal.name, deal.counterparty.name, str(Contact.objects.get())) == (
        "Huta Żelazna S.A.",
        "Huta Żelazna S.A.",
        "Ewa Ślusarczyk",
    )
    assert client.post(url, {}).url == response.url
    assert Counterparty.objects.count() == 1


def test_the_same_client_is_offered_first(rep, lead, signed_in):
    found = make_counterparty(rep, name="Huta", tax_number="5260250274")
    make_counterparty(rep, name="HUTA ŻELAZNA sp. z o.o.")
    forms = signed_in(rep).get(reverse("leads:lead_conversion", args=[lead.pk])).context["forms"]
    assert [one.record.name for one in forms.clients] == ["Huta", "HUTA ŻELAZNA sp. z o.o."]
    assert (forms.client_choice, forms.person_choice, forms.makes_deal) == (str(found.pk), "new", False)


def test_a_client_out_of_sight_is_only_mentioned(rep, outsider, lead, signed_in):
    hidden = make_counterparty(outsider, name="Secret Name", tax_number="5260250274")
    client, url = signed_in(rep), reverse("leads:lead_conversion", args=[lead.pk])
    response = client.get(url)
    assert "Secret Name" not in response.content.decode()
    assert str(outsider) in response.content.decode()
    response = client.post(url, {"counterparty": hidden.pk, "contact": "none"})
    assert response.status_code == 422
    response = client.post(url, {"counterparty": "other", "other": hidden.pk, "contact": "none"})
    assert response.status_code == 422
    assert Counterparty.objects.count() == 1


def test_another_type_shows_its_attributes(rep, lead, signed_in):
    partner = make_type("partner")
    url = reverse("leads:lead_conversion", args=[lead.pk])
    response = signed_in(rep).get(
        url,
        {"counterparty": "new", "contact": "none", "c-counterparty_type": partner.pk, "c-name": "Typed"},
        headers={"HX-Request": "true"},
    )
    html = response.content.decode()
    assert 'name="c-attr_level"' in html and 'value="Typed"' in html
    assert "<html" not in html


def test_a_required_attribute_is_demanded(rep, lead, signed_in):
    partner = make_type("partner")
    values = {
        "counterparty": "new",
        "contact": "none",
        "c-counterparty_type": partner.pk,
        "c-name": "Partner",
    }
    url = reverse("leads:lead_conversion", args=[lead.pk])
    assert signed_in(rep).post(url, values).status_code == 422
    assert signed_in(rep).post(url, {**values, "c-attr_level": "gold"}).status_code == 302
    assert Counterparty.objects.get().attributes["level"] == "gold"


def test_access(teammate, outsider, lead, signed_in):
    url = reverse("leads:lead_conversion", args=[lead.pk])
    assert signed_in(outsider).get(url).status_code == 404
    assert signed_in(teammate).get(url).status_code == 403
    assert signed_in(teammate).post(url).status_code == 403
