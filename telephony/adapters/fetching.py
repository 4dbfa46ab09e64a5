"""Fetching recordings: only from the hosts a provider is known to keep them at, only sound, never without a limit."""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _

from crm.operations.http import AddressRefused, AnswerLost, NotReached, fetch
from telephony.adapters.base import CannotCall, NotOffered

MOST_SOUND, SOUND_SECONDS = 100_000_000, 120.0
_BEGINNINGS = (
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1a\x45\xdf\xa3", "audio/webm"),
)


class NotYet(CannotCall):
    """The recording is not ready, or nobody answers now: asking later makes sense."""


def sound_type(data: bytes) -> str:
    """The type by what stands at the beginning, whatever the sender calls it; empty for what is no sound."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[4:8] == b"ftyp":
        return "audio/mp4"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06:
        return "audio/mpeg"
    return next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), "")


def host_of(url: str) -> str:
    """The host in small letters; empty for what is no address."""
    try:
        return (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return ""


def fetch_sound(
    url: str, *, hosts: Collection[str], trusted: bool = False, headers: dict[str, str] | None = None
) -> bytes:
    """The recording. Raises NotYet where later makes sense, CannotCall where it does not.

    `trusted`: an administrator named the hosts in the connection; they may lie in the company's own network.
    """
    try:
        answer = fetch(
            url,
            headers=headers,
            total_seconds=SOUND_SECONDS,
            most_bytes=MOST_SOUND,
            hosts=frozenset(hosts),
            trusted=frozenset(hosts if trusted else ()),
        )
    except AddressRefused as error:
        raise CannotCall(_("The recording does not lie where this provider keeps them.")) from error
    except (NotReached, AnswerLost) as error:
        raise NotYet(_("The recording could not be loaded: %(why)s") % {"why": error}) from error
    if answer.status in {404, 409, 425, 429} or answer.status >= 500:
        raise NotYet(_("The recording is not ready yet."))
    if answer.status != 200:
        raise CannotCall(
            _("The provider does not give the recording (%(status)s).") % {"status": answer.status}
        )
    if not sound_type(answer.body):
        raise CannotCall(_("What the provider sent is no sound."))
    return answer.body


def fetch_by_pattern(pattern: str, name: str) -> BinaryIO:
    """The recording `name` from where a connection's settings say that they lie, with `{file}` in its place.

    Raises NotOffered where they say nothing, else as `fetch_sound`.
    """
    pattern = pattern.strip()
    if not pattern:
        raise NotOffered(_("The connection does not say where the recordings lie."))
    hosts = frozenset(filter(None, [host_of(pattern)]))
    return BytesIO(fetch_sound(pattern.replace("{file}", quote(name, safe="")), hosts=hosts, trusted=True))
