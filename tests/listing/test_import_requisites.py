"""Requisites, addresses, classes, labelled phones, roles, consents and tags from spreadsheets."""

import pytest

from counterparties.models import Category, CategoryGroup, Consent, Contact, Counterparty, Industry
from crm.history.cards import card_history
from crm.listing.imports.correcting import CREATE, correct_cells, settle_unknown
from crm.listing.imports.services import start_import
from crm.listing.tags.models import Tag
from crm.listing.tags.services import make_tag, tags_of
from deals.models import Deal
from tests.factories import sheets
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.deals import make_deal_type
from tests.factories.imports import checked_import, finished_import

pytestmark = pytest.mark.django_db
COUNTERPARTY, CONTACT, DEAL = "counterparties.counterparty", "counterparties.contact", "deals.deal"
IBAN = "PL61109010140000071219812874"


@pytest.fixture(autouse=True)
def schema(db):
    make_type()


def table(path, lines: dict[str, list[str]]):
    """A workbook of columns by their headers."""
    rows = zip(*lines.values(), strict=True)
    return sheets.write_workbook(path / "rows.xlsx", [[*lines], *map(list, rows)])


def tags(kind: str, record) -> list[str]:
    return [tag.name for tag in tags_of(kind, [record.pk]).get(record.pk, [])]


def test_requisites_are_read_by_the_rules_of_the_rows_country(rep, tmp_path, run_jobs):
    Industry.objects.create(name="IT services", name_pl="Usługi IT")
    group = CategoryGroup.objects.create(name="Size")
    large = Category.objects.create(name="Large", name_pl="Duże", group=group)
    lines = {
        "Nazwa firmy": ["Łódź Meble", "Berlin GmbH"],
        "NIP": ["526-025-02-74", "136695976"],
        "Kraj": ["Polska", "Niemcy"],
        "KRS": ["28860", "HRB 12345"],
        "REGON": ["123456785", ""],
        "Nr konta": ["61 1090 1014 0000 0712 1981 2874", "DE89 3704 0044 0532 0130 00"],
        "Ulica": ["Prosta", "Hauptstr. 5"],
        "Nr domu": ["1", ""],
        "Kod pocztowy": ["90-001", "10115"],
        "Telefon": ["42 123 45 67", "030 123456"],
        "Branża": ["usługi it", ""],
        "Zatrudnienie": ["1 200", ""],
        "Kategoria": ["duże", ""],
        "Adres dostawy": ["Dworcowa 2", ""],
        "Kod pocztowy dostawy": ["99-300", ""],
    }
    run = finished_import(table(tmp_path, lines), by=rep, run_jobs=run_jobs, kind=COUNTERPARTY)
    assert run.counts == {"created": 2}
    meble, berlin = Counterparty.objects.order_by("pk")
    assert (meble.tax_number, meble.registry_number, meble.statistical_number) == (
        "5260250274", "0000028860", "123456785",
    )  # fmt: skip
    assert meble.accounts == [{"iban": IBAN, "bank": "Santander", "currency": ""}]
    assert (meble.address, meble.postal_code, meble.employee_count) == ("Prosta 1", "90-001", 1200)
    assert (meble.industry.name, meble.categories) == ("IT services", [large.pk])
    assert [member.category for member in meble.memberships.all()] == [large]
    assert meble.addresses == [
        {
            "kind": "delivery",
            "street": "Dworcowa 2",
            "postal_code": "99-300",
            "city": "",
            "region": "",
            "country": "",
        }
    ]
    assert (berlin.tax_number, berlin.country, berlin.phone) == ("DE136695976", "DE", "+4930123456")
    assert (berlin.registry_number, berlin.accounts[0]["iban"]) == ("HRB12345", "DE89370400440532013000")


@pytest.mark.parametrize(
    ("header", "text", "code"),
    [
        ("KRS", "12A", "registry_number"),
        ("REGON", "123456780", "statistical_number"),
        ("Nr konta", "61 1090 1014 0000 0712 1981 2875", "accounts"),
        ("Zatrudnienie", "-5", "employee_count"),
        ("Zatrudnienie", "dużo", "employee_count"),
        ("Zatrudnienie", "99999999999999999999", "employee_count"),
        ("Kategoria", "Nie ma takiej", "choice"),
        ("Kod pocztowy", "00-001 Warszawa Śródmieście", "too_long"),
        ("NIP", "1234567890", "tax_number"),
        ("Tagi", "x" * 41, "too_long"),
    ],
)
def test_what_is_wrong_is_said_at_its_cell_and_corrected_there(rep, tmp_path, run_jobs, header, text, code):
    lines = {"Nazwa firmy": ["Alfa"], header: [text]}
    run = checked_import(table(tmp_path, lines), by=rep, run_jobs=run_jobs, kind=COUNTERPARTY)
    row = run.rows.get()
    assert [(error["code"], error["column"]) for error in row.errors] == [(code, 1)]
    correct_cells(run=run, number=row.number, texts={1: ""}, by=rep)
    assert run.rows.get().status == "ready"


