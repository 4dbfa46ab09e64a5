"""Reading vCards 2.1, 3.0 and 4.0, as phones, mail programs and scanning apps write them."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LARGEST = 2_000_000
MOST_CARDS = 200
_PART = re.compile(r"(?<!\\)[;]")
_ESCAPED = re.compile(r"\\(.)")
_LABELS = {"WORK": "work", "CELL": "mobile", "MOBILE": "mobile", "HOME": "home", "FAX": "fax"}
_PREFERRED = ("PREF", "MOBILE", "CELL", "WORK")


@dataclass
class Person:
    """What one card says, as it is written there; phones are rows of `counterparties.rows`."""

    first_name: str = ""
    last_name: str = ""
    organisation: str = ""
    position: str = ""
    website: str = ""
    city: str = ""
    note: str = ""
    phones: list[dict] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    best_phone: str = ""
    best_email: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def read_vcards(content: bytes) -> list[Person]:
    """The cards of a file. Raises ValidationError for what is no vCard file, or holds too much."""
    if len(content) > LARGEST:
        raise ValidationError(_("The file is larger than 2 MB."))
    people: list[Person] = []
    fields: list[tuple[str, str, str]] | None = None
    for line in _lines(_decoded(content)):
        start = line.strip().upper()
        if start.startswith("BEGIN:VCARD"):
            fields = []
        elif start.startswith("END:VCARD") and fields is not None:
            people.append(_person(fields))
            fields = None
        elif fields is not None and (found := _field(line)):
            fields.append(found)
        if len(people) > MOST_CARDS:
            raise ValidationError(_("At most %(count)s people at once."), params={"count": MOST_CARDS})
    if not people:
        raise ValidationError(_("This is not a vCard file (.vcf)."))
    return people


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1250", "replace")


def _lines(text: str) -> Iterator[str]:
    """Logical lines: folded ones joined, quoted-printable ones over their soft ends."""
    current = ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if current and line[:1] in {" ", "\t"}:
            current += line[1:]
        elif current.endswith("=") and "QUOTED-PRINTABLE" in current.upper():
            current = current[:-1] + line
        else:
            if current:
                yield current
            current = line
    if current:
        yield current


def _field(line: str) -> tuple[str, str, str] | None:
    """(name, parameters in capitals, value) of a line, None for one that is no field."""
    head, colon, value = line.partition(":")
    if not colon:
        return None
    name, _semicolon, parameters = head.upper().partition(";")
    if "QUOTED-PRINTABLE" in parameters:
        charset = re.search(r"CHARSET=([\w-]+)", parameters)
        raw = quopri.decodestring(value.encode("latin-1", "replace"))
        try:
            value = raw.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            value = raw.decode("utf-8", "replace")
    return name.rpartition(".")[2].strip(), parameters, value.replace("\x00", "")


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value).strip()


def _parts(value: str) -> list[str]:
    return [_text(part) for part in _PART.split(value)]


def _person(fields: list[tuple[str, str, str]]) -> Person:
    first: dict[str, str] = {}
    for name, _parameters, value in fields:
        first.setdefault(name, value)
    last_name, first_name = [*_parts(first.get("N", "")), "", ""][:2]
    if not (first_name or last_name):
        first_name, _space, last_name = _text(first.get("FN", "")).rpartition(" ")
    address = [*_parts(first.get("ADR", "")), *[""] * 7]
    phones = [_phone(parameters, value) for name, parameters, value in fields if name == "TEL"]
    emails = [_text(value).removeprefix("mailto:") for name, _parameters, value in fields if name == "EMAIL"]
    return Person(
        first_name=first_name[:100],
        last_name=last_name[:100],
        organisation=_parts(first.get("ORG", ""))[0][:200],
        position=_text(first.get("TITLE") or first.get("ROLE", ""))[:120],
        website=_text(first.get("URL", ""))[:190],
        city=address[3][:120],
        note=_text(first.get("NOTE", ""))[:4000],
        phones=[row for row in phones if row["raw"]],
        emails=[text for text in emails if text],
        best_phone=_best(fields, "TEL").removeprefix("tel:").partition(";")[0][:60],
        best_email=_best(fields, "EMAIL").removeprefix("mailto:")[:254],
    )


def _phone(parameters: str, value: str) -> dict:
    kinds = re.split(r"[;,=:]", parameters)
    label = next((_LABELS[kind] for kind in kinds if kind in _LABELS), "")
    number, _semicolon, extension = _text(value).removeprefix("tel:").partition(";ext=")
    return {"raw": f"{number} ext. {extension}" if extension else number, "label": label}


def _best(fields: list[tuple[str, str, str]], name: str) -> str:
    """The preferred of several values: marked so, else a mobile one, one at work, the first."""
    found = [
        (parameters, _text(value))
        for one, parameters, value in fields
        if one == name and "FAX" not in parameters
    ]
    for wanted in _PREFERRED:
        for parameters, value in found:
            if wanted in parameters:
                return value
    return found[0][1] if found else ""
