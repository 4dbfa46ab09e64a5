"""What the cards of counterparties and contacts show."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from counterparties.models import Contact, Counterparty
from crm.people.phones import show_phone


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


def counterparty_card_facts(counterparty: Counterparty) -> list[tuple[str, str]]:
    """(name, shown value) of the record's own fields; the card leaves empty ones out."""
    return [
        (_("Phone"), phone_link(counterparty.phone)),
        (_("E-mail"), email_link(counterparty.email)),
        (_("Website"), website_link(counterparty.website)),
        (_("Tax number"), counterparty.tax_number),
        (
            _("Address"),
            ", ".join(
                part for part in (counterparty.address, counterparty.city, counterparty.country) if part
            ),
        ),
        (_("Note"), counterparty.note),
        (_("Added"), date_format(counterparty.created_at, "DATE_FORMAT")),
    ]


def contact_card_facts(contact: Contact) -> list[tuple[str, str]]:
    return [
        (_("Phone"), phone_link(contact.phone)),
        (_("E-mail"), email_link(contact.email)),
        (_("Position"), contact.position),
        (_("Note"), contact.note),
        (_("Added"), date_format(contact.created_at, "DATE_FORMAT")),
    ]
