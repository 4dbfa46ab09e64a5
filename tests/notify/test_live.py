"""The stream of live events, over the real server: quick for those concerned, silent for everybody else."""

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
import urllib.request

import pytest

from tests.notify.conftest import ACTOR

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stream:
    """What a browser's EventSource does."""

    def __init__(self, port: int, session: str = "", *, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Cookie": f"sessionid={session}"} | ({"Last-Event-ID": last} if last else {})
        self.connection.request("GET", "/live/", headers=headers)
        self.response = self.connection.getresponse()
        self.last, self.arrived = "", queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while line := self.response.readline().decode():
                self.arrived.put(line.strip())
        except (OSError, ValueError, AttributeError):
            return

    def next_event(self, seconds: float = 5) -> dict:
        """The next event; raises queue.Empty when none comes in time."""
        end = time.monotonic() + seconds
        while True:
            line = self.arrived.get(timeout=max(0.001, end - time.monotonic()))
            if line.startswith("id:"):
                self.last = line[3:].strip()
            if line.startswith("data:"):
                return json.loads(line[5:])

    def events(self, seconds: float) -> list[dict]:
        """The events that arrive within this time."""
        found, end = [], time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.next_event(end - time.monotonic()))
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def server(live_place):
    people, port = json.loads(live_place.run(ACTOR, "setup")), free_port()
    live_place.start(ACTOR, "serve", str(port))
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    yield {"port": port, **people, "say": lambda *words: live_place.run(ACTOR, "say", *words)}
    live_place.stop_all()


def test_whoever_may_see_the_record_hears_within_two_seconds_and_nobody_else(server):
    insider = Stream(server["port"], server["insider"]["session"])
    stranger = Stream(server["port"], server["stranger"]["session"])
    assert (insider.response.status, stranger.response.status) == (200, 200)
    server["say"]("record")
    published = time.monotonic()
    expected = {"kind": "test.changed", "record": "people.department", "id": server["insider"]["department"]}
    assert insider.next_event() == expected
    assert time.monotonic() - published < 2
    assert stranger.events(1.5) == []
    insider.close()
    stranger.close()


def test_a_notification_wakes_only_its_reader(server):
    insider = Stream(server["port"], server["insider"]["session"])
    stranger = Stream(server["port"], server["stranger"]["session"])
    insider.events(0.5)
    server["say"]("notify")
    assert insider.next_event() == {"kind": "notification", "record": "", "id": None}
    assert stranger.events(1) == []
    insider.close()
    stranger.close()


def test_a_browser_that_was_away_gets_what_it_missed(server):
    stream = Stream(server["port"], server["insider"]["session"])
    server["say"]("person")
    assert stream.events(1.5)[-1] == {"kind": "test.personal", "record": "", "id": None}
    last = stream.last
    stream.close()
    server["say"]("record")
    again = Stream(server["port"], server["insider"]["session"], last=last)
    assert [event["kind"] for event in again.events(1)] == ["test.changed"]
    again.close()


def test_without_a_valid_session_there_is_no_stream(server):
    for session in ("", "nonsense"):
        stream = Stream(server["port"], session)
        assert stream.response.status == 401
        stream.close()


def test_pages_are_served_beside_the_streams(server):
    streams = [Stream(server["port"], server["insider"]["session"]) for _ in range(12)]
    with urllib.request.urlopen(f"http://127.0.0.1:{server['port']}/accounts/login/", timeout=5) as page:
        assert page.status == 200
    for stream in streams:
        stream.close()


def test_dismissed_people_get_no_new_stream(server):
    server["say"]("dismiss", "stranger")
    stream = Stream(server["port"], server["stranger"]["session"])
    assert stream.response.status == 401
    stream.close()
