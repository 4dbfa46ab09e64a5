"""Writing vCards 3.0, which every phone reads: contacts and counterparties; `vcard_reading` reads them."""

from __future__ import annotations

from io import BytesIO

import segno

from counterparties.models import Contact, Counterparty
from counterparties.rows import rows_of

_KINDS = {"work": "WORK", "mobile": "CELL", "home": "HOME", "fax": "FAX"}


def _escape(text: object) -> str:
    plain = str(text or "").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r", "").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Lines of at most 75 octets, never cut inside a character."""
    parts, current, size = [], "", 0
    for char in line:
        width = len(char.encode())
        if size + width > 74:
            parts.append(current)
            current, size = "", 0
        current, size = current + char, size + width
    return "\r\n ".join([*parts, current])


def vcard(contact: Contact, organisation: str = "") -> str:
    """The contact's card. Fields the reader may not see are empty on it already."""
    name = f"N:{_escape(contact.last_name)};{_escape(contact.first_name)};;;"
    lines = [name, f"FN:{_escape(contact)}"]
    if organisation:
        lines.append(f"ORG:{_escape(organisation)}")
    if contact.position:
        lines.append(f"TITLE:{_escape(contact.position)}")
    return _card([*lines, *_reached(contact)])


def organisation_vcard(counterparty: Counterparty) -> str:
    """The counterparty's card, shown by address books under its name; a private person's has no organisation."""
    name = _escape(counterparty)
    lines = [f"N:{name};;;;", f"FN:{name}"]
    if not counterparty.counterparty_type.is_person:
        lines += [f"ORG:{name}", "X-ABShowAs:COMPANY"]
    region = str(counterparty.region or "")
    parts = (
        "",
        "",
        counterparty.address,
        counterparty.city,
        region,
        counterparty.postal_code,
        counterparty.country,
    )
    if any(parts[:-1]):
        lines.append(f"ADR;TYPE=WORK:{';'.join(map(_escape, parts))}")
    if counterparty.website:
        lines.append(f"URL:{_escape(counterparty.website)}")
    return _card([*lines, *_reached(counterparty)])


def _reached(record: Contact | Counterparty) -> list[str]:
    """Phones, e-mails and the note."""
    lines = []
    for row in rows_of(record, "phones"):
        kind = _KINDS.get(row["label"], "VOICE")
        extension = f"\\;ext={row['ext']}" if row["ext"] else ""
        lines.append(f"TEL;TYPE={kind}:{row['number']}{extension}")
    lines += [f"EMAIL;TYPE=INTERNET:{_escape(row['email'])}" for row in rows_of(record, "emails")]
    return [*lines, f"NOTE:{_escape(record.note)}"] if record.note else lines


def _card(lines: list[str]) -> str:
    return "\r\n".join(_fold(line) for line in ["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD"]) + "\r\n"


def qr_svg(text: str) -> str:
    """The text as an SVG to scan. What does not fit is left out by the caller."""
    target = BytesIO()
    segno.make(text, error="m", micro=False).save(
        target, kind="svg", xmldecl=False, svgns=True, scale=4, border=2, dark="#000", light="#fff"
    )
    return target.getvalue().decode()
