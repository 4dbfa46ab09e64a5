"""What contacts said about being reached, and what follows."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from counterparties.consents import latest_consents, may_reach, record_consent, refused_contacts
from crm.history.models import Event
from tests.factories.counterparties import make_contact

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def person(rep):
    return make_contact(rep)


def say(person, state, by, channel="email", **more):
    return record_consent(contact=person, channel=channel, state=state, source="fair", by=by, **more)


def test_the_latest_word_of_a_channel_holds(rep, person):
    assert may_reach(person, "email") and not may_reach(person, "email", needs_consent=True)
    say(person, "given", rep)
    assert may_reach(person, "email", needs_consent=True)
    say(person, "refused", rep, given_on=date(2026, 1, 2))
    say(person, "given", rep, channel="phone")
    assert not may_reach(person, "email") and may_reach(person, "phone")
    other = make_contact(rep, last_name="Other")
    assert refused_contacts("email", [person.pk, other.pk]) == {person.pk}
    held = latest_consents(person)
    assert {channel: one.state for channel, one in held.items()} == {"email": "refused", "phone": "given"}
    assert (held["email"].given_on, held["email"].recorded_by) == (date(2026, 1, 2), rep)
    kinds = Event.objects.filter(kind__startswith="consent").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["consent_given", "consent_refused", "consent_given"]


def test_refused(rep, teammate, person):
    with pytest.raises(PermissionDenied):
        say(person, "given", teammate)
    with pytest.raises(ValidationError):
        say(person, "given", rep, given_on=date.today() + timedelta(days=2))
    with pytest.raises(ValidationError):
        record_consent(contact=person, channel="email", state="given", source=" ", by=rep)
    with pytest.raises(ValidationError):
        say(person, "given", rep, channel="pigeon")


def test_page(rep, teammate, outsider, person, signed_in):
    url = reverse("counterparties:contact_consent", args=[person.pk])
    sent = {"channel": "email", "state": "refused", "given_on": "2026-01-02", "source": "by letter"}
    assert signed_in(outsider).post(url, sent).status_code == 404
    assert signed_in(teammate).post(url, sent).status_code == 403
    client = signed_in(rep)
    assert client.put(url).status_code == 405
    assert client.get(url, headers=HTMX).content.decode().strip().startswith("<form")
    assert client.post(url, {**sent, "source": ""}).status_code == 422
    assert client.post(url, sent).status_code == 302
    card = client.get(reverse("counterparties:contact_detail", args=[person.pk])).content.decode()
    assert "by letter" in card and "does not wish it" in card
