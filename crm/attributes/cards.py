"""A record's attributes as its card shows them."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html

from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute, AttributedRecord, AttributeKind
from crm.attributes.references import link_parts, readable_links
from crm.attributes.services import attributes_of
from crm.attributes.values import show_value
from crm.people.kinds import kind_named


class Fact(NamedTuple):
    """A line of a card. `key`: what lists and forms call an attribute that may be changed in place, else empty."""

    name: str
    value: str
    key: str = ""


def attribute_facts(record: AttributedRecord, user=None) -> list[tuple[str, list[Fact]]]:
    """[(section label, facts)], sections and values in the administrator's order.

    Links and files without a value are left out, so are links to records that `user` does not see, and for him all
    that is hidden; other empty values are there for the card to fold away.
    One query for the schema, and one for each kind of linked record, each person and each file.
    """
    attributes = attributes_of(record.get_attribute_set_id())
    links = [record.attributes.get(item.key) for item in attributes if item.kind == AttributeKind.LINK]
    seen = readable_links(user, [link for link in links if link]) if user and any(links) else {}
    shown_keys = applicable_keys(attributes, record.attributes)
    hidden = user.access.hidden_fields(type(record)) if user else frozenset()
    sections: dict[str, list[Fact]] = {}
    for attribute in attributes:
        value = record.attributes.get(attribute.key)
        if attribute.key not in shown_keys or attribute.field_name in hidden:
            continue
        shown = "" if value is None else show_on_card(attribute, value, seen)
        whole_form = attribute.kind in (AttributeKind.LINK, AttributeKind.FILE)
        if shown or not whole_form:
            fact = Fact(str(attribute), shown, "" if whole_form else attribute.field_name)
            sections.setdefault(attribute.section_label, []).append(fact)
    return list(sections.items())


def show_on_card(attribute: Attribute, value, seen: dict) -> str:
    """The value as safe HTML where it can be followed, dialled or written to; `seen` as `readable_links` gives it."""
    kind = attribute.kind
    if kind == AttributeKind.LINK:
        parts, record = link_parts(value), seen.get(value)
        kind_of_link = kind_named(parts[0]) if parts else None
        if record is None or kind_of_link is None:
            return ""
        return format_html('<a href="{}">{}</a>', kind_of_link.url(record.pk), record)
    shown = show_value(attribute, value)
    if not shown:
        return ""
    if kind == AttributeKind.FILE:
        return format_html('<a href="{}">{}</a>', reverse("files:file_download", args=[value]), shown)
    if kind == AttributeKind.EMAIL:
        return format_html('<a href="mailto:{}">{}</a>', value, shown)
    if kind == AttributeKind.PHONE:
        return format_html('<a href="tel:{}">{}</a>', value, shown)
    if kind == AttributeKind.URL and str(value).startswith(("http://", "https://")):
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', value, shown)
    return shown
