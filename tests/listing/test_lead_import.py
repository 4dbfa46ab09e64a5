"""Leads from a messy workbook: values, history, duplicates among everything we know, updates, the command."""

import json

import pytest
from django.core.management import CommandError, call_command

from counterparties.models import Contact, Counterparty, CounterpartyType
from crm.attributes.models import Attribute, AttributeSet, AttributeValue
from crm.history.cards import card_history
from crm.listing.imports.registry import importer_for
from crm.people.models import RoleScope
from leads.import_keys import existing, keys_of
from leads.models import LEAD_KIND, Lead, LeadSource
from tests.factories import sheets
from tests.factories.imports import checked_import, finished_import

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rights(rep, teammate, outsider):
    """Sellers see their team's leads and may edit their own, whatever the roles of the installation say."""
    for kind in (LEAD_KIND, "counterparties.counterparty", "counterparties.contact"):
        for action, scope in (("view", "team"), ("edit", "own"), ("import", "all"), ("create", "all")):
            for role in {*rep.roles.all(), *outsider.roles.all()}:
                RoleScope.objects.update_or_create(
                    role=role, kind=kind, action=action, defaults={"scope": scope}
                )
    for user in (rep, teammate, outsider):
        user.__dict__.pop("access", None)


def make_lead(owner, **values) -> Lead:
    lead = Lead(owner=owner, **values)
    lead.save()
    return lead


def make_counterparty(owner, **values) -> Counterparty:
    attribute_set = AttributeSet.objects.create(kind="counterparties.counterparty", name="Firma")
    kind = CounterpartyType.objects.create(name="Firma", key="company-x", attribute_set=attribute_set)
    return Counterparty.objects.create(owner=owner, counterparty_type=kind, **values)


def statuses(run) -> dict[int, str]:
    return dict(run.rows.order_by("number").values_list("number", "status"))


def test_a_messy_workbook_becomes_leads_with_history(rep, tmp_path, run_jobs):
    run = finished_import(
        sheets.messy_workbook(tmp_path / "leady.xlsx"), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    assert (run.status, run.counts) == ("done", {"created": 5, "skipped": 3, "bad": 2})
    leads = {lead.name: lead for lead in Lead.objects.filter(import_id=run.pk)}
    assert sorted(leads) == ["Gęś i Ryś s.c.", "Paweł Źrebak", "Ósemka", "Łódź Meble Sp. z o.o.", "Żubr S.A."]
    lead = leads["Łódź Meble Sp. z o.o."]
    assert (lead.first_name, lead.last_name, lead.phone, lead.email) == (
        "Małgorzata", "Ćma", "+48221234567", "biuro@meble.example",
    )  # fmt: skip
    assert (lead.owner, lead.department, lead.city, lead.tax_number) == (
        rep, rep.department, "Łódź", sheets.tax_number(1),
    )  # fmt: skip
    assert lead.search_text.startswith("lodz meble sp. z o.o.")
    assert (lead.name_key, lead.version) == ("lodz meble", 1)
    (line,) = card_history(user=rep, record=lead).lines
    assert line.sentence == "imported the lead from leady.xlsx"
    assert line.event.payload == {"file": "leady.xlsx", "import": run.pk}


def test_what_has_no_field_goes_to_the_note(rep, tmp_path, run_jobs):
    LeadSource.objects.create(key="targi-x", name="Fair X", name_pl="Targi X")
    standard, _ = LeadSource.objects.get_or_create(key="import", defaults={"name": "File"})
    rows = [
        ["Firma", "Telefon", "Telefon 2", "E-mail", "Źródło", "Uwagi", "Opis"],
        [
            "Alfa",
            "22 123 45 67; 601 234 567",
            "602 345 678",
            "a@b.example, c@d.example",
            "targi x",
            "jeden",
            "dwa",
        ],
        ["Beta", "", "602 111 222", "", "z polecenia", "", ""],
    ]
    path = sheets.write_workbook(tmp_path / "uwagi.xlsx", rows)
    finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND)
    alfa, beta = Lead.objects.get(name="Alfa"), Lead.objects.get(name="Beta")
    assert alfa.note == "jeden\ndwa\nPhone: +48601234567\nE-mail: c@d.example\nPhone: +48602345678"
    assert (alfa.source.key, alfa.email) == ("targi-x", "a@b.example")
    assert (beta.phone, beta.note, beta.source) == ("+48602111222", "Source: z polecenia", standard)


