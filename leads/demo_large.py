"""A whole company's leads, in bulk."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from counterparties.demo_large import KIND as COUNTERPARTY_KIND
from counterparties.demo_large import Client
from counterparties.models import CONTACT_KIND
from crm.history.kinds import named
from crm.people.folding import fold
from crm.web.demo import Demo, demo_step
from crm.web.scale.chronicle import Card, Chronicle
from crm.web.scale.words import (
    POSITIONS,
    draw_company,
    draw_country,
    draw_domain,
    draw_person,
    draw_phone,
    draw_tax_number,
)
from leads.demo import NOTES
from leads.models import LEAD_KIND, Lead, LeadSource, LeadStatus, UnqualifiedReason

LEADS = 100_000
DAYS = 3 * 365
_FRESH = [
    (LeadStatus.NEW, 45),
    (LeadStatus.IN_WORK, 35),
    (LeadStatus.QUALIFIED, 12),
    (LeadStatus.UNQUALIFIED, 8),
]
_OLD = [
    (LeadStatus.QUALIFIED, 36), (LeadStatus.UNQUALIFIED, 38), (LeadStatus.UNREACHABLE, 15), (LeadStatus.DUPLICATE, 8),
    (LeadStatus.IN_WORK, 3),
]  # fmt: skip
_EVENTS = {
    LeadStatus.UNQUALIFIED: "lead_disqualified",
    LeadStatus.UNREACHABLE: "lead_unreachable",
    LeadStatus.DUPLICATE: "lead_duplicate",
}


@demo_step(40, "large")
def load(demo: Demo) -> None:
    rng = demo.randomness("leads")
    sources, reasons = list(LeadSource.objects.all()), list(UnqualifiedReason.objects.all())
    table, chronicle = demo.bulk.table(Lead), Chronicle(demo.bulk)
    total = max(round(LEADS * demo.part), 1)
    demo.store["leads"] = kept = []
    for number in demo.wanted(LEADS, "leads"):
        days = DAYS * (1 - number / total)
        lead = _lead(demo, rng, days)
        lead.source = rng.choice(sources)
        _put(demo, rng, lead, rng.choices(*zip(*(_FRESH if days < 45 else _OLD), strict=True))[0], reasons)
        lead.refresh_search()
        table.add_record(lead)
        _tell(chronicle, lead)
        kept.append((lead.pk, lead.owner, lead.created_at, lead.is_open))


def _lead(demo: Demo, rng: Random, days: float) -> Lead:
    country = draw_country(rng)
    first, last = draw_person(rng, country)
    company = draw_company(rng, country) if rng.random() < 0.85 else ""
    at = demo.now - timedelta(days=int(days) + 1, seconds=-rng.randrange(8 * 3600))
    domain = draw_domain(company or last, country)
    owner = rng.choice(demo.store["sellers"])
    return Lead(
        company=company, first_name=first, last_name=last, position=rng.choice(POSITIONS),
        tax_number=draw_tax_number(rng, country) if company and rng.random() < 0.5 else "",
        phone=draw_phone(rng, country) if rng.random() < 0.85 else "",
        email=f"{fold(first)[:1]}.{fold(last).replace(' ', '')}@{domain}", city=rng.choice(country.cities),
        note=rng.choice(NOTES), owner=owner, department_id=owner.department_id, created_at=at, updated_at=at,
    )  # fmt: skip


def _put(demo: Demo, rng: Random, lead: Lead, status: str, reasons: list) -> None:
    """Where the lead stands today, and since when. A qualified one is a client's, with his name and owner."""
    lead.status = status
    if status == LeadStatus.NEW:
        return
    lead.first_response_at = min(lead.created_at + timedelta(hours=rng.randint(1, 60)), demo.now)
    if status == LeadStatus.IN_WORK:
        lead.updated_at = lead.first_response_at
        return
    lead.version, lead.updated_at = (
        2,
        min(lead.first_response_at + timedelta(days=rng.randint(1, 40)), demo.now),
    )
    if status == LeadStatus.QUALIFIED:
        client: Client = rng.choice(demo.store["clients"])
        lead.company, lead.owner, lead.department_id = client.name, client.owner, client.owner.department_id
        lead.counterparty_id, lead.contact_id = client.pk, client.contacts[0] if client.contacts else None
        lead.converted_at = lead.updated_at
    elif status == LeadStatus.UNQUALIFIED:
        lead.reason = rng.choice(reasons)
    elif status == LeadStatus.UNREACHABLE:
        lead.status_note = "Trzy próby, nikt nie odbiera."


def _tell(chronicle: Chronicle, lead: Lead) -> None:
    """A converted lead's history stands on the cards it was converted into as well."""
    cards: list[Card] = []
    if lead.status == LeadStatus.QUALIFIED:
        cards.append((COUNTERPARTY_KIND, lead.counterparty_id))
        if lead.contact_id:
            cards.append((CONTACT_KIND, lead.contact_id))
    subject, common = (LEAD_KIND, lead.pk), {"actor": lead.owner_id, "cards": cards}
    chronicle.tell("lead_created", subject, at=lead.created_at, version=1, **common)
    if lead.first_response_at:
        chronicle.tell("lead_in_work", subject, at=lead.first_response_at, version=1, **common)
    if lead.converted_at:
        payload = {"counterparty": lead.company}
        chronicle.tell("lead_converted", subject, at=lead.converted_at, version=2, payload=payload, **common)
    elif kind := _EVENTS.get(lead.status):
        payload = {"reason": named(lead.reason)} if lead.reason else {}
        chronicle.tell(
            kind,
            subject,
            at=lead.updated_at,
            version=2,
            payload={**payload, "note": lead.status_note},
            **common,
        )
