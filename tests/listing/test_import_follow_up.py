"""What hangs on imported records equals what hangs on the same records made one by one by hand."""

import random

import pytest

from bpm.models import ProcessInstance, UserTask
from counterparties.matching.models import MatchKey
from counterparties.models import Category, CategoryGroup, CategoryMember, Contact, ContactPoint, Counterparty
from crm.history.bin import delete_record, delete_records
from crm.history.models import Deletion, Event
from crm.people.access import kind_label
from deals.models import StageRequest
from leads.models import Lead, ScoreRule, ScoreTest
from tests.factories import sheets
from tests.factories.bpm import make_example, make_waiting
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.imports import finished_import
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
NAMES = ["Alfa", "Łódź Meble Sp. z o.o.", "Żubr S.A.", "Gęś i Ryś s.c.", "Huta Szkła Jaśmin"]
PEOPLE = [("Anna", "Ćma"), ("Jan", "Lis"), ("Ewa", "Święcicka-Kos"), ("Łukasz", "")]
CITIES = ["Gdynia", "Łódź", ""]
HOSTS = ["huta.example", "gmail.com", "wp.pl"]


def drawn(rng: random.Random, number: int) -> dict[str, str]:
    """One record's values; numbers in them keep any two from being the same."""
    first, last = rng.choice(PEOPLE)
    return {
        "name": f"{rng.choice(NAMES)} {number}",
        "first_name": f"{first}{'abcdefghij'[number % 10]}",
        "last_name": last,
        "phone": rng.choice(["", f"22 123 {number:02} 67"]),
        "email": rng.choice(["", f"biuro{number}@{rng.choice(HOSTS)}"]),
        "city": rng.choice(CITIES),
        "position": rng.choice(["", "student", "prezes"]),
        "tax_number": rng.choice(["", sheets.tax_number(number)]),
    }


HEADERS = {
    "name": "Firma", "first_name": "Imię", "last_name": "Nazwisko", "phone": "Telefon", "email": "E-mail",
    "city": "Miasto", "position": "Stanowisko", "tax_number": "NIP",
}  # fmt: skip
COLUMNS = {
    Counterparty: ("name", "phone", "email", "city", "tax_number"),
    Contact: ("first_name", "last_name", "phone", "email", "position"),
    Lead: ("name", "first_name", "last_name", "phone", "email", "city", "position", "tax_number"),
}
SHOWN = {
    Counterparty: ("name", "search_text", "sort_key", "name_key", "phones", "emails", "phone"),
    Contact: ("search_text", "sort_key", "name_key", "phones", "emails", "phone"),
    Lead: ("name", "search_text", "sort_key", "name_key", "phone", "email", "score", "status"),
}


def by_hand(model, values: dict, by) -> None:
    wanted = {key: values[key] for key in COLUMNS[model] if values[key]}
    if model is Counterparty:
        make_counterparty(by, **wanted)
    elif model is Contact:
        make_contact(by, **{"last_name": "", **wanted})
    else:
        make_lead(by, company=wanted.pop("name"), **{"last_name": "", **wanted})


def derived(model) -> list[tuple]:
    """All that follows from each standing record, without its number."""
    kind, found = kind_label(model), []
    for record in model._base_manager.filter(deleted_at=None):
        keys = MatchKey.objects.filter(kind=kind, record_id=record.pk).values_list("key", flat=True)
        points = ContactPoint.objects.filter(record_kind=kind, record_id=record.pk).values_list(
            "value", flat=True
        )
        members = CategoryMember.objects.filter(counterparty=record.pk) if model is Counterparty else []
        found.append(
            (
                *(str(getattr(record, name)) for name in SHOWN[model]),
                sorted(keys), sorted(points), sorted((one.category.name, one.by_rule) for one in members),
                sorted(getattr(record, "score_parts", {}).items()),
            )
        )  # fmt: skip
    return sorted(found, key=str)


@pytest.fixture(autouse=True)
def rules(admin_user):
    """Categories and points that depend on what the files say."""
    make_type()
    group = CategoryGroup.objects.create(name="Coast")
    Category.objects.create(name="Gdynia", group=group, rule="f=city:is:Gdynia", rule_by=admin_user)
    Category.objects.create(name="With phone", group=group, rule="f=phone:filled", rule_by=admin_user)
    tests = (
        {"test": ScoreTest.COMPANY_EMAIL},
        {"query": "f=phone:filled"},
        {"query": "f=position:has:student"},
    )
    for points, given in enumerate(tests, 5):
        ScoreRule.objects.create(author=admin_user, name=str(points), points=points, **given)