def test_duplicates_are_found_among_leads_counterparties_and_contacts(
    rep, teammate, outsider, tmp_path, run_jobs
):
    make_lead(teammate, company="Lódz Meble", phone="+48221234567")
    make_lead(outsider, company="Obca", email="jan@zubr.example")
    make_counterparty(rep, name="GĘŚ I RYŚ spółka cywilna")
    Contact.objects.create(owner=rep, first_name="Ewa", last_name="Śliwa", phone="+48223334455")
    run = checked_import(
        sheets.messy_workbook(tmp_path / "leady.xlsx"), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    found = {
        row.number: (row.duplicate["by"], row.duplicate.get("kind"), row.duplicate.get("text"))
        for row in run.rows.filter(status="duplicate")
    }
    assert found == {
        4: ("phone", "leads.lead", "Lódz Meble"),
        6: ("email", "leads.lead", f"exists, belongs to {outsider}"),
        7: ("name", "counterparties.counterparty", "GĘŚ I RYŚ spółka cywilna"),
        8: ("phone", "counterparties.contact", "Ewa Śliwa"),
        10: ("phone", "leads.lead", "Lódz Meble"),
        11: ("email", "leads.lead", f"exists, belongs to {outsider}"),
        12: ("tax_number", None, None),
    }
    assert run.rows.get(number=6).duplicate["id"] == 0


def test_deleted_records_are_no_duplicates(rep, tmp_path, run_jobs):
    from django.utils import timezone

    make_lead(rep, company="X", phone="+48221234567", deleted_at=timezone.now())
    run = checked_import(
        sheets.messy_workbook(tmp_path / "leady.xlsx"), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    assert statuses(run)[4] == "ready"


def test_people_of_one_company_are_not_duplicates_by_its_name():
    first = keys_of({"company": "Żubr S.A.", "person": "Jan Kowalski", "phone": "+48601234567"})
    second = keys_of({"company": "ŻUBR", "person": "Ewa Nowak", "phone": "+48602345678"})
    assert first == [("phone", "+48601234567"), ("name", "zubr|jan kowalski")]
    assert not set(first) & set(second)
    # A name alone counts only when nothing else is known.
    assert keys_of({"person": "Jan Kowalski", "phone": "+48601234567"}) == [("phone", "+48601234567")]
    assert keys_of({"person_turned": "Kowalski Jan"}) == [("name", "|jan kowalski")]


def test_names_match_by_company_and_person(rep):
    make_lead(rep, company="Żubr S.A.", first_name="Jan", last_name="Kowalski")
    make_lead(rep, first_name="Ewa", last_name="Nowak")
    wanted = {
        ("name", name)
        for name in ("zubr|jan kowalski", "zubr|", "zubr|ewa nowak", "|ewa nowak", "|jan kowalski")
    }
    found = existing(wanted, by=rep)
    assert {name for _by, name in found} == {"zubr|jan kowalski", "zubr|", "|ewa nowak"}


def test_updating_changes_filled_cells_only_and_writes_what_changed(rep, teammate, tmp_path, run_jobs):
    mine = make_lead(
        rep, company="Łódź Meble", phone="+48221234567", city="Zgierz", note="stara", website="https://a.pl"
    )
    others = make_lead(teammate, company="Żubr S.A.", email="jan@zubr.example", city="Suwałki")
    path = sheets.messy_workbook(tmp_path / "leady.xlsx")
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND, mode="both")
    assert (statuses(run)[4], statuses(run)[6], statuses(run)[10]) == ("updated", "skipped", "updated")
    mine.refresh_from_db()
    assert (mine.company, mine.city, mine.website) == ("Lodz Meble", "Łódź", "https://a.pl")
    assert (mine.note, mine.version, mine.name_key) == ("stara\nten sam telefon", 2, "lodz meble")
    (line,) = card_history(user=rep, record=mine).lines
    assert line.sentence == "changed the lead by importing leady.xlsx"
    assert {change.field: (change.old_text, change.new_text) for change in line.changes}["city"] == (
        "Zgierz",
        "Łódź",
    )
    others.refresh_from_db()
    assert others.city == "Suwałki"


def test_attributes_of_leads_are_columns(rep, tmp_path, run_jobs):
    attributes, _ = AttributeSet.objects.get_or_create(kind=LEAD_KIND, defaults={"name": "Lead"})
    Attribute.objects.create(
        attribute_set=attributes, key="budget", name="Budget", name_pl="Budżet", kind="money", filterable=True
    )
    Attribute.objects.create(
        attribute_set=attributes, key="size", name="Size", name_pl="Wielkość", kind="choice",
        choices=[["s", "Small", "Mała"], ["l", "Large", "Duża"]],
    )  # fmt: skip
    rows = [["Firma", "Budżet", "Wielkość"], ["Alfa", "1 234,50 zł", "duża"], ["Beta", "dużo", "średnia"]]
    run = finished_import(
        sheets.write_workbook(tmp_path / "a.xlsx", rows), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    assert run.counts == {"created": 1, "bad": 1}
    lead = Lead.objects.get(name="Alfa")
    assert lead.attributes == {"budget": 123450, "size": "l"}
    assert AttributeValue.objects.get(record_kind=LEAD_KIND, record_id=lead.pk).number == 1234.5
    changed = [["Firma", "Wielkość"], ["Alfa", "Mała"]]
    path = sheets.write_workbook(tmp_path / "b.xlsx", changed)
    finished_import(path, by=rep, run_jobs=run_jobs, kind=LEAD_KIND, mode="update")
    lead.refresh_from_db()
    assert lead.attributes == {"budget": 123450, "size": "s"}


def test_an_owner_column_gives_the_lead_to_a_colleague(rep, teammate, tmp_path, run_jobs):
    rows = [["Firma", "Opiekun"], ["Alfa", str(teammate)], ["Beta", "teammate"], ["Gamma", "nikt taki"]]
    run = finished_import(
        sheets.write_workbook(tmp_path / "o.xlsx", rows), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    assert run.counts == {"created": 2, "bad": 1}
    assert set(Lead.objects.values_list("owner", "department")) == {(teammate.pk, teammate.department_id)}


def test_queries_do_not_grow_with_rows(rep, tmp_path, run_jobs, django_assert_max_num_queries):
    importer = importer_for(LEAD_KIND)
    values = [
        {"company": f"Firma {n}", "phone": f"+4822{n:07}", "email": f"a{n}@b.example"} for n in range(300)
    ]
    keys = {key for one in values for key in importer.keys(one)}
    with django_assert_max_num_queries(15):
        importer.existing(keys, by=rep)


def report_of(capsys, *args) -> dict:
    call_command("import_leads", *args, "--json")
    return json.loads(capsys.readouterr().out)


def test_command(rep, tmp_path, capsys):
    path = str(sheets.messy_workbook(tmp_path / "leady.xlsx"))
    dry = report_of(capsys, path, "--user", "rep", "--dry-run")
    assert Lead.objects.count() == 0
    real = report_of(capsys, path, "--user", "rep")
    errors = [
        {"row": 13, "column": "E-mail", "message": "“adam(at)zly” is not an e-mail address."},
        {"row": 14, "column": "Telefon kom.", "message": "“12” is not a telephone number."},
        {"row": 14, "column": "NIP", "message": "“123-456-78-90” is not a valid tax number."},
    ]
    expected = {"rows": 10, "created": 5, "updated": 0, "skipped": 3, "duplicates": 3, "errors": errors}
    assert {key: value for key, value in dry.items() if key != "import_id"} == expected
    assert {key: value for key, value in real.items() if key != "import_id"} == expected
    assert Lead.objects.filter(import_id=real["import_id"]).count() == 5
    again = report_of(capsys, path, "--user", "rep")
    assert (again["created"], again["duplicates"]) == (0, 8)
    call_command("import_leads", path, "--user", "rep")
    assert capsys.readouterr().out.startswith(
        "rows: 10 · created: 0 · updated: 0 · skipped: 8 · duplicates: 8\nrow 13, "
    )


@pytest.mark.parametrize(
    ("content", "user", "message"),
    [
        (b"%PDF", "rep", "This is not a spreadsheet"),
        (b"x;y\n1;2\n", "rep", "No column was recognised"),
        (b"Firma\nA\n", "nobody", "There is no active user"),
    ],
)
def test_command_refuses(rep, tmp_path, content, user, message):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call_command("import_leads", str(path), "--user", user)
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_leads", str(tmp_path / "missing.csv"), "--user", "rep")
