"""A whole company's counterparties and contacts, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from counterparties.models import CONTACT_KIND, Contact, ContactLink, Counterparty, Industry, Region
from counterparties.standard import create_standard_dictionaries, create_standard_types
from crm.history.kinds import named
from crm.people.access import kind_label
from crm.people.folding import fold
from crm.people.models import User
from crm.web.demo import Demo, demo_step
from crm.web.scale.chronicle import Chronicle
from crm.web.scale.derived import DerivedRows
from crm.web.scale.words import (
    COUNTRIES,
    POSITIONS,
    STREETS,
    draw_company,
    draw_country,
    draw_domain,
    draw_person,
    draw_phone,
    draw_tax_number,
)

COUNTERPARTIES, CONTACTS = 100_000, 150_000
DAYS = 4 * 365
KIND = kind_label(Counterparty)
_ROLES = ["decyduje", "kupuje", "używa", "płaci", "", ""]


@dataclass(slots=True)
class Client:
    """What later steps need of a counterparty. `contacts`: ids, the primary one first."""

    pk: int
    name: str
    owner: User
    created_at: datetime
    country: str
    domain: str
    contacts: list[int]


@demo_step(30, "large")
def load(demo: Demo) -> None:
    rng, types = demo.randomness("counterparties"), create_standard_types()
    create_standard_dictionaries()
    industries = list(Industry.objects.values_list("pk", flat=True))
    regions = list(Region.objects.values_list("pk", flat=True))
    table, chronicle = demo.bulk.table(Counterparty), Chronicle(demo.bulk)
    derived = {key: DerivedRows(demo.bulk, KIND, one.attribute_set_id) for key, one in types.items()}
    total = max(round(COUNTERPARTIES * demo.part), 1)
    clients: list[Client] = []
    for number in demo.wanted(COUNTERPARTIES, "counterparties"):
        key = rng.choices(("company", "partner", "person"), (82, 8, 10))[0]
        at = _moment(demo, rng, DAYS * (1 - number / total))
        record = _counterparty(rng, types[key], rng.choice(demo.store["sellers"]), at)
        if key == "company":
            _add_company(rng, record, industries, regions)
        if edited := number % 3 == 0 and record.phone:
            record.version, record.updated_at = 2, _between(rng, at, demo.now)
        pk = table.add_record(record)
        derived[key].add(pk, record.attributes)
        chronicle.tell(
            "counterparty_created", (KIND, pk), at=at, actor=record.owner_id, payload={"type": named(types[key])},
            version=1,
        )  # fmt: skip
        domain = record.email.partition("@")[2]
        clients.append(Client(pk, record.name, record.owner, at, record.country, domain, []))
        if edited:
            _tell_edit(rng, chronicle, record)
    demo.store["clients"] = clients


def _moment(demo: Demo, rng: Random, days_ago: float) -> datetime:
    """About so many days ago, in working hours."""
    return demo.now - timedelta(days=int(days_ago) + 1, seconds=-rng.randrange(8 * 3600))


def _counterparty(rng: Random, counterparty_type, owner: User, at: datetime) -> Counterparty:
    country = draw_country(rng)
    name = " ".join(draw_person(rng, country)) if counterparty_type.is_person else draw_company(rng, country)
    domain = draw_domain(name, country)
    record = Counterparty(
        name=name, counterparty_type=counterparty_type, owner=owner, department_id=owner.department_id,
        tax_number="" if counterparty_type.is_person else draw_tax_number(rng, country), country=country.code,
        phone=draw_phone(rng, country) if rng.random() < 0.9 else "", email=f"biuro@{domain}",
        website="" if counterparty_type.is_person else f"https://www.{domain}", city=rng.choice(country.cities),
        address=f"ul. {rng.choice(STREETS)} {rng.randint(1, 150)}" if country.code == "PL" else "",
        created_at=at, updated_at=at, attributes=_attributes(rng, counterparty_type.key),
    )  # fmt: skip
    record.refresh_search()
    return record


def _add_company(rng: Random, record: Counterparty, industries: list[int], regions: list[int]) -> None:
    record.industry_id = rng.choice(industries)
    record.employee_count = int(rng.lognormvariate(3.5, 1.2)) + 1
    if record.country == "PL":
        record.region_id = rng.choice(regions) if regions else None
        record.registry_number = f"{rng.randrange(10**6):010}"
        record.refresh_search()


def _attributes(rng: Random, key: str) -> dict:
    """As `clean_values` of the attributes would store them."""
    if key == "company":
        return {"turnover": rng.randint(1, 400) * 50_000_000} if rng.random() < 0.5 else {}
    if key == "partner":
        return {
            "level": rng.choice(["gold", "silver", "bronze"]),
            "commission": str(rng.randint(3, 12)),
            "since": f"{rng.randint(2015, 2024)}-0{rng.randint(1, 9)}-01",
        }
    return {
        "birthday": f"{rng.randint(1950, 2004)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
        "newsletter": rng.random() < 0.3,
    }


def _between(rng: Random, start: datetime, end: datetime) -> datetime:
    return (start + (end - start) * rng.random()).replace(microsecond=0)


def _tell_edit(rng: Random, chronicle: Chronicle, record: Counterparty) -> None:
    """Once its phone was another one."""
    old = draw_phone(rng, COUNTRIES[record.country])
    chronicle.tell(
        "counterparty_changed", (KIND, record.pk), at=record.updated_at, actor=record.owner_id, version=2,
        changes=[("phone", "phone", old, record.phone, old, record.phone)],
    )  # fmt: skip


@demo_step(31, "large")
def load_contacts(demo: Demo) -> None:
    """Most clients have one or two people, some have five; a few people stand for two clients."""
    rng, clients = demo.randomness("contacts"), demo.store["clients"]
    table, chronicle = demo.bulk.table(Contact), Chronicle(demo.bulk)
    links = demo.bulk.table(ContactLink, "counterparty_id contact_id role is_primary")
    for number in demo.wanted(CONTACTS, "contacts"):
        client = clients[number if number < len(clients) else int(rng.random() ** 2 * len(clients))]
        record = _contact(rng, client, demo.now)
        pk = table.add_record(record)
        chronicle.tell(
            "contact_created", (CONTACT_KIND, pk), at=record.created_at, actor=record.owner_id, version=1,
            cards=[(KIND, client.pk)],
        )  # fmt: skip
        links.add(client.pk, pk, rng.choice(_ROLES), not client.contacts)
        client.contacts.append(pk)
        other = rng.choice(clients) if number % 40 == 0 else client
        if other is not client and len(other.contacts) > 0:
            links.add(other.pk, pk, "", False)


def _contact(rng: Random, client: Client, now: datetime) -> Contact:
    first, last = draw_person(rng, COUNTRIES[client.country])
    at = min(client.created_at + timedelta(hours=rng.randint(0, 2000)), now)
    record = Contact(
        first_name=first, last_name=last, position=rng.choice(POSITIONS), owner=client.owner,
        department_id=client.owner.department_id, created_at=at, updated_at=at,
        phone=draw_phone(rng, COUNTRIES[client.country]) if rng.random() < 0.8 else "",
        email=f"{_letters(first)}.{_letters(last)}@{client.domain}",
    )  # fmt: skip
    record.refresh_search()
    return record


def _letters(name: str) -> str:
    return "".join(char for char in fold(name) if char.isalnum())
