"""Recordings: fetched by a job, heard piece by piece and on record, kept, held and purged."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Event
from crm.people.models import RoleScope, User
from telephony import recordings
from telephony.models import Recording, RecordingHold
from telephony.sounds import tune_of
from telephony.views.recordings import NotInFile, range_of
from tests.factories.telephony import make_connection, play_flow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
State = Recording.Fetching


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


@pytest.fixture
def recording(connection, run_jobs) -> Recording:
    call = play_flow(connection, "incoming_recorded")
    run_jobs()
    return call.recordings.get()


def sound(recording) -> str:
    return reverse("telephony:recording_sound", args=[recording.pk])


def listenings() -> int:
    return Event.objects.filter(kind="recording_heard").count()


def files(folder) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_it_is_fetched_once_and_stored_with_its_hash(recording, connection, run_jobs, store):
    data = tune_of("c-1.wav")
    assert (recording.state, recording.size, recording.content_type) == (State.STORED, len(data), "audio/wav")
    assert recording.sha256 == hashlib.sha256(data).hexdigest()
    play_flow(connection, "incoming_recorded")
    run_jobs()
    assert (files(store), Recording.objects.count()) == (1, 1)


def test_it_is_heard_in_pieces_and_each_listening_is_on_record(recording, rep, signed_in):
    client, data = signed_in(rep), tune_of("c-1.wav")
    whole = client.get(sound(recording))
    assert (whole.status_code, b"".join(whole.streaming_content), listenings()) == (200, data, 1)
    assert whole["Cache-Control"] == "private, no-store"
    first = client.get(sound(recording), headers={"Range": "bytes=0-99"})
    assert (first.status_code, b"".join(first.streaming_content)) == (206, data[:100])
    assert first["Content-Range"] == f"bytes 0-99/{len(data)}"
    rest = client.get(
        sound(recording), headers={"Range": f"bytes={len(data) - 10}-", "If-Range": whole["ETag"]}
    )
    assert (rest.status_code, b"".join(rest.streaming_content), listenings()) == (206, data[-10:], 2)
    other = client.get(sound(recording), headers={"Range": "bytes=5-9", "If-Range": '"another"'})
    assert (other.status_code, other["Content-Length"]) == (200, str(len(data)))
    beyond = client.get(sound(recording), headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(data)}")
    assert client.head(sound(recording))["Content-Length"] == str(len(data))
    assert listenings() == 3
    heard = Event.objects.filter(kind="recording_heard").first()
    assert (heard.actor, heard.payload) == (rep, {"recording": recording.pk})
    page = client.get(
        reverse("history:card_history", args=["telephony.call", recording.call_id]), headers=HTMX
    )
    assert page.content.decode().count("listened to the recording") == 3


def test_who_begins_in_the_middle_has_listened_too(recording, rep, signed_in):
    assert signed_in(rep).get(sound(recording), headers={"Range": "bytes=1-"}).status_code == 206
    assert listenings() == 1


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("bytes=0-4", (0, 4)), ("bytes=3-", (3, 9)), ("bytes=-2", (8, 9)), ("bytes=-99", (0, 9)),
        ("bytes=8-99", (8, 9)), ("", None), ("bytes=4-2", None), ("bytes=0-1,4-5", None), ("items=0-1", None),
        ("bytes=-", None), ("bytes=a-b", None),
    ],
)  # fmt: skip
def test_ranges(given, found):
    assert range_of(given, 10) == found


@pytest.mark.parametrize("given", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_ranges_behind_the_end(given):
    with pytest.raises(NotInFile):
        range_of(given, 10)


def test_seeing_a_call_is_not_enough_to_hear_it(recording, rep, teammate, outsider, head, signed_in):
    RoleScope.objects.filter(kind="telephony.call", action="listen", role__key="seller").delete()
    detail = reverse("telephony:call_detail", args=[recording.call_id])
    client = signed_in(User.objects.get(pk=rep.pk))
    page = client.get(detail).content.decode()
    assert ("your role may not listen" in page, "<audio" in page) == (True, False)
    assert [
        client.get(sound(recording)).status_code,
        signed_in(outsider).get(sound(recording)).status_code,
    ] == [403, 404]
    assert signed_in(head).get(sound(recording)).status_code == 200
    assert "<audio" in signed_in(head).get(detail).content.decode()
    for name in ("call_hold", "call_release", "call_purge"):
        url = reverse(f"telephony:{name}", args=[recording.call_id])
        assert signed_in(rep).post(url, {"reason": "x"}).status_code == 403
    assert (listenings(), RecordingHold.objects.count(), Recording.objects.get().state) == (
        1,
        0,
        State.STORED,
    )


def test_a_hold_blocks_every_purge_until_it_is_let_go(
    recording, connection, admin_user, signed_in, run_jobs, store
):
    client, call = signed_in(admin_user), recording.call
    hold, purge = (reverse(f"telephony:{name}", args=[call.pk]) for name in ("call_hold", "call_purge"))
    assert client.post(hold, {"reason": " "}, headers=HTMX).status_code == 422
    assert client.post(hold, {"reason": "Case 12/26"}, headers=HTMX).status_code == 204
    assert client.post(purge, headers=HTMX).status_code == 422
    Recording.objects.update(created_at=timezone.now() - timedelta(days=181))
    assert (recordings.purge_outdated(9), files(store)) == (0, 1)
    client.post(reverse("telephony:call_release", args=[call.pk]), headers=HTMX)
    assert recordings.purge_outdated(9) == 1
    run_jobs()
    recording.refresh_from_db()
    assert (recording.state, bool(recording.content), files(store)) == (State.PURGED, False, 0)
    assert client.get(sound(recording)).status_code == 404
    kinds = ["recording_held", "recording_released", "recording_purged"]
    events = Event.objects.filter(kind__in=kinds).order_by("pk")
    assert [event.kind for event in events] == kinds
    assert events[0].payload == {"note": "Case 12/26"}


def test_days_are_those_of_the_connection_and_a_hand_is_quicker(
    recording, connection, admin_user, signed_in, run_jobs, store
):
    Recording.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert recordings.purge_outdated(9) == 0
    assert (
        signed_in(admin_user)
        .post(reverse("telephony:call_purge", args=[recording.call_id]), headers=HTMX)
        .status_code
        == 204
    )
    run_jobs()
    assert (files(store), Event.objects.get(kind="recording_purged").actor) == (0, admin_user)


# From a provider over HTTP


class Exchange(BaseHTTPRequestHandler):
    answers: list[tuple[int, bytes]] = []

    def do_GET(self) -> None:
        status, body = self.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def exchange():
    server = HTTPServer(("127.0.0.1", 0), Exchange)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_from_the_host_of_the_connection_patiently_and_only_sound(
    exchange, connection, run_jobs, rep, signed_in
):
    connection.provider = "webhook"
    connection.settings = connection.settings | {
        "recordings": f"http://127.0.0.1:{exchange.server_port}/{{file}}"
    }
    connection.save()
    Exchange.answers = [(404, b""), (200, b"<html>"), (200, tune_of("x"))]
    call = play_flow(connection, "incoming_recorded")
    run_jobs()
    recording = call.recordings.get()
    assert (recording.state, recording.tries, len(Exchange.answers)) == (State.WAITING, 1, 2)
    run_jobs(now=timezone.now() + timedelta(minutes=2))
    recording.refresh_from_db()
    assert (recording.state, recording.failure) == (State.FAILED, "What the provider sent is no sound.")
    client = signed_in(rep)
    assert "Try again" in client.get(reverse("telephony:call_detail", args=[call.pk])).content.decode()
    client.post(reverse("telephony:recording_retry", args=[recording.pk]), headers=HTMX)
    run_jobs(now=timezone.now() + timedelta(minutes=2))
    recording.refresh_from_db()
    assert recording.state == State.STORED


def test_a_provider_without_recordings_says_so(connection, run_jobs):
    connection.provider = "webhook"
    connection.save()
    call = play_flow(connection, "incoming_recorded")
    run_jobs()
    recording = call.recordings.get()
    assert (recording.state, recording.failure) == (
        State.FAILED, "The connection does not say where the recordings lie."
    )  # fmt: skip
