"""Connections are set up in the administration."""

import re

import pytest
from django.urls import reverse

from telephony.models import Connection, Extension
from tests.factories.asterisk import TRUNK, Asterisk

OWN = {
    "name": "Office", "is_active": "on", "region": "PL", "time_zone": "Europe/Warsaw", "lead_rule": "hand",
    "lines": "", "ignored": "",
}  # fmt: skip
NO_ROWS = {f"extensions-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
CHANGE = "admin:telephony_connection_change"


@pytest.fixture
def page(signed_in, admin_user):
    return signed_in(admin_user)


@pytest.fixture
def connection(page):
    answer = page.post(
        reverse("admin:telephony_connection_add"), {**OWN, "provider": "asterisk"}, follow=True
    )
    assert answer.status_code == 200
    return Connection.objects.get()


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def save(page, connection, port, **more):
    values = {"host": "127.0.0.1", "port": port, "username": "crm", "technology": "PJSIP", "context": "from-internal",
              "plus": "+", "trunks": TRUNK, "secret": "s3cret"}  # fmt: skip
    data = {f"setting_{name}": value for name, value in {**values, **more}.items()}
    return page.post(reverse(CHANGE, args=[connection.pk]), {**OWN, **NO_ROWS, **data})


def test_its_address_is_told_once(page, admin_user):
    answer = page.post(reverse("admin:telephony_connection_add"), {**OWN, "provider": "zadarma"}, follow=True)
    connection = Connection.objects.get()
    (secret,) = re.findall(rf"/telephony/hook/{connection.uuid}/([^/]+)/", " ".join(messages_of(answer)))
    assert connection.is_secret(secret) and connection.author == admin_user
    assert secret not in page.get(reverse(CHANGE, args=[connection.pk])).content.decode()


def test_settings_and_self_test(page, connection, rep):
    with Asterisk() as exchange:
        assert save(page, connection, exchange.port).status_code == 302
        Extension.objects.create(connection=connection, number="101", user=rep)
        data = {"action": "test", "_selected_action": [connection.pk]}
        answer = page.post(reverse("admin:telephony_connection_changelist"), data, follow=True)
        told = [text for text in messages_of(answer) if text.startswith("Office: ")]
        assert len(told) == 7 and "Asterisk Call Manager" in told[0]


def test_a_secret_goes_in_and_never_comes_out(page, connection):
    save(page, connection, 5038, secret="hush-hush")
    assert "hush-hush" not in page.get(reverse(CHANGE, args=[connection.pk])).content.decode()
    save(page, connection, 5039, secret="")
    connection.refresh_from_db()
    assert (connection.settings["secret"], connection.settings["port"]) == ("hush-hush", "5039")
    assert "hush-hush" not in connection.sealed


def test_a_missing_setting_is_asked_for(page, connection):
    assert save(page, connection, 5038, host="").status_code == 200
    connection.refresh_from_db()
    assert connection.settings == {}


def test_nobody_else_enters(signed_in, rep):
    assert signed_in(rep).get(reverse("admin:telephony_connection_changelist")).status_code in {302, 403, 404}
