"""The headers of other programs' exports, each column with the field it goes to (None: left to the person)."""

import pytest

from crm.listing.imports.columns import find_header, guess_mapping, list_columns
from crm.listing.imports.registry import importer_for
from crm.listing.sheets.reading import Row
from tests.factories.counterparties import make_type
from tests.factories.deals import make_deal_type
from tests.factories.sheets import tax_number

pytestmark = pytest.mark.django_db
COUNTERPARTY, CONTACT = "counterparties.counterparty", "counterparties.contact"
LEAD, DEAL, ACTIVITY = "leads.lead", "deals.deal", "collab_calendar.activity"

EXPORTS = {
    "google contacts": (CONTACT, [
        ("First Name", "first_name", "Anna"), ("Middle Name", None, "Maria"), ("Last Name", "last_name", "Ćma"),
        ("Phonetic First Name", None, ""), ("Nickname", None, ""), ("File As", "person_turned", ""),
        ("Organization Name", "counterparty", "Alfa"), ("Organization Title", "position", "prezes"),
        ("Birthday", None, "1980-01-02"), ("Notes", "note", "x"), ("Labels", "tags", "VIP"),
        ("E-mail 1 - Label", None, "* work"), ("E-mail 1 - Value", "email", "a@a.example"),
        ("E-mail 2 - Value", "email_2", "b@a.example"), ("Phone 1 - Label", None, "Mobile"),
        ("Phone 1 - Value", "phone", "601 234 567"), ("Phone 2 - Value", "phone_2", "22 123 45 67"),
    ]),
    "outlook": (CONTACT, [
        ("First Name", "first_name", "Anna"), ("Middle Name", None, "M"), ("Last Name", "last_name", "Ćma"),
        ("Company", "counterparty", "Alfa"), ("Job Title", "position", "prezes"),
        ("Business Fax", "phone_fax", "221234568"),
        ("Business Phone", "phone_work", "22 123 45 67"), ("Home Phone", "phone_home", "22 123 45 69"),
        ("Mobile Phone", "phone_mobile", "601 234 567"), ("E-mail Address", "email", "a@a.example"),
        ("E-mail 2 Address", "email_2", "b@a.example"), ("Notes", "note", "x"), ("Assistant's Name", None, "Ewa"),
        ("Assistant's Phone", None, "22 123 45 60"), ("Manager's Name", None, "Jan"),
    ]),
    "hubspot contacts": (CONTACT, [
        ("Record ID", None, "151"), ("First Name", "first_name", "Anna"), ("Last Name", "last_name", "Ćma"),
        ("Email", "email", "a@a.example"), ("Phone Number", "phone", "22 123 45 67"),
        ("Mobile Phone Number", "phone_mobile", "601 234 567"), ("Contact owner", "owner", "rep"),
        ("Lead Status", None, "Open"), ("Job Title", "position", "prezes"),
        ("Associated Company", "counterparty", "Alfa"), ("Associated Company IDs", None, "77"),
        ("Unsubscribed from all email", "opt_out_email", "false"), ("Last Activity Date", None, "2026-01-01"),
    ]),
    "hubspot companies": (COUNTERPARTY, [
        ("Record ID", None, "9"), ("Company name", "name", "Alfa"), ("Company owner", "owner", "rep"),
        ("Create Date", None, "2026-01-01"), ("Phone Number", "phone", "22 123 45 67"), ("City", "city", "Łódź"),
        ("Country/Region", "country", "Poland"), ("Industry", "industry", "IT"),
        ("Postal Code", "postal_code", "00-001"),
        ("Street Address", "address", "Prosta 1"), ("Number of Employees", "employee_count", "12"),
        ("Company Domain Name", "website", "alfa.example"), ("Description", "note", "x"),
    ]),
    "espocrm accounts": (COUNTERPARTY, [
        ("ID", None, "5f"), ("Name", "name", "Alfa"), ("Website", "website", "alfa.example"),
        ("Email", "email", "a@a.example"),
        ("Phone", "phone", "22 123 45 67"), ("Industry", "industry", "IT"), ("SIC Code", None, ""),
        ("Billing Address Street", "address", "Prosta 1"), ("Billing Address City", "city", "Łódź"),
        ("Billing Address State", "region", "łódzkie"), ("Billing Address Country", "country", "Poland"),
        ("Billing Address Postal Code", "postal_code", "00-001"),
        ("Shipping Address Street", "delivery_street", "Dworcowa 2"),
        ("Shipping Address City", "delivery_city", "Kutno"),
        ("Shipping Address Postal Code", "delivery_postal_code", "99-300"),
        ("Shipping Address Country", "delivery_country", "PL"), ("Description", "note", "x"),
        ("Assigned User", "owner", "rep"), ("Created At", None, "2026-01-01 10:00:00"),
    ]),
    "odoo partners": (COUNTERPARTY, [
        ("Name", "name", "Alfa"), ("Street", "address", "Prosta 1"), ("Street2", "address", "lok. 2"),
        ("City", "city", "Łódź"),
        ("State", "region", "łódzkie"), ("Zip", "postal_code", "00-001"), ("Country", "country", "Poland"),
        ("Tax ID", "tax_number", tax_number(1)), ("Phone", "phone", "22 123 45 67"),
        ("Mobile", "phone_mobile", "601 234 567"),
        ("Email", "email", "a@a.example"), ("Website", "website", "alfa.example"), ("Tags", "tags", "VIP"),
        ("Salesperson", "owner", "rep"), ("Notes", "note", "x"), ("Company Registry", "registry_number", "12345"),
        ("Bank Accounts", "accounts", "PL61109010140000071219812874"),
    ]),
    "odoo leads": (LEAD, [
        ("Company Name", "company", "Alfa"), ("Contact Name", "person", "Anna Ćma"),
        ("Email", "email", "a@a.example"),
        ("Phone", "phone", "22 123 45 67"), ("Mobile", "phone", "601 234 567"),
        ("Job Position", "position", "prezes"),
        ("Salesperson", "owner", "rep"), ("Tags", "tags", "VIP"), ("City", "city", "Łódź"),
        ("Website", "website", "a.example"),
    ]),
    "bitrix24 leads": (LEAD, [
        ("Imię", "first_name", "Anna"), ("Nazwisko", "last_name", "Ćma"), ("Nazwa firmy", "company", "Alfa"),
        ("Stanowisko", "position", "prezes"), ("Telefon służbowy", "phone", "22 123 45 67"),
        ("Tel. komórkowy", "phone", "601 234 567"), ("Służbowy e-mail", "email", "a@a.example"),
        ("Źródło", "source", "targi"),
        ("Osoba odpowiedzialna", "owner", "rep"), ("Komentarz", "note", "x"), ("Data utworzenia", None, "2026-01-01"),
    ]),
    "pipedrive people": (CONTACT, [
        ("Person - Name", "person", "Anna Ćma"), ("Person - Email", "email", "a@a.example"),
        ("Person - Phone", "phone", "601 234 567"), ("Person - Organization", "counterparty", "Alfa"),
        ("Person - ID", None, "7"),
    ]),
    "salesforce accounts": (COUNTERPARTY, [
        ("Account Name", "name", "Alfa"), ("Account Owner", "owner", "rep"),
        ("Billing Street", "address", "Prosta 1"),
        ("Billing City", "city", "Łódź"), ("Billing State/Province", "region", "łódzkie"),
        ("Billing Zip/Postal Code", "postal_code", "00-001"), ("Billing Country", "country", "Poland"),
        ("Phone", "phone", "22 123 45 67"), ("Fax", "phone_fax", "22 123 45 68"),
        ("Employees", "employee_count", "12"),
    ]),
    "hubspot deals": (DEAL, [
        ("Deal Name", "name", "Regały"), ("Amount", "amount", "1000.00"), ("Close Date", "close_date", "2027-01-31"),
        ("Associated Company", "counterparty", "Alfa"), ("Deal owner", "owner", "rep"), ("Record ID", None, "1"),
    ]),
    "polish accounting": (COUNTERPARTY, [
        ("Symbol", None, "ALFA"), ("Nazwa pełna", "name", "Alfa Sp. z o.o."), ("NIP", "tax_number", tax_number(1)),
        ("REGON", "statistical_number", "123456785"), ("Numer KRS", "registry_number", "28860"),
        ("Ulica", "address", "Prosta"), ("Nr domu", "address", "1"), ("Nr lokalu", "address", "2"),
        ("Kod pocztowy", "postal_code", "00-001"), ("Miejscowość", "city", "Łódź"), ("Poczta", None, "Łódź 1"),
        ("Województwo", "region", "łódzkie"), ("Kraj", "country", "Polska"), ("Telefon", "phone", "22 123 45 67"),
        ("Tel. kom.", "phone_mobile", "601 234 567"), ("Faks", "phone_fax", "22 123 45 68"),
        ("E-mail", "email", "a@a.example"),
        ("E-mail do faktur", "email_invoices", "f@a.example"), ("WWW", "website", "a.example"),
        ("Nr rachunku bankowego", "accounts", "61 1090 1014 0000 0712 1981 2874"), ("Grupa", "categories", ""),
        ("Opiekun", "owner", "rep"), ("Uwagi", "note", "x"), ("Adres dostawy", "delivery_street", "Dworcowa 2"),
        ("Kod pocztowy dostawy", "delivery_postal_code", "99-300"),
        ("Adres korespondencyjny", "postal_street", "skr. 5"),
        ("Osoba kontaktowa", "contact_person", "Anna Ćma"),
        ("Telefon osoby kontaktowej", "contact_phone", "602 345 678"),
        ("E-mail osoby kontaktowej", "contact_email", "anna@a.example"),
    ]),
    "nothing but contents": (COUNTERPARTY, [
        ("Firma", "name", "Alfa"), ("A", "email", "a@a.example"), ("B", "tax_number", tax_number(2)),
        ("C", "accounts", "61 1090 1014 0000 0712 1981 2874"), ("D", "postal_code", "00-001"),
        ("E", "phone", "22 123 45 67"),
        ("F", None, "2026-01-01"), ("G", None, "zielony"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_the_columns_of_an_export_find_their_fields(name, company):
    make_type()
    make_deal_type()
    kind, lines = EXPORTS[name]
    fields = importer_for(kind).fields(company["admin"])
    headers, expected, cells = (list(column) for column in zip(*lines, strict=True))
    rows = [Row(1, headers), Row(2, cells)]
    assert find_header(rows, fields) == 1
    mapping = guess_mapping(list_columns(rows, 1, samples=0), fields)
    found = {header: mapping.get(index) for index, header in enumerate(headers)}
    assert found == dict(zip(headers, expected, strict=True))
