"""Telling people from robots without a third party: a signed moment, a hidden field, a little work, a limit.

What is clearly wrong is refused; what is merely doubtful is kept for a person to look at.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.core import signing
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from leads.web_forms.models import FormSubmission, WebForm

SALT = "leads.web_form"
KEPT = timedelta(hours=24)
QUICKEST = timedelta(seconds=3)
PROOF_BITS = 14
MOST_BYTES = 64 * 1024
HONEYPOT = "fax_extension"

TOO_QUICK = gettext_noop("Sent quicker than a person types.")
TRAPPED = gettext_noop("A field was filled that people do not see.")
NO_PROOF = gettext_noop("The browser did not do its little sum.")


class Refused(Exception):
    """The post is answered with `status` and nothing is stored."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


class Expired(Exception):
    """The form was opened too long ago, or its token is none of ours."""


def new_token(form: WebForm) -> str:
    """Names one filled form: signed with the moment it was opened."""
    return signing.TimestampSigner(salt=SALT).sign(f"{form.key}.{secrets.token_urlsafe(9)}")


def age_of(token: str, form: WebForm) -> timedelta:
    """How long ago the form was opened. Raises Expired."""
    signer = signing.TimestampSigner(salt=SALT)
    try:
        value = signer.unsign(token, max_age=KEPT)
    except signing.BadSignature:
        raise Expired from None
    if value.partition(".")[0] != form.key:
        raise Expired
    opened = signing.b62_decode(token.rsplit(":", 2)[1])
    return timezone.now() - datetime.fromtimestamp(opened, tz=UTC)


def token_name(token: str) -> str:
    """What a submission remembers of its token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_proof(token: str, proof: str) -> bool:
    """Whether SHA-256 of token and proof begins with enough zero bits: some ten thousand attempts in the browser."""
    if not proof or len(proof) > 20:
        return False
    digest = hashlib.sha256(f"{token}:{proof}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4]) >> (32 - PROOF_BITS) == 0


def demand_decent(request) -> None:
    """Raises Refused for what no form of ours sends: a body without or beyond its size, a file, a foreign page."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdecimal():
        raise Refused(411)
    if int(length) > MOST_BYTES:
        raise Refused(413)
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused(415)
    origin = request.headers.get("Origin", "")
    if origin and urlsplit(origin).netloc.lower() != request.get_host().lower():
        raise Refused(403)


def address_of(request) -> str:
    """A keyed hash of the sender's address: the limit needs no more."""
    return salted_hmac(SALT, request.META.get("REMOTE_ADDR", "")).hexdigest()[:64]


def demand_seldom(form: WebForm, address: str) -> None:
    """Raises Refused when this address has sent as many posts within an hour as the form allows."""
    if not form.hourly_limit:
        return
    since = timezone.now() - timedelta(hours=1)
    sent = FormSubmission.objects.filter(address=address, received_at__gte=since).order_by()
    if sent[: form.hourly_limit].count() >= form.hourly_limit:
        raise Refused(429)


def doubt(given, age: timedelta) -> str:
    """Why a person should look at the post first; empty for one that looks human."""
    if given.get(HONEYPOT):
        return TRAPPED
    if age < QUICKEST:
        return TOO_QUICK
    return "" if is_proof(given.get("token", ""), given.get("proof", "")) else NO_PROOF