@pytest.mark.parametrize("model", COLUMNS)
@pytest.mark.parametrize("seed", range(3))
def test_imported_and_made_by_hand_are_alike(rep, tmp_path, run_jobs, model, seed):
    rng = random.Random(seed)
    records = [drawn(rng, number) for number in range(12)]
    rows = [[values[key] for key in COLUMNS[model]] for values in records]
    headers = [HEADERS[key] for key in COLUMNS[model]]
    path = sheets.write_workbook(tmp_path / "rows.xlsx", [headers, *rows])
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=kind_label(model), mode="all")
    run_jobs()
    assert run.counts == {"created": 12}
    imported = derived(model)
    standing = model._base_manager.filter(deleted_at=None)
    delete_records(records=list(standing), by=rep)
    assert not MatchKey.objects.filter(kind=kind_label(model)).exists()
    for values in records:
        by_hand(model, values, rep)
    run_jobs()
    assert imported == derived(model)


@pytest.mark.parametrize("model", COLUMNS)
def test_an_import_over_records_leaves_them_as_edits_would(rep, tmp_path, run_jobs, model):
    """The first half is there already, by hand and otherwise; the file brings everything to the same end."""
    rng = random.Random(7)
    records = [drawn(rng, number) | {"email": f"biuro{number}@huta.example"} for number in range(8)]
    for number, values in enumerate(records[:4]):
        before = {"city": "Hel", "position": "prezes", "phone": "", "tax_number": ""}
        by_hand(model, values | before | {"name": f"Dawna {number}", "last_name": "Dawny"}, rep)
    rows = [[values[key] for key in COLUMNS[model]] for values in records]
    path = sheets.write_workbook(tmp_path / "rows.xlsx", [[HEADERS[key] for key in COLUMNS[model]], *rows])
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind=kind_label(model), mode="both")
    run_jobs()
    assert run.counts == {"created": 4, "updated": 4}
    kind = kind_label(model)
    for record in model._base_manager.filter(deleted_at=None):
        stored = {name: getattr(record, name) for name in ("search_text", "sort_key", "name_key")}
        record.refresh_search()
        assert {name: getattr(record, name) for name in stored} == stored
        keys = set(MatchKey.objects.filter(kind=kind, record_id=record.pk).values_list("key", flat=True))
        assert f"e:{record.email}" in keys
        assert (f"p:{record.phone}" in keys) == bool(record.phone)
        if model is Counterparty:
            members = {one.category.name for one in CategoryMember.objects.filter(counterparty=record)}
            wanted = {"Gdynia"} if record.city == "Gdynia" else set()
            assert members == wanted | ({"With phone"} if record.phone else set())
        if model is Lead:
            points = 5 + (6 if record.phone else 0) + (7 if record.position == "student" else 0)
            assert record.score == points


def test_many_go_into_the_bin_as_one_does(rep, run_jobs):
    one, *many = [
        make_counterparty(rep, name=f"Alfa {number}", phone=f"22 123 45 0{number}") for number in range(4)
    ]
    delete_record(record=one, by=rep)
    assert set(delete_records(records=many, by=rep)) == {record.pk for record in many}
    assert not MatchKey.objects.filter(kind=kind_label(Counterparty)).exists()
    rows = Deletion.objects.filter(kind=kind_label(Counterparty)).values("title", "deleted_by", "along_with")
    assert list(rows.order_by("record_id")) == [
        {"title": f"Alfa {number}", "deleted_by": rep.pk, "along_with": None} for number in range(4)
    ]
    events = Event.objects.filter(kind="record_deleted").order_by("subject_id")
    assert [(event.subject_id, event.actor, event.version) for event in events] == [
        (record.pk, rep, 2) for record in (one, *many)
    ]


def test_deals_in_the_bin_wait_for_nothing(admin_user, rep, run_jobs):
    """One by one or together: moves are withdrawn, the runs that decide them are called off, tasks are closed."""
    make_example(admin_user, "commercial_offer", "proposal")
    one, *many = [make_waiting(rep).record() for _number in range(3)]
    delete_record(record=one, by=rep)
    delete_records(records=many, by=rep)
    run_jobs()
    requests = StageRequest.objects.order_by("deal").values_list("deal", "status")
    assert list(requests) == [(deal.pk, "withdrawn") for deal in (one, *many)]
    assert not ProcessInstance.objects.filter(ended_at=None).exists()
    assert not UserTask.objects.open().exists()
