"""Whatever is imported over whatever there is: the undo gives the state before."""

import random

import pytest

from counterparties.consents import record_consent
from counterparties.matching.models import MatchKey
from counterparties.models import (
    Category,
    CategoryGroup,
    CategoryMember,
    Consent,
    Contact,
    ContactLink,
    ContactPoint,
    Counterparty,
)
from crm.listing.imports.correcting import CREATE, settle_unknown
from crm.listing.imports.services import start_import
from crm.listing.imports.undoing import start_undo
from crm.listing.tags.models import Tagging
from crm.listing.tags.services import change_tags, make_tag
from crm.people.access import kind_label
from leads.models import LEAD_KIND, Lead
from tests.factories import sheets
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.imports import checked_import
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
NAMES = ["Alfa", "Beta S.A.", "Łódź", "Żubr", "Gęś 🦆", "=1+1", ""]
CITIES = ["Łódź", "Hel", "", "x" * 130]
SILENT = {"version", "updated_at", "created_at"}
CELLS = {
    "Firma": NAMES,
    "Nazwa firmy": NAMES,
    "Imię i nazwisko": ["Jan Lis", "Ewa Kos", "", "Ola"],
    "Osoba kontaktowa": ["Jan Lis", "Ewa Kos", "", "Ola"],
    "E-mail": ["a@a.example", "b@b.example", "", "zły"],
    "E-mail do faktur": ["f@a.example", "", "a@a.example"],
    "Telefon": ["22 123 45 67", "48221234567.0", "601 234 567", ""],
    "Tel. kom.": ["601 234 567", "602 345 678; 603 456 789", ""],
    "Miasto": CITIES,
    "Kod pocztowy": ["00-001", "", "99-999"],
    "Kraj": ["Polska", "DE", "", "Narnia"],
    "Nr rachunku": ["61 1090 1014 0000 0712 1981 2874", "DE89370400440532013000", "1", ""],
    "REGON": ["123456785", "123456789", ""],
    "Liczba pracowników": ["12", "12,0", "dużo", ""],
    "Kategoria": ["Duże", "duże; Kluczowe", "", "Nie ma takiej"],
    "Adres dostawy": ["Dworcowa 2", ""],
    "Tagi": ["VIP", "vip; Targi", "", "Nowy"],
    "Rola": ["decydent", ""],
    "Zgoda e-mail": ["tak", "nie", ""],
    "Do not call": ["tak", ""],
    "Uwagi": ["jeden", "dwa", ""],
}
HEADERS = {
    LEAD_KIND: ["Firma", "Imię i nazwisko", "E-mail", "Telefon", "Miasto", "Tagi", "Uwagi"],
    "counterparties.counterparty": [
        "Nazwa firmy", "Osoba kontaktowa", "E-mail", "E-mail do faktur", "Telefon", "Tel. kom.", "Miasto",
        "Kod pocztowy", "Kraj", "Nr rachunku", "REGON", "Liczba pracowników", "Kategoria", "Adres dostawy", "Tagi",
        "Uwagi",
    ],
    "counterparties.contact": [
        "Imię i nazwisko", "Firma", "E-mail", "Telefon", "Tel. kom.", "Tagi", "Rola", "Zgoda e-mail", "Do not call",
        "Uwagi",
    ],
}  # fmt: skip


def state(*models) -> dict:
    """Every standing row of the tables without what counts edits."""
    found = {}
    for model in models:
        rows = model._base_manager.order_by("pk")
        if hasattr(model, "deleted_at"):
            rows = rows.filter(deleted_at=None)
        found[model.__name__] = [
            {name: value for name, value in row.items() if name not in SILENT} for row in rows.values()
        ]
    return found


def hangs() -> dict:
    """What hangs on standing records without being one."""
    people = Contact.objects.filter(deleted_at=None)
    clients = Counterparty.objects.filter(deleted_at=None)
    standing = {
        kind_label(model): set(model._base_manager.filter(deleted_at=None).values_list("pk", flat=True))
        for model in (Lead, Contact, Counterparty)
    }
    links = ContactLink.objects.filter(contact__in=people, counterparty__in=clients)
    return {
        "links": list(links.order_by("pk").values("contact", "counterparty", "role", "is_primary")),
        "consents": list(Consent.objects.filter(contact__in=people).order_by("pk").values_list("contact", "state")),
        "categories": sorted(CategoryMember.objects.filter(counterparty__in=clients).values_list()),
        "tags": sorted(
            (row.record_kind, row.record_id, row.tag.name)
            for row in Tagging.objects.select_related("tag")
            if row.record_id in standing[row.record_kind]
        ),
        "points": sorted(
            (point.record_kind, point.record_id, point.value)
            for point in ContactPoint.objects.all()
            if point.record_id in standing[point.record_kind]
        ),
        "keys": sorted(
            (key.kind, key.record_id, key.key)
            for key in MatchKey.objects.all()
            if key.record_id in standing[key.kind]
        ),
    }  # fmt: skip


