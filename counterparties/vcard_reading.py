"""Reading vCards 2.1, 3.0 and 4.0, as phones, mail programs and scanning apps write them."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

MOST_CARDS = 200
_BEGIN, _END = "BEGIN:VCARD", "END:VCARD"
_PART = re.compile(r"(?<!\\)[;]")
_ESCAPED = re.compile(r"\\(.)")
_PREFERRED = ("MOBILE", "CELL", "WORK")


class NotACard(ValueError):
    """The bytes are no vCard."""


def read_vcards(content: bytes) -> list[dict[str, str]]:
    """The cards of a file: company, first_name, last_name, position, phone, email, website, city, note.

    Values as they are written; at most MOST_CARDS. Raises NotACard when there is none.
    """
    cards: list[dict[str, str]] = []
    fields: list[tuple[str, str, str]] | None = None
    for line in _lines(_decoded(content)):
        if line.upper().startswith(_BEGIN):
            fields = []
        elif line.upper().startswith(_END) and fields is not None:
            cards.append(_card(fields))
            fields = None
        elif fields is not None and (found := _field(line)):
            fields.append(found)
    if not cards:
        raise NotACard
    return cards[:MOST_CARDS]


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
    return name.rpartition(".")[2], parameters, value.replace("\x00", "")


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value).strip()


def _parts(value: str) -> list[str]:
    return [_text(part) for part in _PART.split(value)]


def _card(fields: list[tuple[str, str, str]]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name, _parameters, value in fields:
        first.setdefault(name, value)
    names = [*_parts(first.get("N", "")), "", ""]
    last_name, first_name = names[0], names[1]
    if not (first_name or last_name):
        first_name, _space, last_name = _text(first.get("FN", "")).partition(" ")
    company = _parts(first.get("ORG", ""))[0]
    address = [*_parts(first.get("ADR", "")), *[""] * 7]
    return {
        "company": company[:200],
        "first_name": first_name[:100],
        "last_name": last_name[:100],
        "position": _text(first.get("TITLE", ""))[:120],
        "phone": _best(fields, "TEL").removeprefix("tel:")[:60],
        "email": _best(fields, "EMAIL").removeprefix("mailto:")[:254],
        "website": _text(first.get("URL", ""))[:190],
        "city": address[3][:120],
        "note": _text(first.get("NOTE", ""))[:4000],
    }


def _best(fields: list[tuple[str, str, str]], name: str) -> str:
    """The preferred of several values: marked so, else a mobile one, one at work, the first."""
    found = [
        (parameters, _text(value))
        for one, parameters, value in fields
        if one == name and "FAX" not in parameters
    ]
    for wanted in ("PREF", *_PREFERRED):
        for parameters, value in found:
            if wanted in parameters:
                return value
    return found[0][1] if found else ""
