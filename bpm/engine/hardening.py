"""From bytes of unknown origin to an XML tree that is safe to walk, or a refusal."""

from __future__ import annotations

import codecs
import re

from lxml import etree  # type: ignore[import-untyped]

from bpm.engine.findings import refusal
from bpm.engine.model import BPMN_NAMESPACE

MAX_BYTES = 1024 * 1024
MAX_XML_DEPTH = 256  # the parser's own limit
MAX_ID = 200

_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")
_ALPHABETS = (
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "iso-8859-2",
    "windows-1250",
    "windows-1252",
)
_ARCHIVES = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\xd0\xcf\x11\xe0")
_WIDE = (
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    b"\x00",
    b"<\x00",
)
_ID = re.compile(r"""[^\s<>"'&\x00-\x1f\x7f]+""")


def parse_xml(data: bytes) -> etree._Element:
    """The root of a BPMN document; raises RefusedError for everything else."""
    if len(data) > MAX_BYTES:
        raise refusal("too_large", limit="1 MB")
    if data.startswith(_ARCHIVES):
        raise refusal("archive")
    data = _as_utf8(data)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise refusal("doctype")
    root = _parsed(data)
    if root.tag != f"{{{BPMN_NAMESPACE}}}definitions":
        raise refusal("not_bpmn")
    return root


def _as_utf8(data: bytes) -> bytes:
    """The same document in UTF-8, from that or from one of the old alphabets modelers still write.

    Only encodings in which ASCII is itself are let in, so nothing can hide from the search for DOCTYPE.
    """
    if data.startswith(_WIDE):
        raise refusal("encoding")
    data = data.removeprefix(codecs.BOM_UTF8).strip()
    declared = _DECLARED.match(data)
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if name not in _ALPHABETS:
        raise refusal("encoding")
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise refusal("encoding") from error
    return (_DECLARATION.sub("", text, count=1) if declared else text).encode()


def _parsed(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=False,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if "xcessive depth" in str(error):
            raise refusal("nesting", limit=str(MAX_XML_DEPTH)) from error
        raise refusal("not_xml", problem=str(error.msg)[:200]) from error


def check_id(text: str, *, strictly: bool) -> None:
    """Ids become keys in pages and scripts: short, and no names that objects there have already.

    `strictly`: printable and without spaces as well, for whatever a process is made of.
    """
    bad = len(text) > MAX_ID or text.startswith("__") or text in ("constructor", "prototype")
    if bad or (strictly and not _ID.fullmatch(text)):
        shown = "".join(letter for letter in text[:40] if letter.isprintable())
        raise refusal("bad_id", element=shown, id=shown)
