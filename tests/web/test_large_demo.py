"""The demo of a whole company, a two-thousandth of it: what was loaded in bulk is what saving would have written."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from collab.calendar.models import Activity
from counterparties.models import Contact, Counterparty
from crm.attributes.consistency import differences
from crm.history.models import Event, EventLink
from crm.people.kinds import all_kinds
from crm.people.models import User
from crm.web.bench.pages import BUDGETS
from crm.web.demo import Demo, steps
from deals.models import Deal, StageTransition
from leads.models import Lead

OWNED = [Counterparty, Contact, Lead, Deal]


def load(part: float) -> Demo:
    demo = Demo(scale="large", today=date.today(), say=lambda *words, **options: None, part=part)
    for step in steps("large"):
        step.load(demo)
    return demo


@pytest.fixture(scope="module")
def indexes_before(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return indexes()


@pytest.fixture(scope="module")
def loaded(indexes_before, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield load(1 / 2000)
        transaction.set_rollback(True)


@pytest.fixture
def large(loaded, db):
    return loaded


def indexes() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {
            (table, name)
            for table in tables
            for name in connection.introspection.get_constraints(cursor, table)
            if not name.startswith("__")
        }


def test_volumes(large):
    counts = [model.objects.count() for model in (Counterparty, Contact, Lead, Deal)]
    assert counts == [50, 75, 50, 100]
    assert Activity.objects.count() > 250
    assert User.objects.count() == 50


@pytest.mark.parametrize("model", OWNED)
def test_derived_columns_are_those_of_saving(large, model):
    for record in model.objects.select_related("owner"):
        stored = {name: record.__dict__.get(name) for name in ("search_text", "sort_key", "name_key", "name")}
        record.refresh_search()
        assert {name: record.__dict__.get(name) for name in stored} == stored
        assert record.department_id == record.owner.department_id
        record.full_clean(
            exclude=["attributes", "owner", "search_text", "sort_key", "name_key", "note", "position"]
        )


def test_derived_rows_are_those_of_the_values(large):
    assert list(differences()) == []


def test_nobody_but_the_loader_would_notice(large, indexes_before):
    """Indexes, constraints and sequences are as they were before."""
    assert indexes() == indexes_before
    contact = Contact(last_name="Nowak", owner=User.objects.get(username="rep"))
    contact.save()
    assert contact.pk == Contact.objects.order_by("-pk")[0].pk


def test_a_deal_stands_where_its_ledger_says(large):
    for deal in Deal.objects.all():
        rows = list(StageTransition.objects.filter(deal=deal).order_by("at", "id"))
        assert (rows[0].cause, rows[0].from_stage_id) == ("created", None)
        assert (rows[-1].to_stage_id, rows[-1].to_status, rows[-1].amount) == (
            deal.stage_id,
            deal.status,
            deal.amount,
        )
        for before, after in pairwise(rows):
            assert (after.from_stage_id, after.from_status) == (before.to_stage_id, before.to_status)


def test_every_event_stands_on_its_subjects_card(large):
    labels = {kind.label: kind.model for kind in all_kinds()}
    for event in Event.objects.all():
        assert EventLink.objects.filter(
            event=event, kind=event.subject_kind, record_id=event.subject_id
        ).exists()
        assert labels[event.subject_kind]._base_manager.filter(pk=event.subject_id).exists()


def test_the_known_people_have_their_shares(large):
    rep, head, admin = (User.objects.get(username=login) for login in ("rep", "head", "admin"))
    everything = Deal.objects.visible_to(admin).count()
    assert everything == 100
    assert Deal.objects.visible_to(rep).count() < Deal.objects.visible_to(head).count() < everything / 2


def test_bench_measures_lists_cards_board_search_and_writing(large, capsys):
    call_command("bench", "--json", "--as=admin", "--repeat=1", "--only=deal")
    found = json.loads(capsys.readouterr().out)
    assert found["database"] == connection.vendor
    assert found["data"]["deals.deal"] == 100
    assert found["floor_ms"] > 0
    assert {page["kind"] for page in found["pages"]} >= {"list", "card", "panel", "post"}
    assert {page["persona"] for page in found["pages"]} == {"admin"}
    for page in found["pages"]:
        assert page["status"] < 400, page
        assert page["cpu_ms"] > 0 and page["bytes"] >= 0
        if page["kind"] in {"list", "card", "board"}:
            assert page["queries"] <= BUDGETS[page["kind"]].queries, page


def test_bench_leaves_nothing_behind(large):
    before = (Deal.objects.count(), Event.objects.count())
    call_command("bench", "--as=admin", "--repeat=1", "--only=open a deal")
    assert (Deal.objects.count(), Event.objects.count()) == before
