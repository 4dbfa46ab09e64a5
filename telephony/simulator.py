"""Plays whole calls through the real hook: signed posts that go through the addresses and the middleware."""

from __future__ import annotations

import io
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone, translation

from counterparties.models import Contact, ContactPoint
from crm.people.access import kind_label
from telephony.adapters.base import PATH_SECRET
from telephony.adapters.simulator import SimulatorAdapter
from telephony.adapters.webhook import signed_headers
from telephony.flows import Flow
from telephony.models import Connection

UNKNOWN = "+48799555%03d"


class NotTaken(Exception):
    """The hook refused a post; the text is its answer."""


def create_simulator(*, name: str, by) -> Connection:
    """A connection with keys of its own. Its address is kept with them, so that calls can be played."""
    connection = Connection(name=name, provider=SimulatorAdapter.key, author=by)
    path_secret = connection.new_secret()
    connection.settings = {"signing_key": secrets.token_hex(24), PATH_SECRET: path_secret}
    connection.save()
    return connection


def post(connection: Connection, events: list[dict]) -> dict:
    """Posts events as an exchange would. Raises NotTaken."""
    raw = json.dumps({"events": events}).encode()
    kept = connection.settings
    path = reverse("telephony:hook", args=[connection.uuid, kept.get(PATH_SECRET, "-")])
    home = urlsplit(settings.CRM_URL)
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": home.hostname or "localhost", "SERVER_PORT": str(home.port or 80), "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": home.netloc or "localhost", "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw),
        "wsgi.url_scheme": "https" if settings.SECURE else "http",
    }  # fmt: skip
    for name, value in signed_headers(kept.get("signing_key", ""), raw).items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    with translation.override(translation.get_language()):
        answer = _handler().get_response(WSGIRequest(environ))
    if answer.status_code != 200:
        raise NotTaken(f"{answer.status_code} {answer.content.decode(errors='replace')[:200]}")
    return json.loads(answer.content)


@lru_cache(1)
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def cast_of(connection: Connection, flow: Flow, first=None) -> dict[str, str]:
    """Who plays: the connection's telephones, that of `first` before the others, and a caller of the kind it needs."""
    phones = sorted(
        connection.extensions.order_by("number"), key=lambda one: first is None or one.user_id != first.pk
    )
    cast = {f"ext{place}": phone.number for place, phone in enumerate(phones[:3], start=1)}
    for place in (1, 2, 3):
        cast.setdefault(f"ext{place}", str(900 + place))
    line = next(iter(connection.lines.split()), "")
    return {
        **cast,
        "client": _caller(flow),
        "line": line,
        "call": secrets.token_hex(8),
        "origin": str(uuid.uuid4()),
    }


def _caller(flow: Flow) -> str:
    if flow.client in {"unknown", "nobody"}:
        return UNKNOWN % secrets.randbelow(1000)
    numbers = Contact.objects.filter(deleted_at=None).exclude(phone="").order_by("phone")
    if flow.client == "several":
        twice = _shared_number()
        return twice or next(iter(numbers.values_list("phone", flat=True)[:1]), UNKNOWN % 1)
    found = list(numbers.values_list("phone", flat=True)[:50])
    return secrets.choice(found) if found else UNKNOWN % 1


def _shared_number() -> str:
    """A number that two contacts have, as their first or a further one."""
    first = Contact.objects.filter(deleted_at=None).exclude(phone="").order_by("pk")
    further = ContactPoint.objects.filter(channel="phone", record_kind=kind_label(Contact)).values("value")
    shared = first.values("phone").annotate(many=Count("pk")).filter(many__gt=1).order_by("phone")
    found = first.filter(Q(phone__in=further) | Q(phone__in=shared.values("phone"))).values_list(
        "phone", flat=True
    )
    return next(iter(found[:1]), "")


def play(
    connection: Connection, flow: Flow, cast: dict[str, str], *, speed: float = 1, wait: Callable = time.sleep
) -> Iterator[dict]:  # fmt: skip
    """Posts the events of a flow one after another, each at its time; gives each before it is posted."""
    start = timezone.now()
    for step, event in zip(flow.steps, flow.events(cast, start, speed), strict=True):
        late = step["after"] / speed - (timezone.now() - start).total_seconds()
        if late > 0:
            wait(late)
        yield event
        post(connection, [event])
