"""Zadarma's posts, over the hook, and what is asked of it."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from crm.operations.http import Answer, NotReached
from telephony.adapters import fetching, zadarma
from telephony.adapters.base import CannotCall
from telephony.adapters.fetching import NotYet
from telephony.models import Call, CallEvent, Connection, Extension, Recording

SECRET = "s3cr3t-of-the-account"
START = {
    "event": "NOTIFY_START", "call_start": "2026-03-02 09:00:00", "pbx_call_id": "in_1",
    "caller_id": "48600100200", "called_did": "48221234567",
}  # fmt: skip
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture
def connection(admin_user, rep):
    found = Connection(
        name="Zadarma", provider="zadarma", author=admin_user, region="PL", time_zone="Europe/Warsaw"
    )
    found.settings = {"key": "k", "secret": SECRET}
    found.path_secret = found.new_secret()
    found.save()
    Extension.objects.create(connection=found, number="101", user=rep)
    return found


@pytest.fixture
def post(connection, client):
    def send(data, *, signature=None, path=None, status=200):
        url = reverse("telephony:hook", args=[connection.uuid, path or connection.path_secret])
        fields = zadarma.SIGNED.get(data.get("event"), ())
        text = "".join(data.get(name, "") for name in fields)
        digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).hexdigest()
        signed = base64.b64encode(digest.encode()).decode() if signature is None else signature
        answer = (
            client.post(url, data, headers={"Signature": signed})
            if data.get("event")
            else client.get(url, data)
        )
        assert answer.status_code == status, answer.content
        return answer

    return send


def event(name, **more):
    return {**START, "event": name, **more}


ANSWER = event("NOTIFY_ANSWER", destination="101", internal="101")
END = event("NOTIFY_END", disposition="answered", duration="42", internal="101", is_recorded="0")


def test_the_published_vector():
    """HMAC-SHA1 as hexadecimal text, then base64: what PHP's hash_hmac without raw output gives."""
    assert (
        zadarma.hex_signature("key", "The quick brown fox jumps over the lazy dog")
        == base64.b64encode(b"de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9").decode()
    )


def test_rest_signs_method_parameters_and_their_md5():
    params = {"to": "48600100200", "from": "101"}
    assert zadarma.query_of(params) == "from=101&to=48600100200"
    md5 = hashlib.md5(b"from=101&to=48600100200").hexdigest()
    text = f"/v1/request/callback/from=101&to=48600100200{md5}"
    assert (
        zadarma.authorization("k", "s", "/v1/request/callback/", params)
        == f"k:{zadarma.hex_signature('s', text)}"
    )


def test_the_question_of_the_set_up(post):
    assert post({"zd_echo": "abc123"}).content == b"abc123"
    post({"zd_echo": "<script>alert(1)</script>"}, status=400)


def test_an_answered_call(post, rep):
    for data in (START, event("NOTIFY_INTERNAL", internal="101"), ANSWER, END):
        post(data)
    call = Call.objects.get()
    assert (call.direction, call.result, call.number, call.line) == (
        "in",
        "answered",
        "+48600100200",
        "+48221234567",
    )
    assert (call.owner, call.started_at) == (rep, datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


def test_a_missed_call(post):
    for data in (
        START,
        event("NOTIFY_INTERNAL", internal="101"),
        event("NOTIFY_END", disposition="cancel", duration="0"),
    ):
        post(data)
    assert Call.objects.get().is_missed


def test_the_end_before_the_start(post):
    for data in (END, ANSWER, START):
        post(data)
    assert Call.objects.get().result == "answered"


def test_a_forged_end_does_not_beat_the_answer(post):
    """The signature of the start holds for it too: nothing but the address keeps it out, and it proves nothing."""
    post(START)
    post(ANSWER)
    post(event("NOTIFY_END", disposition="no answer", duration="0"))
    call = Call.objects.get()
    assert (call.result, call.is_missed) == ("answered", False)


def test_a_call_from_the_phone(post, rep):
    out = {
        "internal": "101",
        "destination": "48600100200",
        "pbx_call_id": "out_1",
        "caller_id": "48221234567",
    }
    post(event("NOTIFY_OUT_START", **out))
    post(event("NOTIFY_OUT_END", **out, disposition="busy", duration="0"))
    call = Call.objects.get()
    assert (call.direction, call.result, call.number, call.owner) == ("out", "busy", "+48600100200", rep)


def test_repeated_posts_change_nothing(post):
    post(START)
    first = CallEvent.objects.count()
    post(START)
    assert CallEvent.objects.count() == first and Call.objects.count() == 1


def test_a_recording_is_noted(post):
    post(START)
    post({"event": "NOTIFY_RECORD", "pbx_call_id": "in_1", "call_id_with_rec": "171.17"})
    assert Recording.objects.get().reference == "171.17"


@pytest.mark.parametrize("signature", ["", "x", "0" * 40])
def test_forged(post, signature):
    post(START, signature=signature, status=403)
    assert not Call.objects.exists()


def test_a_raw_digest_is_no_signature(post):
    text = START["caller_id"] + START["called_did"] + START["call_start"]
    raw = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()).decode()
    post(START, signature=raw, status=403)


