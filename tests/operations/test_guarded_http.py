"""The way out over HTTP: no address of our own network in any spelling, nothing without limits."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail

from crm.jobs.run import JobDoubtful
from crm.operations import outgoing
from crm.operations.http import AddressRefused, AnswerLost, NotReached, checked, fetch, is_public
from crm.operations.registry import Context, OperationFailed, operation_named
from crm.people.models import FieldRule
from tests.factories.counterparties import make_counterparty


class Peer(BaseHTTPRequestHandler):
    """Answers by path; `seen` keeps what came."""

    seen: list = []

    def do_GET(self):
        type(self).seen.append((self.path, dict(self.headers)))
        if self.path == "/long":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 1_200_000)
        elif self.path == "/slow":
            self.send_response(200)
            for _each in range(100):
                self.wfile.write(b"X-Drip: 1\r\n")
                self.wfile.flush()
                time.sleep(0.1)
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((self.path, dict(self.headers), body))
        self.send_response(int(self.path.rpartition("/")[2] or 200))
        self.end_headers()

    def log_message(self, *_args):
        pass


@contextmanager
def peer():
    Peer.seen = []
    server = HTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(text):
    assert is_public(text) is False


def test_public_addresses():
    assert [is_public(text) for text in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[0:0:0:0:0:ffff:7f00:1]/", "http://localhost/",
        "http://0/", "http://user:pw@example.com/", "http://example.com@127.0.0.1/", "file:///etc/passwd",
        "gopher://127.0.0.1/", "//127.0.0.1/", "http://", "http://exa mple/", "http://a\r\nHost: b/",
        "http://example.com:0/", "http://example.com:99999/", "http://[::1", "http://e/" + "x" * 3000,
    ],
)  # fmt: skip
def test_refused_in_every_spelling(url):
    with pytest.raises((AddressRefused, NotReached)):
        fetch(url)
    assert Peer.seen is not None


def test_a_name_for_a_private_address_is_refused_also_beside_a_public_one():
    for addresses in (["10.0.0.7"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]):
        with pytest.raises(AddressRefused):
            fetch("http://hook.example/", resolver=lambda host, port, found=addresses: found)
    with pytest.raises(NotReached):
        fetch("http://hook.example/", resolver=lambda host, port: [])


def test_a_name_that_changes_after_the_check_gains_nothing(settings):
    """Asked once, and connected to what was checked."""
    with peer() as port:
        settings.CRM_HTTP_ALLOWED = [f"hook.example:{port}"]
        asked = []

        def rebinding(host, port):
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

        assert fetch(f"http://hook.example:{port}/", resolver=rebinding).body == b"ok"
        assert asked == ["hook.example"]
        assert Peer.seen[0][1]["Host"] == f"hook.example:{port}"


def test_each_redirect_is_checked_anew(settings):
    with peer() as port:
        settings.CRM_HTTP_ALLOWED = [f"hook.example:{port}"]

        def names(host, port):
            return ["127.0.0.1"] if host == "hook.example" else [host]

        base = f"http://hook.example:{port}"
        assert fetch(f"{base}/to//fine", resolver=names).body == b"ok"
        for target in ("http://127.0.0.1:9/", "http://169.254.169.254/latest", "file:///etc/passwd"):
            with pytest.raises(AddressRefused):
                fetch(f"{base}/to/{target}", resolver=names)
        assert fetch(f"{base}/302", method="POST", body=b"{}", resolver=names).status == 302


def test_limits_of_size_and_time(settings):
    with peer() as port:
        settings.CRM_HTTP_ALLOWED = ["127.0.0.1"]
        with pytest.raises(AnswerLost):
            fetch(f"http://127.0.0.1:{port}/long")
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            fetch(f"http://127.0.0.1:{port}/slow", total_seconds=1)
        assert time.monotonic() - began < 5
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotReached):
            fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_what_is_checked_comes_back():
    assert checked("https://Hook.Example/a?b=1").hostname == "hook.example"


@pytest.fixture
def context(head, rep):
    record = make_counterparty(head, name="Alfa", phone="22 123 45 67", email="biuro@alfa.example")
    return Context(record=record, by=head, requester=rep, via="", key="key-1")


@pytest.mark.django_db
def test_a_webhook_carries_signed_values_and_its_key(context, head, settings):
    for role in head.roles.all():
        FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="phone", level="hidden")
    head.__dict__.pop("access", None)
    settings.CRM_WEBHOOK_SECRET, settings.CRM_HTTP_ALLOWED = "secret", ["127.0.0.1"]
    with peer() as port:
        url = f"http://127.0.0.1:{port}/hook/"
        with pytest.raises(OperationFailed, match="CRM_WEBHOOK_HOSTS"):
            outgoing.call_webhook(context, url)
        settings.CRM_WEBHOOK_HOSTS = ["127.0.0.1"]
        assert outgoing.call_webhook(context, url, event="won") == {"status": 200}
        _path, headers, body = Peer.seen[0]
        sent = json.loads(body)
        assert (sent["event"], sent["id"], sent["values"]["name"]) == ("won", context.record.pk, "Alfa")
        assert "phone" not in sent["values"] and headers["Idempotency-Key"] == "key-1"
        assert headers["X-Signature"] == outgoing._headers(body, "")["X-Signature"]
        with pytest.raises(OperationFailed, match="404"):
            outgoing.call_webhook(context, f"{url}404")
        with pytest.raises(OSError, match="503"):
            outgoing.call_webhook(context, f"{url}503")
    settings.CRM_HTTP_ALLOWED, settings.CRM_WEBHOOK_HOSTS = [], ["*"]
    with pytest.raises(OperationFailed, match="open internet"):
        outgoing.call_webhook(context, "http://127.0.0.1:9/")


@pytest.mark.django_db
def test_a_lost_answer_is_doubtful(context, settings):
    settings.CRM_HTTP_ALLOWED, settings.CRM_WEBHOOK_HOSTS = ["127.0.0.1"], ["*"]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            wire, _address = server.accept()
            wire.recv(1000)
            wire.close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(JobDoubtful):
            outgoing.call_webhook(context, f"http://127.0.0.1:{server.getsockname()[1]}/")


@pytest.mark.django_db
def test_a_letter_to_the_card_and_to_colleagues(context):
    assert outgoing.send_email(context, "record", "Hello\nBcc: x@x.example", "Text") == {
        "to": "biuro@alfa.example"
    }
    letter = mail.outbox[0]
    assert (letter.subject, letter.to, letter.extra_headers["Message-ID"][:7]) == (
        "Hello Bcc: x@x.example", ["biuro@alfa.example"], "<key-1@",
    )  # fmt: skip
    outgoing.send_email(context, "requester", "S", "T")
    assert mail.outbox[1].to == [context.requester.email]
    with pytest.raises(OperationFailed):
        outgoing.send_email(context, "nobody", "S", "T")


def test_both_are_offered_as_external():
    assert [operation_named(name).external for name in ("call_webhook", "send_email")] == [True, True]
