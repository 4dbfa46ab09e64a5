"""The signed webhook: what any exchange or script can post. Documented with examples in docs/telephony.md."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from telephony.adapters.base import Adapter, CheckResult, Forged, Malformed, SettingField, Stale
from telephony.adapters.fetching import fetch_by_pattern
from telephony.events import CallFact, Kind, Result, Role

TIMESTAMP = "X-Telephony-Timestamp"
SIGNATURE = "X-Telephony-Signature"
WINDOW_SECONDS = 300
MOST_EVENTS = 100
LONGEST = {"call": 160, "id": 200, "leg": 160, "party": 80, "line": 40, "recording": 500, "origin": 36}


def signature(key: str, timestamp: str, raw: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a dot and the body as sent, in hex."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + raw, hashlib.sha256).hexdigest()


def signed_headers(key: str, raw: bytes, at: float | None = None) -> dict[str, str]:
    """The headers that a post of `raw` must bear."""
    timestamp = str(int(time.time() if at is None else at))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(key, timestamp, raw)}


class WebhookAdapter(Adapter):
    """Events as JSON, signed with a key that both sides know."""

    key = "webhook"
    label = _("Signed webhook")
    about = _("Any exchange or script that can send a signed HTTP post.")
    first_step = _("Post a signed event to the address; the example shown with it does.")
    fields = (
        SettingField(
            "signing_key",
            _("signing key"),
            is_secret=True,
            is_made=True,
            help_text=_("At least 16 characters, the same on both sides."),
        ),
        SettingField(
            "recordings",
            _("Address of the recordings"),
            is_required=False,
            help_text=_("Such as https://pbx.example/rec/{file}.wav; {file} is the name of the recording."),
        ),
    )

    def verify(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str], url: str) -> None:
        """Raises Forged for a wrong signature, Stale for one older or newer than five minutes."""
        timestamp, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        key = self.settings.get("signing_key", "")
        if not key or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise Forged
        wanted = signature(key, timestamp, raw)
        if not hmac.compare_digest(wanted.encode(), given.strip().lower().encode("utf-8", "replace")):
            raise Forged
        if abs(time.time() - int(timestamp)) > WINDOW_SECONDS:
            raise Stale

    def parse(self, raw: bytes, headers: Mapping[str, str], params: Mapping[str, str]) -> list[CallFact]:
        """One event, or `{"events": [...]}`. Raises Malformed, naming the event and the field."""
        try:
            body = json.loads(raw.decode())
        except (ValueError, RecursionError):
            raise Malformed("The body is not JSON in UTF-8.") from None
        events = body.get("events", [body]) if isinstance(body, dict) else None
        if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
            raise Malformed(f"Expected one event, or at most {MOST_EVENTS} of them as events.")
        return [read_event(event, f"event {number}") for number, event in enumerate(events, start=1)]

    def fetch_recording(self, reference: str) -> BinaryIO:
        return fetch_by_pattern(self.settings.get("recordings", ""), reference)

    def check(self) -> list[CheckResult]:
        key = self.settings.get("signing_key", "")
        return [
            CheckResult(str(_("signing key")), len(key) >= 16, "" if len(key) >= 16 else str(_("Too short.")))
        ]


def read_event(event: object, name: str = "event") -> CallFact:
    """One event as JSON has it. Raises Malformed."""
    if not isinstance(event, dict):
        raise Malformed(f"{name}: expected an object.")
    texts = {field: _text(event, field, name) for field in LONGEST}
    if not texts["call"]:
        raise Malformed(f"{name}: call is missing.")
    direction = _choice(event, "direction", ("", "in", "out", "internal"), name) or ""
    kind = _choice(event, "event", Kind, name)
    if kind is None:
        raise Malformed(f"{name}: event is missing.")
    return CallFact(
        call=texts["call"],
        kind=Kind(kind),
        at=_moment(event.get("at"), name),
        key=texts["id"],
        leg=texts["leg"],
        role=_enum(Role, _choice(event, "role", Role, name)),
        party=texts["party"],
        line=texts["line"],
        direction=direction,
        result=_enum(Result, _choice(event, "result", Result, name)),
        is_proven=event.get("is_proven", True) is not False,
        seconds=_whole(event, "seconds", name),
        recording=texts["recording"],
        origin=texts["origin"],
    )


def _text(event: dict, field: str, name: str) -> str:
    value = event.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST[field] or not value.isprintable():
        raise Malformed(f"{name}: {field} must be a line of at most {LONGEST[field]} characters.")
    return value.strip()


def _choice(event: dict, field: str, allowed, name: str) -> str | None:
    value = event.get(field)
    if value is None or value == "":
        return None
    words = [str(one) for one in allowed]
    if not isinstance(value, str) or value not in words:
        raise Malformed(f"{name}: {field} must be one of {', '.join(word for word in words if word)}.")
    return value


def _enum(kind, value: str | None):
    return kind(value) if value else None


def _whole(event: dict, field: str, name: str) -> int | None:
    value = event.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        raise Malformed(f"{name}: {field} must be a number of seconds.")
    return round(value)


def _moment(value: object, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None or not 2000 <= moment.year <= 2100:
        raise Malformed(f"{name}: at must be a moment with its offset, such as 2026-03-01T09:30:00+01:00.")
    return moment
