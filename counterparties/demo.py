"""Demo counterparties of every type, and the people there."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from django.utils import timezone

from counterparties.models import Contact, Counterparty, Industry, Region
from counterparties.services import create_contact, create_counterparty
from counterparties.standard import create_standard_dictionaries, create_standard_types
from crm.history.models import Event, EventLink
from crm.people.access import kind_label
from crm.people.folding import fold
from crm.people.phones import normalise_phone, show_phone
from crm.web.demo import Demo, demo_step

OWNERS = ["rep", "rep", "rep", "teammate", "teammate", "head", "outsider", "outsider"]
FIRST = [
    "Agnieszka",
    "Bartosz",
    "Celina",
    "Dariusz",
    "Elżbieta",
    "Filip",
    "Grażyna",
    "Hubert",
    "Iwona",
    "Jakub",
    "Kinga",
    "Łukasz",
    "Małgorzata",
    "Norbert",
    "Oliwia",
    "Paweł",
    "Róża",
    "Sławomir",
    "Teresa",
    "Urszula",
    "Wiesław",
    "Zofia",
    "Żaneta",
]
LAST = [
    "Adamczyk",
    "Bąk",
    "Cieślak",
    "Dąbrowa",
    "Fijałkowski",
    "Gajda",
    "Hołub",
    "Jabłońska",
    "Kępa",
    "Łuczak",
    "Maślanka",
    "Niedźwiedź",
    "Ostrowska",
    "Pióro",
    "Rączka",
    "Sędek",
    "Świątek",
    "Tokarz",
    "Wąsik",
    "Zięba",
    "Żak",
    "Źródłowska",
]
CITIES = [
    "Łódź",
    "Gdańsk",
    "Poznań",
    "Kraków",
    "Wrocław",
    "Białystok",
    "Świdnica",
    "Żywiec",
    "Toruń",
    "Rzeszów",
    "Szczecin",
]
COMPANIES = [
    "Zakłady Metalowe Brzoza",
    "Tartak Świerkowy",
    "Mleczarnia Dolina",
    "Hurtownia Łącznik",
    "Fabryka Mebli Dąb",
    "Przędzalnia Nić",
    "Cukiernia Różana",
    "Stolarnia Wiór",
    "Drukarnia Szpalta",
    "Cegielnia Żar",
    "Transport Bieg",
    "Chłodnia Północ",
    "Odlewnia Iskra",
    "Młyn Złote Ziarno",
    "Szkółka Zielony Liść",
    "Wytwórnia Lin Węzeł",
    "Garbarnia Skóra",
    "Kopalnia Kruszyw Żwirek",
    "Sieć Sklepów Pod Ręką",
    "Instalacje Ciepłe Ściany",
    "Browar Słodowy",
    "Huta Szkła Kryształek",
    "Zakład Optyczny Źrenica",
    "Piekarnia Chrupka",
    "Ubojnia Łąka",
    "Stocznia Burta",
    "Fabryka Zabawek Miś",
    "Elektrownia Wodna Śluza",
]
PARTNERS = [
    "Integrator Spójnik",
    "Doradcy Kompas",
    "Biuro Projektów Kreska",
    "Agencja Most",
    "Serwis Klucz",
    "Dystrybucja Szlak",
]
POSITIONS = [
    "prezes",
    "dyrektor handlowy",
    "kierownik zakupów",
    "główny księgowy",
    "kierownik produkcji",
    "specjalista",
]
ROLES = ["decyduje", "kupuje", "używa", "płaci", ""]
FORMS = ["Sp. z o.o.", "S.A.", "Sp. j.", "Sp. z o.o. Sp. k."]
_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


def tax_number(rng: Random) -> str:
    """A number whose check digit is right."""
    while True:
        digits = [rng.randint(1, 9), *(rng.randint(0, 9) for _place in range(8))]
        check = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
        if check < 10:
            return "".join(map(str, [*digits, check]))


def phone(rng: Random, start: str = "60") -> str:
    """A number that could be dialled."""
    while True:
        number = normalise_phone(f"{start}{rng.randint(10**6, 10**7 - 1)}"[:9])
        if number:
            return number


def address(name: str) -> str:
    """A domain nobody has."""
    return "-".join(fold(name).split()[-2:]) + ".example"


def grow_old(record, days: int) -> None:
    """The record and what was written about it, so many days ago."""
    at, label = timezone.now() - timedelta(days=days, minutes=37 * days % 500), kind_label(type(record))
    type(record)._base_manager.filter(pk=record.pk).update(created_at=at, updated_at=at)
    events = Event.objects.filter(subject_kind=label, subject_id=record.pk)
    EventLink.objects.filter(event__in=events).update(at=at)
    events.update(at=at)


@demo_step(30, "small")
def load(demo: Demo) -> None:
    types = create_standard_types()
    create_standard_dictionaries()
    rows = [("company", name) for name in COMPANIES] + [("partner", name) for name in PARTNERS]
    rows += [("person", f"{FIRST[place]} {LAST[-place - 1]}") for place in range(6)]
    demo.store["counterparties"] = [_counterparty(demo, types, *row) for row in rows]
    demo.store["contacts"] = [
        contact for record in demo.store["counterparties"] for contact in _contacts(demo, record)
    ]
    demo.say(f"{len(rows)} counterparties, {len(demo.store['contacts'])} contacts")


def _counterparty(demo: Demo, types: dict, key: str, name: str) -> Counterparty:
    rng, is_person = demo.rng, key == "person"
    full = name if is_person else f"{name} {rng.choice(FORMS)}"
    values = {
        "name": full,
        "tax_number": "" if is_person else tax_number(rng),
        "city": rng.choice(CITIES),
        "phone": phone(rng, "60" if is_person else "22"),
        "email": f"biuro@{address(name)}",
        "website": "" if is_person else f"https://www.{address(name)}",
        "owner": demo.users[rng.choice(OWNERS)],
        "address": f"ul. {rng.choice(['Lipowa', 'Kolejowa', 'Słoneczna', 'Źródlana'])} {rng.randint(1, 120)}",
    }
    if not is_person:
        values |= _company_values(demo, values)
    record = create_counterparty(
        counterparty_type=types[key], values=values, attributes=_attributes(rng, key), by=demo.users["admin"]
    )
    grow_old(record, rng.randint(40, 400))
    return record


def _company_values(demo: Demo, values: dict) -> dict:
    """What a company has beside: registers, an account, an industry and region, a second number with an extension."""
    rng = demo.rng
    number = show_phone(values["phone"])
    return {
        "phones": [
            {"raw": number, "label": "work"},
            {"raw": f"{show_phone(phone(rng, '22'))} wew. {rng.randint(10, 99)}", "label": "work"},
        ],
        "emails": [
            values["email"],
            {"email": values["email"].replace("biuro@", "faktury@"), "label": "invoices"},
        ],
        "postal_code": f"{rng.randint(10, 99)}-{rng.randint(100, 999)}",
        "industry": rng.choice(list(Industry.objects.all())),
        "region": rng.choice(list(Region.objects.all())),
        "employee_count": rng.randint(8, 900),
        "registry_number": str(rng.randint(100_000, 999_999)),
        "accounts": [{"iban": _account_number(rng), "currency": "PLN"}],
    }


def _account_number(rng: Random) -> str:
    """An account at one of the well-known banks, its check digits right."""
    rest = rng.choice(["1020", "1140", "1050", "1240"]) + "".join(
        str(rng.randint(0, 9)) for _place in range(20)
    )
    return f"PL{98 - int(f'{rest}252100') % 97:02}{rest}"


def _attributes(rng: Random, key: str) -> dict:
    if key == "company":
        return {"turnover": rng.randint(2, 90) * 1_000_000}
    if key == "partner":
        return {
            "level": rng.choice(["gold", "silver", "bronze"]),
            "commission": rng.randint(3, 12),
            "since": "2023-05-01",
        }
    return {
        "birthday": f"{rng.randint(1955, 2001)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
        "newsletter": rng.random() < 0.5,
    }


def _contacts(demo: Demo, record: Counterparty) -> list[Contact]:
    rng = demo.rng
    made = []
    for _place in range(0 if record.counterparty_type.is_person else rng.choice([1, 1, 2, 2, 3])):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        values = {
            "first_name": first,
            "last_name": last,
            "position": rng.choice(POSITIONS),
            "phone": phone(rng),
            "email": f"{fold(first)}.{fold(last)}@{record.email.split('@')[1]}",
            "owner": record.owner,
        }
        contact = create_contact(
            values=values, by=demo.users["admin"], counterparty=record, role=rng.choice(ROLES)
        )
        grow_old(contact, rng.randint(5, 39))
        made.append(contact)
    return made
