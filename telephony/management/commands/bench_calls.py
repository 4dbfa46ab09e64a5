"""manage.py bench_calls --url URL: what becomes of events when many calls run at once."""

from __future__ import annotations

import http.client
import json
import queue
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from crm.notify.models import LiveRow
from telephony.adapters.base import PATH_SECRET
from telephony.adapters.webhook import signed_headers
from telephony.flows import flow_named
from telephony.ingest import POPUP
from telephony.management.choosing import simulated
from telephony.models import Call, CallEvent, Connection
from telephony.simulator import cast_of

FLOWS = ("incoming_answered", "ring_group", "incoming_missed", "outgoing_answered")
SENDERS = 64
PATIENCE = 60
# An exchange sends again what it got no answer to.
SENT_TWICE = 0.05


@dataclass(frozen=True)
class Post:
    """One signed event: when it is sent (seconds from the start), its key, its body and headers."""

    at: float
    key: str
    raw: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """`status` is 0 when none came; `late`: seconds from the moment it should have been sent to the answer."""

    post: Post
    status: int
    seconds: float
    late: float


class Command(BaseCommand):
    help = (
        "Posts the events of simulated calls to the running product at a steady rate, one in twenty of them twice, "
        "and says how quickly they were answered and what was stored. Run it with the product's environment: it "
        "looks into its database. Calls of numbers that nobody has are made, and stay there."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("--url", required=True, help="where the product answers: http://127.0.0.1:8000")
        parser.add_argument("--rate", type=float, default=200, help="events a second")
        parser.add_argument("--seconds", type=float, default=60)
        parser.add_argument("--calls", type=int, default=100, help="how many calls run at once")
        parser.add_argument("--connection", default="", help="name of the simulated exchange")

    def handle(self, *args, url, rate, seconds, calls, connection, **options) -> None:
        exchange = simulated(connection)
        posts = signed_posts(exchange, rate=rate, seconds=seconds, calls=calls)
        last = LiveRow.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        answers, took = send_all(f"{url.rstrip('/')}{_address(exchange)}", posts)
        found = {**_answered(answers, took), **_stored(exchange, answers)}
        found["popups"] = LiveRow.objects.filter(pk__gt=last, kind=POPUP).count()
        self.stdout.write(" · ".join(f"{name}: {value}" for name, value in found.items()))
        if found["lost"] or found["doubled"] or found["unfinished"]:
            raise CommandError("Something was lost or stands twice; see above.")


def _address(exchange: Connection) -> str:
    return reverse("telephony:hook", args=[exchange.uuid, exchange.settings.get(PATH_SECRET, "-")])


def signed_posts(exchange: Connection, *, rate: float, seconds: float, calls: int) -> list[Post]:
    """Events of whole calls, `calls` of them running at any moment, some sent twice; in the order of sending."""
    key, chance, begun = exchange.settings["signing_key"], random.Random(), timezone.now()
    casts = {name: cast_of(exchange, flow_named(name)) for name in FLOWS}
    running: list[list[dict]] = []
    posts: list[Post] = []
    wanted, begun_events = round(rate * seconds), 0
    while begun_events < wanted or running:
        while len(running) < calls and begun_events < wanted:
            name = chance.choice(FLOWS)
            own = {
                "call": secrets.token_hex(8),
                "client": f"+48730{chance.randrange(10**6):06}",
                "origin": "",
            }
            start = begun + timedelta(seconds=begun_events / rate)
            running.append(flow_named(name).events(casts[name] | own, start))
            begun_events += len(running[-1])
        events = chance.choice(running)
        event = events.pop(0)
        if not events:
            running.remove(events)
        raw = json.dumps(event).encode()
        post = Post(len(posts) / rate, event["id"], raw, signed_headers(key, raw))
        posts += [post] * (2 if chance.random() < SENT_TWICE else 1)
    return posts


def send_all(address: str, posts: list[Post]) -> tuple[list[Answer], float]:
    """Sends each post at its time, whether or not earlier ones are answered, and the seconds that took."""
    waiting: queue.SimpleQueue[Post | None] = queue.SimpleQueue()
    answers: list[Answer] = []
    begun = time.monotonic()
    senders = [Thread(target=_send, args=(address, waiting, answers, begun)) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for post in posts:
        time.sleep(max(0.0, begun + post.at - time.monotonic()))
        waiting.put(post)
    for _sender in senders:
        waiting.put(None)
    for sender in senders:
        sender.join()
    return answers, time.monotonic() - begun


def _send(address: str, waiting: queue.SimpleQueue, answers: list[Answer], begun: float) -> None:
    parts = urlsplit(address)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    while (post := waiting.get()) is not None:
        sent = time.monotonic()
        try:
            line.request("POST", parts.path, post.raw, {"Content-Type": "application/json", **post.headers})
            response = line.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException):
            line.close()
            status = 0
        now = time.monotonic()
        answers.append(Answer(post, status, now - sent, now - begun - post.at))
    line.close()


def _answered(answers: list[Answer], took: float) -> dict:
    """Counts by status, and how long the answers took: of the product alone, and from the moment a post was due."""
    statuses = Counter(answer.status for answer in answers)
    alone = sorted(1000 * answer.seconds for answer in answers)
    due = sorted(1000 * answer.late for answer in answers)
    return {
        "posts": len(answers),
        "answers": dict(sorted(statuses.items())),
        "posts_per_second": round(len(answers) / took, 1),
        "median_ms": round(alone[len(alone) // 2]),
        "p95_ms": round(alone[int(len(alone) * 0.95)]),
        "p95_since_due_ms": round(due[int(len(due) * 0.95)]),
        "slowest_ms": round(alone[-1]),
    }


def _stored(exchange: Connection, answers: list[Answer]) -> dict:
    """`lost`: accepted and not there. `doubled`: there more than once. `unfinished`: calls that did not end."""
    accepted = {answer.post.key for answer in answers if answer.status == 200}
    calls = {key.rpartition("-")[0] for key in accepted}
    rows = CallEvent.objects.filter(connection=exchange, call__provider_id__in=calls)
    stored = Counter(rows.values_list("key", flat=True))
    made = Call.objects.filter(connection=exchange, provider_id__in=calls)
    return {
        "events": len(accepted),
        "lost": len(accepted - set(stored)),
        "doubled": sum(count > 1 for count in stored.values()) + made.count() - len(calls),
        "calls": made.count(),
        "unfinished": made.live().count(),
    }
