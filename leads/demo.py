"""Demo leads in every status; some of them came to a counterparty we have."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from counterparties.demo import CITIES, FIRST, LAST, OWNERS, POSITIONS, address, grow_old, phone, tax_number
from crm.people.folding import fold
from crm.web.demo import Demo, demo_step
from leads.models import (
    AssignmentRule,
    Lead,
    LeadSource,
    LeadStatus,
    ScoreRule,
    ScoreTest,
    Strategy,
    UnqualifiedReason,
    WebForm,
    WebFormField,
)
from leads.response import deadline, minutes_taken
from leads.scoring import next_batch, score_leads
from leads.services import (
    convert_lead,
    create_lead,
    disqualify_lead,
    mark_duplicate,
    set_unreachable,
    start_work,
)
from leads.standard import create_standard_dictionaries

LEADS = 60
FIRST_WORDS = [
    "Agro",
    "Bud",
    "Eko",
    "Elektro",
    "Farm",
    "Gastro",
    "Hydro",
    "Inter",
    "Medi",
    "Pro",
    "Stal",
    "Tech",
]
SECOND_WORDS = ["Łan", "Mistrz", "Świat", "Serwis", "Żagiel", "Port", "Plon", "Węgiel", "Dom", "System"]
NOTES = [
    "Poznani na targach, proszą o katalog.",
    "Pytali o cennik dla dwóch zakładów.",
    "Z polecenia klienta.",
    "Chcą rozmawiać dopiero po nowym roku.",
    "",
    "",
]
SCORES = [
    ("Company e-mail", "Firmowy e-mail", 10, ScoreTest.COMPANY_EMAIL, ""),
    ("Phone is known", "Znany telefon", 5, ScoreTest.FILTERS, "f=phone%3Afilled"),
    ("Tax number is known", "Znany NIP", 10, ScoreTest.FILTERS, "f=tax_number%3Afilled"),
    ("Somebody has talked to them", "Ktoś z nimi rozmawiał", 15, ScoreTest.ANSWERED, ""),
]
FORM_TEXTS = {
    "title": "Ask for an offer",
    "title_pl": "Zapytaj o ofertę",
    "intro": "Tell us what you need. We answer within a working day.",
    "intro_pl": "Napisz, czego potrzebujesz. Odpowiadamy w ciągu dnia roboczego.",
    "consent": "I agree to be called or written to about this request.",
    "consent_pl": "Zgadzam się na telefon lub e-mail w sprawie tego zapytania.",
    "sites": "https://www.contentum.example",
}
STATUSES = [
    (LeadStatus.NEW, 20),
    (LeadStatus.IN_WORK, 18),
    (LeadStatus.QUALIFIED, 8),
    (LeadStatus.UNQUALIFIED, 7),
    (LeadStatus.UNREACHABLE, 4),
    (LeadStatus.DUPLICATE, 3),
]


@demo_step(20)
def dictionaries(demo: Demo) -> None:
    create_standard_dictionaries()


@demo_step(41, "small")
def rules(demo: Demo) -> None:
    """What gives points, a rule of assignment to be switched on, and a form for the company's page."""
    admin = demo.users["admin"]
    for name, name_pl, points, test, query in SCORES:
        ScoreRule.objects.create(
            name=name, name_pl=name_pl, points=points, test=test, query=query, author=admin
        )
    AssignmentRule.objects.create(
        name="Sales North in turn", name_pl="Sprzedaż Północ po kolei", author=admin, is_active=False,
        strategy=Strategy.ROUND_ROBIN, department=demo.users["rep"].department,
    )  # fmt: skip
    form = WebForm.objects.create(
        name="Ask for an offer", name_pl="Zapytaj o ofertę", author=admin, **FORM_TEXTS
    )
    WebFormField.objects.bulk_create(
        WebFormField(form=form, field=field, position=place, is_required=field in {"company", "email"})
        for place, field in enumerate(("company", "first_name", "last_name", "email", "phone", "note"))
    )
    score_leads(next_batch(0))


@demo_step(40, "small")
def load(demo: Demo) -> None:
    sources, reasons = list(LeadSource.objects.all()), list(UnqualifiedReason.objects.all())
    wanted = [status for status, count in STATUSES for _place in range(count)]
    leads = []
    for number, status in enumerate(wanted):
        lead = _lead(demo, number, sources)
        _move(demo, lead, status, reasons)
        _grow_old(lead, demo.rng.randint(2, 25 if lead.is_open else 60))
        leads.append(lead)
    demo.store["leads"] = leads
    demo.say(f"{len(leads)} leads")


def _grow_old(lead: Lead, days: int) -> None:
    """Answered a few hours after it came, and converted within half of its age."""
    grow_old(lead, days)
    came = Lead.objects.values_list("created_at", flat=True).get(pk=lead.pk)
    answered = came + timedelta(hours=5) if lead.first_response_at else None
    converted = came + timedelta(days=days / 2) if lead.converted_at else None
    values = {"first_response_at": answered, "converted_at": converted, "respond_by": _respond_by(lead, came)}
    if answered:
        values["response_minutes"] = minutes_taken(came, answered)
    Lead.objects.filter(pk=lead.pk).update(**values)


def _respond_by(lead: Lead, came: datetime) -> datetime | None:
    """By the agreement with the source; of the new ones a few still have time, the others wait for nobody."""
    if lead.status != LeadStatus.NEW:
        return deadline(lead.source, came)
    return deadline(lead.source, timezone.now()) if lead.pk % 4 == 0 else None


def _lead(demo: Demo, number: int, sources: list) -> Lead:
    rng = demo.rng
    company = (
        f"{FIRST_WORDS[number % 12]}-{SECOND_WORDS[number * 7 % 10]} {'Sp. z o.o.' if number % 3 else 'S.A.'}"
    )
    first, last = rng.choice(FIRST), rng.choice(LAST)
    owner = demo.users[OWNERS[number % len(OWNERS)]]
    values = {
        "company": company,
        "first_name": first,
        "last_name": last,
        "position": rng.choice(POSITIONS),
        "phone": phone(rng),
        "email": f"{fold(first)}.{fold(last)}@{address(company.split(maxsplit=1)[0])}",
        "city": rng.choice(CITIES),
        "tax_number": tax_number(rng) if number % 2 else "",
        "source": rng.choice(sources),
        "note": rng.choice(NOTES),
        "owner": owner,
    }
    return create_lead(values=values, by=demo.users["admin"])


def _move(demo: Demo, lead: Lead, status: str, reasons: list) -> None:
    by = lead.owner
    if status != LeadStatus.NEW:
        start_work(lead=lead, by=by)
    if status == LeadStatus.QUALIFIED:
        mine = [record for record in demo.store["counterparties"] if record.owner_id == by.pk]
        convert_lead(lead=lead, by=by, counterparty=demo.rng.choice(mine), contact_values=_person(lead))
    elif status == LeadStatus.UNQUALIFIED:
        disqualify_lead(lead=lead, reason=demo.rng.choice(reasons), note="", by=by)
    elif status == LeadStatus.UNREACHABLE:
        set_unreachable(lead=lead, note="Trzy próby, nikt nie odbiera.", by=by)
    elif status == LeadStatus.DUPLICATE:
        mark_duplicate(lead=lead, by=by)


def _person(lead: Lead) -> dict:
    return {name: getattr(lead, name) for name in ("first_name", "last_name", "position", "phone", "email")}
