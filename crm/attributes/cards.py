"""A record's attributes as its card shows them."""

from __future__ import annotations

from crm.attributes.models import AttributedRecord
from crm.attributes.services import attributes_of
from crm.attributes.values import show_value


def attribute_facts(record: AttributedRecord) -> list[tuple[str, list[tuple[str, str]]]]:
    """[(section label, [(name, shown value)])], sections and values in the administrator's order. One query.

    Empty values are left out, so that a card shows what is known.
    """
    sections: dict[str, list[tuple[str, str]]] = {}
    for attribute in attributes_of(record.get_attribute_set_id()):
        shown = show_value(attribute, record.attributes.get(attribute.key))
        if shown:
            sections.setdefault(attribute.section_label, []).append((str(attribute), shown))
    return list(sections.items())