# A row that is sure to meet a record that is there, with everything it can bring.
MEETS = {
    LEAD_KIND: {"Firma": "Żubr", "Telefon": "22 123 45 67", "Tagi": "vip; Nowy", "Miasto": "Hel", "Uwagi": "jeden"},
    "counterparties.counterparty": {
        "Nazwa firmy": "Alfa", "E-mail": "a@a.example", "Osoba kontaktowa": "Ola", "Telefon": "22 123 45 67",
        "Tel. kom.": "601 234 567", "Nr rachunku": "61 1090 1014 0000 0712 1981 2874", "Kategoria": "Kluczowe",
        "Adres dostawy": "Dworcowa 2", "Tagi": "Nowy", "REGON": "123456785", "Liczba pracowników": "12",
    },
    "counterparties.contact": {
        "Imię i nazwisko": "Ewa Kos", "Firma": "Alfa", "E-mail": "b@b.example", "Tel. kom.": "602 345 678",
        "Tagi": "Nowy", "Rola": "decydent", "Zgoda e-mail": "tak", "Do not call": "tak",
    },
}  # fmt: skip


def rows_of(rng: random.Random, headers: list[str]) -> list[list[str]]:
    """Cells of wrong kinds are rare, so that most rows are imported."""
    return [
        [
            rng.choice(CELLS[header]) if rng.random() < 0.7 or not place else ""
            for place, header in enumerate(headers)
        ]
        for _number in range(rng.randint(1, 25))
    ]


@pytest.fixture
def known(rep):
    """Records that the files speak of, with a tag, a category, a consent and a link of their own."""
    make_type()
    group = CategoryGroup.objects.create(name="Size")
    duze, _kluczowe = (Category.objects.create(name=name, group=group) for name in ("Duże", "Kluczowe"))
    client = make_counterparty(
        rep, name="Alfa", email="a@a.example", city="Kutno", note="was here", categories=[duze.pk]
    )
    person = make_contact(rep, counterparty=client, first_name="Jan", last_name="Lis", phone="+48601234567")
    make_contact(rep, first_name="Ewa", last_name="Kos", email="b@b.example")
    make_lead(rep, company="Beta", email="b@b.example", city="Kutno")
    lead = make_lead(rep, company="Żubr", phone="+48221234567")
    change_tags(records=[lead], add=[make_tag(name="VIP"), make_tag(name="Targi")], by=rep)
    change_tags(records=[person], add=[make_tag(name="VIP")], by=rep)
    record_consent(contact=person, channel="email", state="given", source="a form", by=rep)


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("seed", range(4))
def test_import_and_undo_give_the_state_before(rep, known, tmp_path, run_jobs, kind, seed):
    rng = random.Random(seed)
    before, hanging = state(Lead, Counterparty, Contact), hangs()
    rows = [[MEETS[kind].get(header, "") for header in HEADERS[kind]], *rows_of(rng, HEADERS[kind])]
    path = sheets.write_workbook(tmp_path / "rows.xlsx", [HEADERS[kind], *rows])
    run = checked_import(path, by=rep, run_jobs=run_jobs, kind=kind)
    choices = {(key, text): CREATE for key, counts in run.unknown.items() for text in counts}
    settle_unknown(run=run, choices=choices, by=rep)
    run_jobs()
    mode = ["create", "both", "update", "all"][seed]
    start_import(run=run, mode=mode, by=rep)
    run_jobs()
    run.refresh_from_db()
    assert run.status == "done"
    assert run.rows.get(number=2).status == {"create": "skipped", "all": "created"}.get(mode, "updated")
    if run.counts.get("created") or run.counts.get("updated"):
        start_undo(run=run, by=rep)
        run_jobs()
        run.refresh_from_db()
        assert run.counts["kept"] == 0
    assert state(Lead, Counterparty, Contact) == before
    assert hangs() == hanging
