"""The address that providers post to: what is proved is stored, everything else is refused and leaves nothing."""

import json
import threading
import time

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from telephony.adapters.webhook import SIGNATURE, TIMESTAMP, WINDOW_SECONDS, signature, signed_headers
from telephony.models import Call, CallEvent
from telephony.simulator import PATH_SECRET, NotTaken, post
from tests.factories.telephony import events_of, make_connection


@pytest.fixture
def connection(db, admin_user, rep):
    return make_connection(admin_user, [rep])


def address(connection, secret: str = "") -> str:
    return reverse("telephony:hook", args=[connection.uuid, secret or connection.settings[PATH_SECRET]])


def send(connection, body, *, headers=None, client=None, secret: str = "", **extra):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if headers is None:
        headers = signed_headers(connection.settings["signing_key"], raw)
    client = client or Client(raise_request_exception=False)
    return client.post(
        address(connection, secret), raw, content_type="application/json", headers=headers, **extra
    )


def nothing() -> bool:
    return not CallEvent.objects.exists() and not Call.objects.exists()


def test_a_signed_event_becomes_a_call(connection):
    answer = send(connection, events_of("incoming_answered")[0])
    assert (answer.status_code, answer.json()) == (200, {"events": 1, "changed": 1})
    assert Call.objects.get().number == "+48601234567"


def test_the_simulator_goes_the_same_way(connection):
    assert post(connection, events_of("incoming_missed")) == {"events": 4, "changed": 1}
    connection.is_active = False
    connection.save()
    with pytest.raises(NotTaken, match="404"):
        post(connection, events_of("incoming_missed"))


def test_the_signature_is_a_published_hmac(connection):
    """The example of docs/telephony.md."""
    assert signature("0123456789abcdef", "1767225600", b'{"call":"1"}') == (
        "189b81465189cf32a21c5bcdbf22ee61775a449061e4bdbdc9035f82f07bcd8d"
    )


@pytest.mark.parametrize("forge", ["none", "wrong", "other body", "no time", "stale", "future", "odd time"])
def test_what_is_forged_or_stale_is_refused_without_a_word(connection, forge):
    body = json.dumps(events_of("incoming_answered")[0]).encode()
    key = connection.settings["signing_key"]
    good = signed_headers(key, body)
    headers = {
        "none": {},
        "wrong": good | {SIGNATURE: "0" * 64},
        "other body": signed_headers(key, body + b" "),
        "no time": {SIGNATURE: good[SIGNATURE]},
        "stale": signed_headers(key, body, time.time() - WINDOW_SECONDS - 5),
        "future": signed_headers(key, body, time.time() + WINDOW_SECONDS + 5),
        "odd time": good | {TIMESTAMP: "٣"},
    }[forge]
    answer = send(connection, body, headers=headers)
    assert (answer.status_code, answer.json()) == (403, {})
    assert nothing()


def test_a_wrong_secret_or_connection_does_not_exist(connection):
    assert send(connection, events_of("incoming_answered")[0], secret="guess").status_code == 404
    connection.is_active = False
    connection.save()
    assert send(connection, events_of("incoming_answered")[0]).status_code == 404
    assert nothing()


EVENT = {"call": "c", "event": "started", "at": "2026-03-02T09:00:00+00:00"}


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff\xfe", b"[]", b"7", b'"x"', b"null", b"[" * 60_000, {"events": []}, {"events": [7]},
        {"events": {}}, {"events": [EVENT] * 101}, {}, EVENT | {"call": ""}, EVENT | {"call": 7},
        EVENT | {"event": "exploded"},
        EVENT | {"event": []}, EVENT | {"at": "2026-03-02T09:00:00"}, EVENT | {"at": "yesterday"}, EVENT | {"at": 5},
        EVENT | {"at": "0001-01-01T00:00:00+00:00"}, EVENT | {"party": "x" * 81}, EVENT | {"party": "a\u0000b"},
        EVENT | {"party": "a\ud800"}, EVENT | {"seconds": -1}, EVENT | {"seconds": "5"}, EVENT | {"seconds": True},
        b'{"call":"c","event":"ended","at":"2026-03-02T09:00:00+00:00","seconds":1e999}',
        b'{"call":"c","event":"ended","at":"2026-03-02T09:00:00+00:00","seconds":NaN}', EVENT | {"role": "boss"},
        EVENT | {"result": "fine"}, EVENT | {"direction": "up"}, {"events": [EVENT, EVENT | {"call": None}]},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_not_stored(connection, body):
    answer = send(connection, body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert nothing()


def test_a_body_has_a_limit(connection):
    assert send(connection, b"x" * (64 * 1024 + 1)).status_code == 413
    assert nothing()


def test_only_posts(connection):
    assert Client().get(address(connection)).status_code == 405


def test_a_replay_within_its_time_changes_nothing(connection):
    raw = json.dumps({"events": events_of("incoming_answered")}).encode()
    headers = signed_headers(connection.settings["signing_key"], raw)
    assert send(connection, raw, headers=headers).json()["changed"] == 1
    assert send(connection, raw, headers=headers).json()["changed"] == 0
    assert CallEvent.objects.count() == 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_twenty_identical_deliveries_at_once_are_one_call(admin_user, rep):
    connection = make_connection(admin_user, [rep])
    raw = json.dumps({"events": events_of("incoming_answered")}).encode()
    headers = signed_headers(connection.settings["signing_key"], raw)
    answers, start = [], threading.Barrier(20)

    def deliver():
        start.wait()
        answers.append(send(connection, raw, headers=headers).status_code)
        database.close()

    threads = [threading.Thread(target=deliver) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 20
    assert (Call.objects.count(), CallEvent.objects.count(), Call.objects.get().talk_seconds) == (1, 7, 60)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_each_event_on_a_thread_of_its_own_is_the_same_call(admin_user, rep, teammate):
    connection = make_connection(admin_user, [rep, teammate])
    events = events_of("attended_transfer")
    start = threading.Barrier(len(events))
    answers = []

    def deliver(event):
        start.wait()
        answers.append(send(connection, event).status_code)
        database.close()

    threads = [threading.Thread(target=deliver, args=[event]) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    call = Call.objects.get()
    assert set(answers) == {200}
    assert (call.talk_seconds, call.result, call.legs.count()) == (99, "answered", 3)
