"""What the cards of counterparties and contacts show."""

from __future__ import annotations

from urllib.parse import quote

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from counterparties.consents import latest_consents
from counterparties.models import Consent, Contact, Counterparty
from counterparties.rows import ACCOUNTS, ADDRESS_KINDS, LABELS, MESSENGERS, address_text, phone_text, rows_of
from crm.people.phones import show_phone
from crm.web.icons import icon


def phone_link(phone: str) -> str:
    """A number to dial, written as people of the country write it; empty for none."""
    return format_html('<a href="tel:{}">{}</a>', phone, show_phone(phone)) if phone else ""


def email_link(email: str) -> str:
    return format_html('<a href="mailto:{0}">{0}</a>', email) if email else ""


def website_link(website: str) -> str:
    """Only web addresses become links."""
    if not website.startswith(("https://", "http://")):
        return website
    shown = website.split("://", 1)[1].rstrip("/")
    return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', website, shown)


def map_link(*parts: str) -> str:
    """An address that opens on a map; empty for none."""
    text = ", ".join(part for part in parts if part)
    if not text:
        return ""
    url = f"https://www.openstreetmap.org/search?query={quote(text)}"
    return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', url, text)


def _lines(parts: list) -> str:
    return format_html_join(mark_safe("<br>"), "{}", ((part,) for part in parts if part))


def phones_shown(record) -> str:
    """Every number to dial, with its extension and kind; the main one first."""
    rows = rows_of(record, "phones")
    return _lines([_labelled(_dial(row), row) for row in rows])


def _dial(row: dict) -> str:
    extension = f";ext={row['ext']}" if row["ext"] else ""
    return format_html('<a href="tel:{}{}">{}</a>', row["number"], extension, phone_text(row))


def emails_shown(record) -> str:
    return _lines([_labelled(email_link(row["email"]), row) for row in rows_of(record, "emails")])


def _labelled(shown: str, row: dict) -> str:
    label = LABELS.get(row.get("label", ""), "")
    return format_html('{} <span class="text-secondary">{}</span>', shown, label) if label else shown


def messengers_shown(contact: Contact) -> str:
    return _lines([MESSENGERS.text(row) for row in contact.messengers or []])


def registered_address(counterparty: Counterparty) -> str:
    """Street, postal code and town, country, as one line that opens on a map."""
    town = " ".join(part for part in (counterparty.postal_code, counterparty.city) if part)
    if not (counterparty.address or town):
        return ""
    return map_link(counterparty.address, town, counterparty.country)


def further_addresses(counterparty: Counterparty) -> list[tuple[str, str]]:
    return [
        (capfirst(f"{ADDRESS_KINDS.get(row['kind'], row['kind'])}"), map_link(address_text(row)))
        for row in counterparty.addresses or []
    ]


def counterparty_card_facts(counterparty: Counterparty) -> list[tuple[str, str]]:
    """(name, shown value) of the record's own fields; the card leaves empty ones out."""
    return [
        (_("Phones"), phones_shown(counterparty)),
        (_("E-mails"), emails_shown(counterparty)),
        (_("Website"), website_link(counterparty.website)),
        (_("Address"), registered_address(counterparty)),
        (_("Note"), counterparty.note),
    ]


def counterparty_sections(counterparty: Counterparty) -> list[tuple[str, list[tuple[str, str]]]]:
    """The further facts, grouped; a group without values is left out."""
    groups = [
        (_("Addresses"), further_addresses(counterparty)),
        (
            _("Company"),
            [
                (_("Industry"), counterparty.industry),
                (_("Employees"), counterparty.employee_count),
                (_("Region"), counterparty.region),
                (_("Added"), date_format(counterparty.created_at, "DATE_FORMAT")),
            ],
        ),
        (
            _("Registers and bank accounts"),
            [
                (_("Tax number"), counterparty.tax_number),
                (_("KRS"), counterparty.registry_number),
                (_("REGON"), counterparty.statistical_number),
                (_("Accounts"), _lines([ACCOUNTS.text(row) for row in counterparty.accounts or []])),
            ],
        ),
    ]
    return [(title, facts) for title, facts in groups if any(value for _name, value in facts)]


def contact_card_facts(contact: Contact) -> list[tuple[str, str]]:
    return [
        (_("Phones"), phones_shown(contact)),
        (_("E-mails"), emails_shown(contact)),
        (_("Messengers"), messengers_shown(contact)),
        (_("Position"), contact.position),
        (_("Note"), contact.note),
        (_("Added"), date_format(contact.created_at, "DATE_FORMAT")),
    ]


def consent_facts(contact: Contact) -> list[tuple[str, str]]:
    """What the contact said of each channel, since when, and who wrote it down."""
    facts = []
    for channel, consent in latest_consents(contact).items():
        icon_name, tone = ("check-circle", "ok") if consent.state == "given" else ("slash-circle", "bad")
        shown = format_html(
            '<span class="consent-{}">{} {}</span> <span class="text-secondary">{} · {} · {}</span>',
            tone,
            icon(icon_name),
            consent.get_state_display(),
            date_format(consent.given_on, "DATE_FORMAT"),
            consent.source,
            consent.recorded_by or "",
        )
        facts.append((capfirst(str(Consent.Channel(channel).label)), shown))
    return facts
