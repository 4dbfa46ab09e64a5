"""Activities in the words of RFC 5545. Moments stand in UTC, whole days as days: no time zone has to be described.

The library escapes texts and reads what others write. Building an event of its components takes it half a millisecond
and folding a long text as long again, so lines are put together here: two thousand events take a tenth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from icalendar import vText

FIELDS = (
    "pk", "uid", "kind", "subject", "description", "place", "starts_at", "ends_at", "all_day", "is_private",
    "cancelled_at", "version", "created_at", "updated_at", "owner_id", "phone_entry__name", "phone_entry__uid",
    "phone_entry__extra", "phone_entry__revised_at",
)  # fmt: skip
PRODUCT = "-//Contentum CRM//Calendar//EN"
REMEMBERED = 6000
MOST_OCTETS = 75
_PROPERTY = re.compile(r"^([A-Za-z0-9-]+)[;:]", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()[:19].replace("-", "").replace(":", "") + "Z"


def day(of: date) -> str:
    return of.isoformat().replace("-", "")


def line(name: str, value: str) -> str:
    """One content line, folded where it is long. `value` is escaped already where it is a text."""
    found = f"{name}:{value}"
    if len(found) <= MOST_OCTETS and found.isascii():
        return found
    return _folded(found.encode())


def _folded(octets: bytes) -> str:
    """Pieces of MOST_OCTETS at most, none of which ends within a character."""
    pieces, start, most = [], 0, MOST_OCTETS
    while len(octets) - start > most:
        end = start + most
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end])
        start, most = end, MOST_OCTETS - 1
    return b"\r\n ".join([*pieces, octets[start:]]).decode()


def text(name: str, value: str) -> str:
    """A content line whose value is a text."""
    return line(name, vText(_CONTROL.sub("", value)).to_ical().decode())


def address_of(pk: int) -> str:
    """Where the activity stands in our pages."""
    return f"{settings.CRM_URL}{_path()}{pk}/"


def is_address(url: str) -> bool:
    """Whether it leads to one of our activities."""
    return url.startswith(f"{settings.CRM_URL}{_path()}")


@cache
def _path() -> str:
    return reverse("collab_calendar:activity_detail", args=[0]).removesuffix("0/")


def uid_of(row) -> str:
    """By which other calendars know the activity: what a phone made has the phone's word for it."""
    return row.phone_entry__uid or row.uid or f"activity-{row.pk}@contentum"


def times(row, zone: ZoneInfo) -> list[str]:
    """When it is; whole days as the owner's calendar shows them."""
    if not row.all_day:
        ends = [f"DTEND:{utc(row.ends_at)}"] if row.ends_at and row.ends_at > row.starts_at else []
        return [f"DTSTART:{utc(row.starts_at)}", *ends]
    first = row.starts_at.astimezone(zone).date()
    last = row.ends_at.astimezone(zone).date() if row.ends_at else first
    last = max(last, first + timedelta(days=1))
    return [f"DTSTART;VALUE=DATE:{day(first)}", f"DTEND;VALUE=DATE:{day(last)}"]


def takes_time(row) -> bool:
    """Whether it keeps somebody from other things."""
    return row.cancelled_at is None and row.ends_at is not None and row.ends_at > row.starts_at


@lru_cache(maxsize=REMEMBERED)
def event(row, zone: ZoneInfo, *, for_phone: bool = False) -> str:
    """The activity as a VEVENT.

    `for_phone`: with what its phone added to it; else its address stands in the description too, where every program
    shows it.
    """
    extra, address = (row.phone_entry__extra or "") if for_phone else "", address_of(row.pk)
    added = {match[1].upper() for match in _PROPERTY.finditer(extra)}
    parts = [row.description] if for_phone else [row.description, address]
    said = "\n\n".join(part for part in parts if part)
    lines = ["BEGIN:VEVENT", line("UID", uid_of(row)), f"DTSTAMP:{utc(row.updated_at)}", *times(row, zone)]
    lines.append(text("SUMMARY", row.subject))
    if said:
        lines.append(text("DESCRIPTION", said))
    if row.place:
        lines.append(text("LOCATION", row.place))
    ours = {
        "CATEGORIES": row.kind.upper(),
        "URL": address,
        "STATUS": "CANCELLED" if row.cancelled_at else "CONFIRMED",
        "TRANSP": "OPAQUE" if takes_time(row) else "TRANSPARENT",
    }
    lines += [line(name, value) for name, value in ours.items() if name not in added]
    if row.is_private:
        lines.append("CLASS:PRIVATE")
    lines += [f"SEQUENCE:{max(row.version - 1, 0)}", f"CREATED:{utc(row.created_at)}"]
    lines.append(f"LAST-MODIFIED:{utc(row.updated_at)}")
    return "\r\n".join([*lines, *([extra] if extra else []), "END:VEVENT"])


def taken(row, zone: ZoneInfo, uid: str, word: str) -> str:
    """That something is taken then, and what `word` says of it."""
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{utc(row.updated_at)}", *times(row, zone), text("SUMMARY", word),
         f"SEQUENCE:{max(row.version - 1, 0)}", "TRANSP:OPAQUE", "END:VEVENT"]
    )  # fmt: skip


def busy(row, zone: ZoneInfo, word: str) -> str:
    """That somebody is taken then, and nothing else; not even the identifier, which a phone may have worded."""
    return taken(row, zone, f"busy-{row.pk}@contentum", word)


def deadline(key: str, at: date | datetime, title: str, url: str, stamp: datetime) -> str:
    """Something due on a day or at a moment; it takes nobody's time."""
    when = f"DTSTART:{utc(at)}" if isinstance(at, datetime) else f"DTSTART;VALUE=DATE:{day(at)}"
    address = url if "://" in url or not url else settings.CRM_URL + url
    return "\r\n".join(
        ["BEGIN:VEVENT", line("UID", f"{key}@contentum"), f"DTSTAMP:{utc(stamp)}", when, text("SUMMARY", title),
         *([line("URL", address)] if address else []), "TRANSP:TRANSPARENT", "END:VEVENT"]
    )  # fmt: skip


def calendar(events: Iterable[str], *, name: str = "", refresh: str = "", method: str = "") -> str:
    """A whole VCALENDAR. `refresh`: how often subscribers should ask, such as PT1H; `method`: of a letter (iTIP)."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN"]
    if method:
        head.append(f"METHOD:{method}")
    if name:
        head.append(text("X-WR-CALNAME", name))
    if refresh:
        head += [f"REFRESH-INTERVAL;VALUE=DURATION:{refresh}", f"X-PUBLISHED-TTL:{refresh}"]
    return "\r\n".join([*head, *events, "END:VCALENDAR", ""])
