"""Many visitors at once: filled forms, posted at a steady rate from many addresses of the loopback network."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import signal
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from leads.web_forms import guard
from leads.web_forms.models import WebForm

PATIENCE = 60
VISITORS = 200
# A visitor clicks twice, or a browser sends again what it got no answer to.
SENT_TWICE = 0.1


@dataclass(frozen=True)
class Post:
    """One filled form: when it is sent (seconds from the start), its token, body and sender."""

    at: float
    token: str
    body: str
    sender: str


@dataclass(frozen=True)
class Answer:
    """`status` is 0 when none came."""

    post: Post
    status: int
    seconds: float


def proof_of(token: str) -> str:
    """What a visitor's browser computes before it sends the form."""
    begun = hashlib.sha256(f"{token}:".encode())
    number = 0
    while True:
        attempt = begun.copy()
        attempt.update(str(number).encode())
        if int.from_bytes(attempt.digest()[:4]) >> (32 - guard.PROOF_BITS) == 0:
            return str(number)
        number += 1


def fill_forms(form: WebForm, *, rate: float, seconds: float, seed: str = "") -> list[Post]:
    """Forms opened now, with their sums done; some of them are sent twice. No address exceeds the form's limit."""
    count = round(rate * seconds)
    each, network = form.hourly_limit or count, random.randrange(1, 255)
    posts = []
    for number in range(count):
        token = guard.new_token(form)
        values = {
            "token": token, "proof": proof_of(token), "company": f"Visitor {number} {seed}",
            "email": f"visitor{number}@visitors.example", "page": "https://www.example.com/?utm_source=bench",
        }  # fmt: skip
        place = number // max(1, each // 2)
        sender = f"127.{network}.{place // 250 % 250}.{place % 250 + 1}"
        post = Post(number / rate, token, urlencode(values), sender)
        posts.append(post)
        if random.random() < SENT_TWICE:
            posts.append(Post(post.at + random.random() / 10, token, post.body, sender))
    return sorted(posts, key=lambda post: post.at)


def send_all(
    address: str, posts: list[Post], *, paused: Iterable[int] = (), killed: Iterable[int] = ()
) -> list[Answer]:
    """Sends each post at its time, whether or not earlier ones are answered.

    The processes `paused` stand still during the middle third; those `killed` die where it begins.
    """
    span = posts[-1].at if posts else 0.0
    begun = time.monotonic()
    with ThreadPoolExecutor(VISITORS) as visitors:
        answers, paused, standing = [], list(paused), False
        try:
            for post in posts:
                time.sleep(max(0.0, begun + post.at - time.monotonic()))
                if paused and standing != (span / 3 <= post.at < span * 2 / 3):
                    standing = not standing
                    _signal(paused, signal.SIGSTOP if standing else signal.SIGCONT)
                if killed and post.at >= span / 3:
                    _signal(killed, signal.SIGKILL)
                    killed = ()
                answers.append(visitors.submit(_send, address, post))
        finally:
            _signal(paused if standing else (), signal.SIGCONT)
        return [answer.result() for answer in answers]


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _send(address: str, post: Post) -> Answer:
    parts, begun = urlsplit(address), time.monotonic()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port, timeout=PATIENCE, source_address=(post.sender, 0)
    )
    try:
        connection.request("POST", parts.path, post.body, headers)
        response = connection.getresponse()
        response.read()
        status = response.status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return Answer(post, status, time.monotonic() - begun)
