"""Links between the contacts of a file and their counterparties, in bulk, and their way back."""

from __future__ import annotations

from contextlib import suppress

from django.core.exceptions import PermissionDenied
from django.db import transaction

from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.services import unlink_contact
from crm.history.services import record_events
from crm.history.undoing import UNDO

COMPANION = "counterparties.contactlink"


def link_people(
    triples: list[tuple[Counterparty, Contact, str]], *, by, payload: dict | None = None
) -> list[ContactLink]:
    """Lets contacts stand for counterparties in a role; the first of a counterparty becomes its primary one.

    Returns the new links. With a `payload` history tells of each; new contacts tell of theirs themselves.
    """
    places = {place.pk for place, _contact, _role in triples}
    links = ContactLink.objects.filter(counterparty__in=places).values_list("counterparty_id", "contact_id")
    present = set(links)
    led = {place for place, _contact in present}
    rows = []
    for place, contact, role in triples:
        if (place.pk, contact.pk) not in present:
            present.add((place.pk, contact.pk))
            is_primary = place.pk not in led
            rows.append(ContactLink(counterparty=place, contact=contact, role=role, is_primary=is_primary))
            led.add(place.pk)
    ContactLink.objects.bulk_create(rows, batch_size=500)
    for link in rows if payload is not None else ():
        record_events(
            kind="contact_linked", subjects=[link.contact], by=by, cards={link.contact_id: [link.counterparty]},
            payload={**payload, "contact": str(link.contact), "counterparty": link.counterparty.name},
        )  # fmt: skip
    return rows


def take_back(ids: list[int], *, by) -> None:
    """Undoes links of contacts that were there before the file, where `by` may still edit either side."""
    for link in ContactLink.objects.filter(pk__in=ids).select_related("contact", "counterparty"):
        with suppress(PermissionDenied), transaction.atomic():
            unlink_contact(link=link, by=by, via=UNDO)
