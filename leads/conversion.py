"""From a lead to a counterparty, a contact and a deal, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from counterparties.models import Contact, ContactLink, Counterparty, CounterpartyType, home_country
from counterparties.services import create_contact, create_counterparty, link_contact
from crm.files.services import copy_file, files_of
from crm.history.services import carry_history, record_event
from crm.listing.tags.services import carry_tags
from crm.notify.services import publish
from crm.people.visibility import demand
from deals.models import Deal
from deals.services import create_deal
from leads.models import LEAD_KIND, OPEN_STATUSES, Lead, LeadStatus
from leads.response import minutes_taken
from leads.signals import lead_converted, lead_status_changed


@dataclass(frozen=True)
class Conversion:
    """What came of a lead. `is_new` is False when it had been converted before."""

    counterparty: Counterparty
    contact: Contact | None
    deal: Deal | None
    is_new: bool = True


def locked(lead: Lead) -> Lead:
    """The lead as it stands now, locked until the transaction ends."""
    return Lead.objects.select_for_update().get(pk=lead.pk)


@transaction.atomic
def convert_lead(
    *,
    lead: Lead,
    by,
    counterparty: Counterparty | None = None,
    counterparty_type: CounterpartyType | None = None,
    counterparty_values: dict | None = None,
    counterparty_attributes: dict | None = None,
    contact: Contact | None = None,
    contact_values: dict | None = None,
    deal_values: dict | None = None,
    via: str = "",
) -> Conversion:
    """Qualifies the lead. Done twice, the second call gives what the first one made.

    `counterparty`, else a new one of `counterparty_type`; `contact`, else a new one of `contact_values`, else none;
    a deal of `deal_values` (name, deal_type, amount, currency, close_date), else none. New records go to the lead's
    owner. Raises PermissionDenied, ValidationError; nothing is left half done.
    """
    demand(by, "convert", lead)
    fresh = locked(lead)
    if fresh.status == LeadStatus.QUALIFIED:
        return Conversion(fresh.counterparty, fresh.contact, fresh.deal, is_new=False)
    if fresh.status not in OPEN_STATUSES:
        raise ValidationError(_("Reopen the lead before converting it."))
    made = _made(counterparty, contact, contact_values, deal_values)
    if counterparty is None:
        values, attributes = counterparty_values or {}, counterparty_attributes
        counterparty = _new_counterparty(fresh, counterparty_type, values, attributes, by, via)
    demand(by, "view", counterparty)
    link = _link_wanted(counterparty, contact)
    contact = _contact(fresh, counterparty, contact, contact_values, by, via)
    deal = _deal(fresh, counterparty, contact, deal_values, by, via)
    became = {"counterparty": counterparty, "contact": contact, "deal": deal}
    # Records that were there before keep their own tags: an undo could not tell which ones came from here.
    carry_tags(source=fresh, targets=[became[name] for name in made])
    note = {
        "made": made,
        "before": fresh.status,
        "link": _new_link(counterparty, contact) if link else None,
        "files": _copy_files(fresh, deal, by),
    }
    _qualify(lead, fresh, counterparty, contact, deal, by, via, note)
    return Conversion(counterparty, contact, deal)


def _made(counterparty, contact, contact_values, deal_values) -> list[str]:
    """Which records are new: an undo takes them back."""
    found = {
        "counterparty": counterparty is None,
        "contact": contact is None and contact_values is not None,
        "deal": deal_values is not None,
    }
    return [name for name, is_new in found.items() if is_new]


def _link_wanted(counterparty: Counterparty, contact: Contact | None) -> bool:
    """Whether the contact does not stand for the counterparty yet."""
    return contact is not None and not contact.links.filter(counterparty=counterparty).exists()


def _new_link(counterparty: Counterparty, contact: Contact | None) -> int | None:
    return ContactLink.objects.values_list("pk", flat=True).get(counterparty=counterparty, contact=contact)


def _copy_files(lead: Lead, deal: Deal | None, by) -> list[int]:
    """The lead's files stand on the deal too; each card keeps its own, so that either can be erased."""
    if deal is None:
        return []
    return [copy_file(stored=stored, record=deal, by=by).pk for stored in files_of(lead)]


def _new_counterparty(lead: Lead, kind: CounterpartyType | None, values: dict, attributes, by, via: str):
    if kind is None:
        raise ValidationError({"counterparty_type": _("Choose the type of the counterparty.")})
    values = {**_counterparty_defaults(lead), **values, **_owner(lead, Counterparty, by)}
    return create_counterparty(counterparty_type=kind, values=values, attributes=attributes, by=by, via=via)


def _owner(lead: Lead, model: type, by) -> dict:
    if lead.owner_id and lead.owner_id != by.pk and by.access.may(model, "assign"):
        return {"owner": lead.owner}
    return {"owner": by}


def _counterparty_defaults(lead: Lead) -> dict:
    """What the lead knows; a tax number of another country names the country."""
    fields = ("name", "tax_number", "phone", "email", "website", "city")
    country = lead.tax_number[:2] if lead.tax_number[:2].isalpha() else home_country()
    return {**{field: getattr(lead, field) for field in fields}, "country": country}


def _contact(
    lead: Lead, counterparty: Counterparty, contact: Contact | None, values: dict | None, by, via: str
):
    if contact is not None:
        link_contact(counterparty=counterparty, contact=contact, by=by, via=via)
        return contact
    if values is None:
        return None
    values = {**values, **_owner(lead, Contact, by)}
    return create_contact(values=values, by=by, counterparty=counterparty, role=lead.position, via=via)


def _deal(lead: Lead, counterparty: Counterparty, contact: Contact | None, values: dict | None, by, via: str):
    if values is None:
        return None
    people = [contact] if contact is not None else []
    values = {"name": lead.name, **values, **_owner(lead, Deal, by)}
    return create_deal(counterparty=counterparty, contacts=people, by=by, via=via, **values)


def _qualify(lead: Lead, fresh: Lead, counterparty, contact, deal, by, via: str, note: dict) -> None:
    before, now = fresh.status, timezone.now()
    fresh.status, fresh.converted_at = LeadStatus.QUALIFIED, now
    fresh.counterparty, fresh.contact, fresh.deal = counterparty, contact, deal
    if fresh.first_response_at is None:
        fresh.first_response_at, fresh.response_minutes = now, minutes_taken(fresh.created_at, now)
    fresh.version += 1
    fresh.save()
    lead.refresh_from_db()
    cards = [counterparty, contact, deal]
    payload = {"counterparty": counterparty.name, **note}
    record_event(
        kind="lead_converted",
        subject=lead,
        by=by,
        cards=cards,
        payload=payload,
        via=via,
        version=lead.version,
    )
    carry_history(source=lead, targets=cards)
    lead_status_changed.send(Lead, lead=lead, before=before, by=by)
    lead_converted.send(Lead, lead=lead, counterparty=counterparty, contact=contact, deal=deal, by=by)
    publish(kind=LEAD_KIND, record=lead)
