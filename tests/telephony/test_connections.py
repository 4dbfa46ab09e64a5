"""Administrators connect exchanges on pages of their own, see how they are, and are shown each secret once."""

import json
import re
import subprocess
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Event
from telephony.adapters.webhook import signed_headers
from telephony.health import delay_of
from telephony.models import Connection, Extension, Refusal
from tests.factories.asterisk import TRUNK, Asterisk
from tests.factories.telephony import make_connection, play_flow

pytestmark = pytest.mark.django_db
OWN = {
    "name": "Office", "region": "PL", "time_zone": "Europe/Warsaw", "lead_rule": "hand", "lines": "", "ignored": "",
    "retention_days": "180", "return_minutes": "60",
}  # fmt: skip
ASTERISK = {
    "host": "127.0.0.1", "port": "5038", "username": "crm", "technology": "PJSIP", "context": "from-internal",
    "plus": "+", "trunks": TRUNK, "secret": "hush-hush",
}  # fmt: skip
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(signed_in, admin_user):
    return signed_in(admin_user)


def url(name, connection=None):
    return reverse(f"telephony:{name}", args=[connection.pk] if connection else [])


def entered(**values):
    return OWN | {f"setting_{name}": value for name, value in values.items()}


def connect(page, kind, **values):
    answer = page.post(f"{url('connection_create')}?kind={kind}", entered(**values), follow=True)
    return answer, Connection.objects.get()


def test_a_webhook_is_connected_by_the_example_that_is_shown_once(page, admin_user, settings):
    kinds = page.get(url("connection_create")).content.decode()
    assert all(f"?kind={kind}" in kinds for kind in ("asterisk", "zadarma", "webhook", "simulator"))
    answer, connection = connect(page, "webhook", signing_key="", recordings="")
    shown = answer.content.decode()
    (secret,) = re.findall(rf"/telephony/hook/{connection.uuid}/([\w-]+)/</code>", shown)
    assert connection.is_secret(secret) and connection.author == admin_user
    key = connection.settings["signing_key"]
    assert key in shown
    again = page.get(url("connection_detail", connection)).content.decode()
    assert secret not in again and key not in again and "waits for its first event" in again
    body = json.dumps({"call": "1", "event": "started", "at": "2026-03-01T09:30:00+01:00"})
    hook = reverse("telephony:hook", args=[connection.uuid, secret])
    posted = page.post(hook, body, "application/json", headers=signed_headers(key, body.encode()))
    assert posted.status_code == 200
    assert "receives" in page.get(url("connection_health", connection), headers=HTMX).content.decode()
    page.post(hook, body, "application/json", headers=signed_headers("another", body.encode()))
    page.post(hook, body, "application/json", headers=signed_headers(key, body.encode(), at=1))
    page.post(hook, "{}", "application/json", headers=signed_headers(key, b"{}"))
    assert set(Refusal.objects.values_list("kind", "count")) == {
        ("forged", 1),
        ("stale", 1),
        ("malformed", 1),
    }
    assert (
        "wrong signature: 1" in page.get(url("connection_health", connection), headers=HTMX).content.decode()
    )


def test_the_example_is_a_script_that_posts_what_the_hook_takes(page, tmp_path):
    answer, _connection = connect(page, "webhook", signing_key="", recordings="")
    script = answer.context["example"]
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nfor one in "$@"; do printf "%s\\n" "$one"; done\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    given = done.stdout.splitlines()
    headers = dict(line.split(": ", 1) for line in given if line.startswith("X-Telephony"))
    address = next(line for line in given if "/telephony/hook/" in line)
    posted = page.post(
        "/telephony" + address.split("/telephony", 1)[1], given[-1], "application/json", headers=headers
    )
    assert (posted.status_code, posted.json()) == (200, {"events": 1, "changed": 1})


def test_settings_self_test_and_secrets_that_never_come_out(page, rep):
    with Asterisk() as exchange:
        _answer, connection = connect(
            page, "asterisk", **ASTERISK | {"port": str(exchange.port), "secret": "s3cret"}
        )
        page.post(url("extension_create", connection), {"number": "101", "user": rep.pk})
        tested = page.post(url("connection_check", connection), headers=HTMX).content.decode()
    assert "Asterisk Call Manager" in tested and tested.count("<li>") == 7
    update = url("connection_update", connection)
    assert "s3cret" not in page.get(update).content.decode()
    assert page.post(update, entered(**ASTERISK | {"host": ""})).status_code == 422
    page.post(update, entered(**ASTERISK) | {"rota": [rep.pk]})
    page.post(update, entered(**ASTERISK | {"secret": "", "port": "5039"}) | {"rota": [rep.pk]})
    connection.refresh_from_db()
    assert (connection.settings["secret"], connection.settings["port"]) == ("hush-hush", "5039")
    assert (list(connection.rota.all()), Extension.objects.get().user) == ([rep], rep)
    told = list(Event.objects.filter(subject_kind="telephony.connection").values_list("kind", "payload"))
    assert "hush-hush" not in str(told) and {kind for kind, _payload in told} == {
        "connection_added", "connection_changed"
    }  # fmt: skip


def test_a_new_address_ends_the_old_one_and_switching_off_ends_all(page):
    answer, connection = connect(page, "webhook", signing_key="k" * 20, recordings="")
    old = answer.context["address"]
    new = page.post(url("connection_secret", connection), follow=True).context["address"]
    body, path = "{}", lambda address: "/telephony" + address.split("/telephony", 1)[1]
    assert page.post(path(old), body, "application/json").status_code == 404
    assert page.post(path(new), body, "application/json").status_code == 403
    page.post(url("connection_switch", connection), {"on": "0"})
    assert page.post(path(new), body, "application/json").status_code == 404
    assert page.post(url("connection_switch", connection), {"on": "x"}).status_code == 400
    assert "switched off" in page.get(url("connection_list")).content.decode()


def test_a_simulator_plays_after_its_address_was_renewed(page, run_jobs):
    _answer, connection = connect(page, "simulator", signing_key="")
    page.post(url("connection_secret", connection))
    page.post(url("extension_create", connection), {"number": "101"})
    page.post(url("extension_create", connection), {"number": "102"})
    connection.refresh_from_db()
    assert connection.is_secret(connection.settings["path_secret"])
    first = Extension.objects.first()
    page.post(reverse("telephony:extension_delete", args=[first.pk]))
    assert Extension.objects.count() == 1


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    page, admin_user, rep, django_assert_max_num_queries
):
    connection = make_connection(admin_user, [rep])
    play_flow(connection, "incoming_answered", start=timezone.now() - timedelta(minutes=10))
    page.get(url("connection_list"))
    with django_assert_max_num_queries(10) as few:
        page.get(url("connection_list"))
    for place in range(9):
        make_connection(admin_user, name=f"Another {place}")
    with django_assert_max_num_queries(len(few)):
        shown = page.get(url("connection_list"))
    assert sorted(row.unmatched for row in shown.context["connections"]) == [0] * 9 + [1]
    assert delay_of(connection).is_skewed


@pytest.mark.parametrize(
    "name", ["connection_list", "connection_create", "connection_detail", "connection_update"]
)
def test_nobody_else_enters(signed_in, rep, head, admin_user, name):
    connection = make_connection(admin_user) if name in {"connection_detail", "connection_update"} else None
    assert [signed_in(user).get(url(name, connection)).status_code for user in (rep, head)] == [403, 403]
