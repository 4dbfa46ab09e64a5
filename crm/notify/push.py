"""Handing a notification over to a browser's push service: encrypted for that browser (RFC 8291), signed by us (8292).

The push service learns when and whom, but not what. An address that people's browsers name is asked through the
guarded client like any other.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from crm.notify.browsers import decoded
from crm.notify.mails import as_reader
from crm.notify.models import Browser, Notification, PushKey
from crm.operations.http import fetch
from crm.people.company import company
from crm.people.sealing import Unreadable, seal, unseal

PURPOSE = "notify.push"
# What is older is news no more; a phone that was off all day is not woken by yesterday.
KEPT = timedelta(hours=12)
TOKEN_KEPT = timedelta(hours=2)
LONGEST = 500
SECONDS = 10.0
MOST_BYTES = 20_000


class Gone(Exception):
    """The browser is not there any more, or was told to take nothing."""


class NotTaken(Exception):
    """The push service refuses the message, whenever it is asked."""


class Later(Exception):
    """The push service cannot take it now."""


def public_key() -> str:
    """What a browser must know before it lets us push: our public key (base64url)."""
    return _keys()[0]


def seconds_left(row: Notification, now: datetime) -> int:
    """How long this notification may still wait at a push service; 0 when it is too old to be pushed."""
    return max(0, int((row.created_at + KEPT - now).total_seconds()))


def push(browser: Browser, row: Notification, seconds: int) -> None:
    """Hands it over, to be shown within `seconds`. Raises Gone, NotTaken, Later; AddressRefused and OSError as `fetch`.

    Handed over twice it is shown once: the browser puts the second in the place of the first.
    """
    answer = fetch(
        browser.endpoint,
        method="POST",
        body=_encrypted(browser, message_of(row)),
        headers={
            "Authorization": _signed(browser.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(seconds),
            "Topic": f"notification-{row.pk}",
            "Urgency": "high",
        },
        total_seconds=SECONDS,
        most_bytes=MOST_BYTES,
    )
    if answer.status in (404, 410):
        raise Gone
    if answer.status == 429 or answer.status >= 500:
        raise Later(f"HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        raise NotTaken(str(answer.status))


def message_of(row: Notification) -> dict[str, str]:
    """What the service worker shows: the sentence of the page in its reader's language, and where a click leads."""
    with as_reader(row.user):
        sentence = row.sentence
    return {
        "title": company().name,
        "body": sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…",
        "lang": row.user.language,
        "tag": f"notification-{row.pk}",
        "url": row.url or reverse("notify:notification_list"),
    }


def _encrypted(browser: Browser, message: dict[str, str]) -> bytes:
    return http_ece.encrypt(
        json.dumps(message, ensure_ascii=False).encode(),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=decoded(browser.public_key),
        auth_secret=decoded(browser.auth),
    )


def _signed(endpoint: str) -> str:
    """The header by which the push service knows who sends (RFC 8292)."""
    public, private = _keys()
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((timezone.now() + TOKEN_KEPT).timestamp()),
        "sub": _contact(),
    }
    said = ".".join(_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    halves = decode_dss_signature(private.sign(said.encode(), ec.ECDSA(SHA256())))
    signature = b"".join(half.to_bytes(32, "big") for half in halves)
    return f"vapid t={said}.{_encoded(signature)}, k={public}"


def _contact() -> str:
    """Whom a push service writes to when something is wrong."""
    if settings.CRM_URL.startswith("https://"):
        return settings.CRM_URL
    return f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"


def _keys() -> tuple[str, ec.EllipticCurvePrivateKey]:
    """Our pair, made when it is first asked for.

    Where SECRET_KEY was changed and the pair cannot be read, a new one is made; browsers that trusted the old one
    would refuse everything and are forgotten.
    """
    row = PushKey.objects.filter(pk=PushKey.ONLY).first() or _make_keys()
    try:
        kept = unseal(row.sealed, PURPOSE)
    except Unreadable:
        with transaction.atomic():
            Browser.objects.all().delete()
            PushKey.objects.filter(pk=PushKey.ONLY, sealed=row.sealed).delete()
            row = _make_keys()
        kept = unseal(row.sealed, PURPOSE)
    private = load_pem_private_key(kept["private"].encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return row.public, private


def _make_keys() -> PushKey:
    """Of several who do this at once, one wins and all have his."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    draft = PushKey(pk=PushKey.ONLY, public=_encoded(point), sealed=seal({"private": pem}, PURPOSE))
    PushKey.objects.bulk_create([draft], ignore_conflicts=True)
    return PushKey.objects.get(pk=PushKey.ONLY)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