def test_the_secret_of_the_address_is_demanded(post):
    post(START, path="guessed", status=404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"call_start": "yesterday"},
        {"call_start": "0001-01-01 00:00:00"},
        {"pbx_call_id": ""},
        {"pbx_call_id": "x" * 161},
        {"pbx_call_id": "a\x00b"},
        {"caller_id": "48600\r\nX: 1"},
    ],
)
def test_malformed(post, wrong):
    post({**START, **wrong}, status=400)
    assert not Call.objects.exists()


def test_a_wrong_duration(post):
    post({**END, "duration": "-1"}, status=400)
    post({**END, "duration": "٣"}, status=400)


def test_an_unknown_event_proves_nothing(post):
    post(event("NOTIFY_SOMETHING"), status=403)


@pytest.fixture
def answers(monkeypatch):
    """answers[...] = Answer or error for what is asked next; what has been asked."""
    told, asked = [], []

    def fetch(url, **more):
        asked.append((url, more))
        answer = told.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(zadarma, "fetch", fetch)
    monkeypatch.setattr(fetching, "fetch", fetch)
    return told, asked


def said(body, status=200):
    return Answer(status, {}, json.dumps(body).encode())


def call_of(connection, number="+48600100200"):
    return Call(
        connection=connection, number=number, number_raw=number, extension=connection.extensions.get()
    )


def test_calling_by_a_click(connection, answers):
    told, asked = answers
    told.append(said({"status": "success"}))
    assert connection.adapter.originate(call_of(connection)) == ""
    url, more = asked[0]
    assert url == "https://api.zadarma.com/v1/request/callback/?from=101&to=48600100200"
    assert more["headers"]["Authorization"].startswith("k:") and more["hosts"] == zadarma.HOSTS


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (said({"status": "error", "message": "No money"}, 403), "No money"),
        (said({}, 401), "key and secret"),
        (said({}, 429), "Too many"),
        (Answer(200, {}, b"<html>"), None),
        (NotReached("x"), "does not answer"),
    ],
)
def test_a_refusal_is_told(connection, answers, answer, text):
    answers[0].append(answer)
    if text is None:
        answers[0][0] = Answer(502, {}, b"<html>")
        text = "502"
    with pytest.raises(CannotCall, match=text):
        connection.adapter.originate(call_of(connection))


@pytest.mark.parametrize("number", ["600\r\nX: 1", "*97", ""])
def test_nothing_but_a_number_is_dialled(connection, answers, number):
    with pytest.raises(CannotCall):
        connection.adapter.originate(call_of(connection, number))
    assert answers[1] == []


def test_a_recording(connection, answers):
    answers[0][:] = [
        said({"status": "success", "link": "https://api.zadarma.com/r/1.wav"}),
        Answer(200, {}, WAV),
    ]
    assert connection.adapter.fetch_recording("171.17").read() == WAV


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/1.mp3",
        "http://api.zadarma.com/1.mp3",
        "https://127.0.0.1/1.mp3",
        "file:///etc/passwd",
    ],
)
def test_a_recording_elsewhere_is_not_fetched(connection, answers, link):
    answers[0].append(said({"status": "success", "link": link}))
    with pytest.raises(CannotCall):
        connection.adapter.fetch_recording("171.17")
    assert len(answers[1]) == 1


def test_a_recording_that_is_no_sound_or_not_ready(connection, answers):
    link = said({"status": "success", "link": "https://api.zadarma.com/r/1.wav"})
    answers[0][:] = [link, Answer(200, {}, b"<html>"), said({"status": "error"}, 404)]
    with pytest.raises(CannotCall, match="no sound"):
        connection.adapter.fetch_recording("171.17")
    with pytest.raises(NotYet):
        connection.adapter.fetch_recording("171.17")


def test_the_self_test(connection, answers):
    answers[0][:] = [
        said({"status": "success"}),
        said({"status": "success", "numbers": [100]}),
        said({}, 401),
    ]
    assert [result.ok for result in connection.adapter.check()] == [True, False]
    (refused,) = connection.adapter.check()
    assert not refused.ok and "anew" in refused.say
