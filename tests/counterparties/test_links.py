"""What a contact is at a counterparty, and when."""

from datetime import date

import pytest
from django.urls import reverse

from crm.history.models import Event
from tests.factories.counterparties import make_contact, make_counterparty

pytestmark = pytest.mark.django_db


def test_role_dates_and_primary(rep, teammate, outsider, signed_in):
    firm = make_counterparty(rep)
    first, second = make_contact(rep, counterparty=firm), make_contact(rep, last_name="B", counterparty=firm)
    link = second.links.get()
    url = reverse("counterparties:link_update", args=[link.pk])
    sent = {"role": " buys  here ", "since": "2025-01-01", "until": "2026-02-03", "is_primary": "on"}
    assert signed_in(outsider).post(url, sent).status_code == 404
    assert signed_in(teammate).get(url).status_code == 403
    client = signed_in(rep)
    assert client.get(url).status_code == 200 and client.put(url).status_code == 405
    assert client.post(url, {**sent, "until": "2024-01-01"}).status_code == 422
    assert client.post(url, sent).status_code == 302
    link.refresh_from_db()
    assert (link.role, link.since, link.until) == ("buys here", date(2025, 1, 1), date(2026, 2, 3))
    assert link.is_primary and not first.links.get().is_primary
    assert Event.objects.filter(kind="contact_link_changed").count() == 1
    assert client.post(url, sent).status_code == 302
    assert Event.objects.filter(kind="contact_link_changed").count() == 1
    panel = client.get(reverse("counterparties:counterparty_contacts", args=[firm.pk])).content.decode()
    assert "since 1 Jan" in panel and "until 3 Feb" in panel
