"""Assignment by rules: filters, one person, in turn, by load, absence, working hours, many at the same moment."""

from collections import Counter
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from crm.history.models import Event
from crm.notify.models import Notification
from crm.people.absences import Absence
from leads.assignment import assign_by_rules
from leads.intake import receive_lead
from leads.models import AssignmentRule, Lead, Strategy
from leads.rules import clean_query, in_words
from tests.deals.test_concurrent_requests import at_once
from tests.factories.leads import make_lead, make_source
from tests.factories.people import make_user

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Europe/Warsaw"))


def rule(author, **values) -> AssignmentRule:
    return AssignmentRule.objects.create(
        author=author, name=values.pop("name", "Rule"), name_pl="Reguła", **values
    )


@pytest.fixture
def team(company):
    """(rep, teammate): the sellers of the northern department, beside their head."""
    return company["rep"], company["teammate"]


@pytest.fixture
def in_turn(admin_user, rep):
    return rule(admin_user, strategy=Strategy.ROUND_ROBIN, department=rep.department)


def receive(by, number: int = 1, **values) -> Lead:
    return receive_lead(values={"company": f"Firma {number}", **values}, by=by, via="form")


def test_without_rules_a_lead_stays_with_whoever_took_it_in(admin_user):
    assert receive(admin_user).owner == admin_user


def test_a_lead_goes_to_the_person_of_the_first_rule_that_fits(admin_user, rep, outsider):
    rule(admin_user, query="f=city:has:łódź", strategy=Strategy.PERSON, person=rep, position=1, name="Łódź")
    rule(admin_user, strategy=Strategy.PERSON, person=outsider, position=2)
    lead = receive(admin_user, city="Łódź-Bałuty")
    assert (lead.owner, lead.department) == (rep, rep.department)
    assert receive(admin_user, 2, city="Gdynia").owner == outsider
    event = Event.objects.get(kind="lead_assigned", subject_id=lead.pk)
    assert (event.payload["rule"]["name"], event.via) == ("Łódź", "form")
    assert [(change.field, change.new_text) for change in event.changes.all()] == [("owner", str(rep))]
    assert Notification.objects.get(user=rep).sentence == "A new lead is yours: Firma 1"


def test_a_source_is_a_filter_too(admin_user, rep):
    source = make_source("website")
    rule(admin_user, query=f"source={source.pk}", strategy=Strategy.PERSON, person=rep)
    assert receive(admin_user, source=source).owner == rep
    assert receive(admin_user, 2).owner == admin_user


def test_an_owner_named_by_the_sender_stays(admin_user, rep, outsider):
    rule(admin_user, strategy=Strategy.PERSON, person=rep)
    assert receive(admin_user, owner=outsider).owner == outsider


def test_in_turn(admin_user, in_turn, company):
    owners = [receive(admin_user, number).owner.username for number in range(6)]
    assert owners == ["rep", "teammate", "head"] * 2


def test_a_batch_takes_as_many_turns(admin_user, in_turn):
    leads = [make_lead(admin_user, company=f"Firma {number}") for number in range(7)]
    assign_by_rules(leads=leads, by=admin_user)
    owners = Counter(
        Lead.objects.filter(pk__in=[lead.pk for lead in leads]).values_list("owner__username", flat=True)
    )
    assert owners == {"rep": 3, "teammate": 2, "head": 2}
    assert Notification.objects.filter(kind="leads.assigned").count() == 3


def test_somebody_who_may_not_work_on_leads_is_no_member(admin_user, rep):
    newcomer = make_user("newcomer", department=rep.department)
    rule(admin_user, strategy=Strategy.ROUND_ROBIN, department=rep.department)
    assert newcomer not in {receive(admin_user, number).owner for number in range(4)}


def test_by_load(admin_user, company, rep, teammate, head):
    for number in range(2):
        make_lead(rep, company=f"Alt {number}")
    make_lead(head, company="Alt 3")
    rule(admin_user, strategy=Strategy.LOAD, department=rep.department)
    owners = [receive(admin_user, number).owner.username for number in range(4)]
    assert owners == ["teammate", "teammate", "head", "rep"]


@time_machine.travel(MONDAY_NOON, tick=False)
def test_the_absent_get_nothing(admin_user, in_turn, rep, teammate, head, outsider):
    Absence.objects.create(user=rep, first_day=date(2026, 11, 23), last_day=date(2026, 11, 23))
    assert {receive(admin_user, number).owner.username for number in range(4)} == {"teammate", "head"}
    Absence.objects.create(
        user=outsider, first_day=date(2026, 11, 20), last_day=date(2026, 11, 24), substitute=teammate
    )
    AssignmentRule.objects.update(strategy=Strategy.PERSON, person=outsider)
    assert receive(admin_user, 9).owner == teammate


@pytest.mark.parametrize(("moment", "owner"), [("2026-11-23 12:00", "rep"), ("2026-11-22 12:00", "outsider")])
def test_a_rule_for_working_hours_sleeps_on_sundays(admin_user, company, moment, owner):
    rule(admin_user, strategy=Strategy.PERSON, person=company["rep"], only_working_hours=True, position=1)
    rule(admin_user, strategy=Strategy.PERSON, person=company["outsider"], position=2)
    with time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Europe/Warsaw"))):
        assert receive(admin_user).owner.username == owner


def test_a_rule_knows_whom_it_gives_to(admin_user):
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(admin_user, strategy=Strategy.LOAD)


def test_filters_are_pasted_as_the_lists_address(admin_user):
    pasted = "https://crm.example/leads/?f=city:has:Opole&tab=new&after=xyz"
    query = clean_query(pasted, admin_user)
    assert "after" not in query
    assert in_words(query, admin_user) == "City contains Opole; New"
    for nonsense in ("f=nothing:has:x", "hello", "https://crm.example/leads/", "owner=99999"):
        with pytest.raises(ValidationError):
            clean_query(nonsense, admin_user)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite has one connection")
@pytest.mark.django_db(transaction=True)
def test_nobody_is_passed_over_when_leads_arrive_at_the_same_moment(company):
    admin = company["admin"]
    rule(admin, strategy=Strategy.ROUND_ROBIN, department=company["rep"].department)
    results = at_once(*[lambda number=number: receive(admin, number) for number in range(12)])
    assert Counter(lead.owner.username for lead in results) == {"rep": 4, "teammate": 4, "head": 4}
