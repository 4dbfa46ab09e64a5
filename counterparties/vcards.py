"""vCards (RFC 6350 and its elder 3.0): contacts out as one file, and people out of anybody's file."""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass, field
from io import BytesIO

import segno
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from counterparties.models import Contact
from counterparties.rows import rows_of

LARGEST = 2_000_000
MOST_CARDS = 100
_KINDS = {"work": "WORK", "mobile": "CELL", "home": "HOME", "fax": "FAX"}
_LABELS = {value.lower(): key for key, value in _KINDS.items()}
_FOLDED = re.compile(r"\r?\n[ \t]")
_SPLIT = re.compile(r"(?<!\\);")


def _escape(text: object) -> str:
    plain = str(text or "").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r", "").replace("\n", "\\n")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


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
    """The contact as vCard 3.0, which every phone reads. Fields the reader may not see are empty on it already."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{_escape(contact.last_name)};{_escape(contact.first_name)};;;",
        f"FN:{_escape(contact)}",
    ]
    if organisation:
        lines.append(f"ORG:{_escape(organisation)}")
    if contact.position:
        lines.append(f"TITLE:{_escape(contact.position)}")
    for row in rows_of(contact, "phones"):
        kind = _KINDS.get(row["label"], "VOICE")
        extension = f"\\;ext={row['ext']}" if row["ext"] else ""
        lines.append(f"TEL;TYPE={kind}:{row['number']}{extension}")
    lines += [f"EMAIL;TYPE=INTERNET:{_escape(row['email'])}" for row in rows_of(contact, "emails")]
    if contact.note:
        lines.append(f"NOTE:{_escape(contact.note)}")
    return "\r\n".join(_fold(line) for line in [*lines, "END:VCARD"]) + "\r\n"


def qr_svg(text: str) -> str:
    """The text as an SVG to scan. What does not fit is left out by the caller."""
    target = BytesIO()
    segno.make(text, error="m", micro=False).save(
        target, kind="svg", xmldecl=False, svgns=True, scale=4, border=2, dark="#000", light="#fff"
    )
    return target.getvalue().decode()


@dataclass
class Person:
    """What one card says; `problems` are what had to be left out."""

    first_name: str = ""
    last_name: str = ""
    organisation: str = ""
    position: str = ""
    note: str = ""
    phones: list[dict] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def values(self) -> dict:
        """For `create_contact`."""
        return {
            "first_name": self.first_name[:100],
            "last_name": self.last_name[:100],
            "position": self.position[:120],
            "note": self.note[:5000],
            "phones": self.phones,
            "emails": self.emails,
        }


def read_vcards(content: bytes) -> list[Person]:
    """The people of a file; cards without any name are left out. Raises ValidationError for what is no vCard file."""
    if len(content) > LARGEST:
        raise ValidationError(_("The file is larger than 2 MB."))
    text = _decode(content)
    if "BEGIN:VCARD" not in text.upper():
        raise ValidationError(_("This is not a vCard file (.vcf)."))
    people, current = [], None
    for line in _lines(text):
        name, parameters, value = _parse(line)
        if name == "BEGIN":
            current = Person()
        elif name == "END" and current is not None:
            if current.name:
                people.append(current)
            current = None
        elif current is not None:
            _take(current, name, parameters, value)
        if len(people) > MOST_CARDS:
            raise ValidationError(_("At most %(count)s people at once."), params={"count": MOST_CARDS})
    return people


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1250"):
        try:
            return content.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1").replace("\x00", "")


def _lines(text: str):
    """Logical lines: folded ones joined, quoted-printable ones (vCard 2.1) too."""
    pending = ""
    for line in _FOLDED.sub("", text).splitlines():
        pending += line
        if "QUOTED-PRINTABLE" in pending.upper() and pending.endswith("="):
            pending = pending[:-1]
            continue
        yield pending
        pending = ""
    if pending:
        yield pending


def _parse(line: str) -> tuple[str, str, str]:
    """(name, parameters, value); a group's prefix ("item1.TEL") is left out."""
    head, colon, value = line.partition(":")
    name, _semicolon, parameters = head.partition(";")
    if not colon:
        return "", "", ""
    if "QUOTED-PRINTABLE" in parameters.upper():
        value = quopri.decodestring(value.encode("latin-1", "replace")).decode("utf-8", "replace")
    return name.rpartition(".")[2].strip().upper(), parameters.lower(), value.strip()


def _take(person: Person, name: str, parameters: str, value: str) -> None:
    if name == "N":
        parts = [_unescape(part) for part in _SPLIT.split(value)] + ["", ""]
        person.last_name, person.first_name = parts[0].strip(), parts[1].strip()
    elif name == "FN" and not person.name:
        person.first_name, _space, person.last_name = _unescape(value).strip().rpartition(" ")
    elif name == "ORG" and not person.organisation:
        person.organisation = _unescape(_SPLIT.split(value)[0]).strip()
    elif name in {"TITLE", "ROLE"} and not person.position:
        person.position = _unescape(value).strip()
    elif name == "NOTE":
        person.note = _unescape(value).strip()
    elif name == "TEL" and value:
        kinds = re.split(r"[;,=:]", parameters)
        label = next((_LABELS[kind] for kind in kinds if kind in _LABELS), "")
        number, _semicolon, extension = _unescape(value).removeprefix("tel:").partition(";ext=")
        person.phones.append({"raw": f"{number} ext. {extension}" if extension else number, "label": label})
    elif name == "EMAIL" and value:
        person.emails.append(_unescape(value).removeprefix("mailto:").strip())