def test_phones_keep_what_they_are_for(rep, tmp_path, run_jobs):
    make_counterparty(rep, name="Alfa")
    lines = {
        "Imię": ["Anna"], "Nazwisko": ["Ćma"], "Firma": ["Alfa"], "Rola": ["decyduje"], "Stanowisko": ["prezes"],
        "Tel. kom.": ["601 234 567"], "Telefon służbowy": ["22 123 45 67"], "Fax": ["22 123 45 68"],
        "E-mail": ["a@alfa.example"], "E-mail do faktur": ["f@alfa.example"],
    }  # fmt: skip
    finished_import(table(tmp_path, lines), by=rep, run_jobs=run_jobs, kind=CONTACT)
    anna = Contact.objects.get()
    assert (anna.phone, anna.email, anna.position) == ("+48601234567", "a@alfa.example", "prezes")
    assert [(row["number"], row["label"]) for row in anna.phones] == [
        ("+48601234567", "mobile"), ("+48221234567", "work"), ("+48221234568", "fax"),
    ]  # fmt: skip
    assert [(row["email"], row["label"]) for row in anna.emails] == [
        ("a@alfa.example", ""), ("f@alfa.example", "invoices"),
    ]  # fmt: skip
    assert anna.links.get().role == "decyduje"


def test_an_update_adds_rows_and_replaces_none(rep, tmp_path, run_jobs):
    account = "27 1140 2004 0000 3002 0135 5387"
    alfa = make_counterparty(rep, name="Alfa", accounts=account, phone="22 123 45 67", phones=None)
    lines = {"Nazwa firmy": ["Alfa"], "Nr konta": [f"{IBAN}; {account}"], "Tel. kom.": ["601 234 567"]}
    finished_import(table(tmp_path, lines), by=rep, run_jobs=run_jobs, kind=COUNTERPARTY, mode="both")
    alfa.refresh_from_db()
    assert [row["iban"] for row in alfa.accounts] == [f"PL{account.replace(' ', '')}", IBAN]


def test_what_people_agreed_to_is_recorded_once(rep, tmp_path, run_jobs):
    jan = make_contact(rep, first_name="Jan", last_name="Lis", email="jan@a.example")
    lines = {
        "Imię i nazwisko": ["Jan Lis", "Ewa Kos", "Ola Sum"],
        "E-mail": ["jan@a.example", "ewa@a.example", "ola@a.example"],
        "Zgoda e-mail": ["tak", "nie", ""],
        "Nie dzwonić": ["tak", "", ""],
        "Data zgody": ["2025-03-01", "2025-03-02", ""],
    }
    path = table(tmp_path, lines)
    for _time in range(2):
        finished_import(path, by=rep, run_jobs=run_jobs, kind=CONTACT, mode="both")
    found = Consent.objects.order_by("contact", "channel")
    assert [(str(one.contact), one.channel, one.state, one.given_on.isoformat()) for one in found] == [
        ("Jan Lis", "email", "given", "2025-03-01"), ("Jan Lis", "phone", "refused", "2025-03-01"),
        ("Ewa Kos", "email", "refused", "2025-03-02"),
    ]  # fmt: skip
    assert found[0].source == "import of rows.xlsx"
    said = [line.event.kind for line in card_history(user=rep, record=jan).lines]
    assert said.count("consent_given") == said.count("consent_refused") == 1


def test_nobody_agrees_tomorrow(rep, tmp_path, run_jobs):
    lines = {"Imię i nazwisko": ["Jan Lis"], "Zgoda e-mail": ["tak"], "Data zgody": ["2999-01-01"]}
    run = checked_import(table(tmp_path, lines), by=rep, run_jobs=run_jobs, kind=CONTACT)
    assert [error["code"] for error in run.rows.get().errors] == ["consent_ahead"]


def test_tags_are_put_on_any_kind_and_new_ones_asked_about(company, tmp_path, run_jobs):
    admin = company["admin"]
    make_deal_type()
    client = make_counterparty(admin, name="Alfa")
    make_tag(name="VIP")
    lines = {
        "Nazwa szansy": ["Regały", "Wózki"],
        "Klient": ["Alfa", "Alfa"],
        "Tagi": ["vip; Targi", "Inny, Targi"],
    }
    run = checked_import(table(tmp_path, lines), by=admin, run_jobs=run_jobs, kind=DEAL)
    assert run.unknown == {"tags": {"Targi": 2, "Inny": 1}}
    settle_unknown(run=run, choices={("tags", "Targi"): CREATE}, by=admin)
    run_jobs()
    start_import(run=run, by=admin)
    run_jobs()
    assert [tags(DEAL, deal) for deal in Deal.objects.order_by("pk")] == [["Targi", "VIP"], ["Targi"]]
    assert not Tag.objects.filter(name="Inny").exists()
    update = {"Nazwa firmy": ["Alfa"], "Tagi": ["VIP"]}
    finished_import(table(tmp_path, update), by=admin, run_jobs=run_jobs, kind=COUNTERPARTY, mode="both")
    assert tags(COUNTERPARTY, client) == ["VIP"]
