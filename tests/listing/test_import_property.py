"""Whatever is imported over whatever there is: the undo gives the state before."""

import random

import pytest

from counterparties.models import Contact, ContactLink, Counterparty
from crm.listing.imports.undoing import start_undo
from leads.models import LEAD_KIND, Lead
from tests.factories import sheets
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.imports import finished_import
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
NAMES = ["Alfa", "Beta S.A.", "Łódź", "Żubr", "Gęś 🦆", "=1+1", ""]
CITIES = ["Łódź", "Hel", "", "x" * 130]
SILENT = {"version", "updated_at", "created_at"}
HEADERS = {
    LEAD_KIND: ["Firma", "Imię i nazwisko", "E-mail", "Telefon", "Miasto", "Uwagi"],
    "counterparties.counterparty": [
        "Nazwa firmy",
        "Osoba kontaktowa",
        "E-mail",
        "Telefon",
        "Miasto",
        "Uwagi",
    ],
}


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


def rows_of(rng: random.Random) -> list[list[str]]:
    return [
        [
            rng.choice(NAMES), rng.choice(["Jan Lis", "Ewa Kos", "", "Ola"]),
            rng.choice(["a@a.example", "b@b.example", "", "zły"]),
            rng.choice(["22 123 45 67", "48221234567.0", "601 234 567", ""]), rng.choice(CITIES),
            rng.choice(["jeden", "dwa", ""]),
        ]
        for _number in range(rng.randint(1, 25))
    ]  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("seed", range(4))
def test_import_and_undo_give_the_state_before(rep, tmp_path, run_jobs, kind, seed):
    rng = random.Random(seed)
    client = make_counterparty(rep, name="Alfa", email="a@a.example", city="Kutno", note="was here")
    make_contact(rep, counterparty=client, first_name="Jan", last_name="Lis", phone="+48601234567")
    make_lead(rep, company="Beta", email="b@b.example", city="Kutno")
    make_lead(rep, company="Żubr", phone="+48221234567")
    before = state(Lead, Counterparty, Contact)
    path = sheets.write_workbook(tmp_path / "rows.xlsx", [HEADERS[kind], *rows_of(rng)])
    run = finished_import(
        path, by=rep, run_jobs=run_jobs, kind=kind, mode=rng.choice(["create", "both", "update", "all"])
    )
    assert run.status == "done"
    if run.counts.get("created") or run.counts.get("updated"):
        start_undo(run=run, by=rep)
        run_jobs()
    assert state(Lead, Counterparty, Contact) == before
    assert ContactLink.objects.filter(contact__deleted_at=None, counterparty__deleted_at=None).count() == 1
