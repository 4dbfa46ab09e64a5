"""A diagram in the reader's language: names from crm:namePl and the like take the place of the drawn ones."""

from __future__ import annotations

from lxml import etree  # type: ignore[import-untyped]

from bpm.engine.hardening import parse_xml
from bpm.engine.model import CRM_NAMESPACE


def renamed(data: bytes, language: str) -> bytes:
    """The file with every name for which it holds one in `language` ("pl"); other names stay."""
    root = parse_xml(data)
    attribute = f"{{{CRM_NAMESPACE}}}name{language.title()}"
    for element in root.iter():
        name = element.get(attribute)
        if name:
            element.set("name", name)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
