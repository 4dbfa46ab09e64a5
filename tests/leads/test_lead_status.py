"""Statuses of leads: only along their ways, each with its event and signal."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from collab.calendar.services import log_activity
from crm.history.models import Event
from leads.models import Lead, LeadStatus
from leads.services import (
    LeadNotOpen,
    disqualify_lead,
    mark_duplicate,
    reopen_lead,
    set_unreachable,
    start_work,
)
from leads.signals import lead_status_changed
from tests.factories.leads import make_lead, make_reason


@pytest.fixture
def lead(rep):
    return make_lead(rep)


@pytest.fixture
def told():
    """(before, after) of every change of status the areas above hear of."""
    seen = []

    def hear(lead, before, **kwargs):
        seen.append((str(before), str(lead.status)))

    lead_status_changed.connect(hear)
    yield seen
    lead_status_changed.disconnect(hear)


def last_event(lead):
    return Event.objects.filter(subject_kind="leads.lead", subject_id=lead.pk).latest("pk")


def test_the_first_activity_takes_a_lead_to_work(rep, lead, told):
    log_activity(kind="call", subject="First call", result="Interested", by=rep, lead=lead)
    lead.refresh_from_db()
    assert (lead.status, told) == (LeadStatus.IN_WORK, [("new", "in_work")])
    assert lead.first_response_at is not None


def test_work_starts_once(rep, lead, told):
    assert (start_work(lead=lead, by=rep), start_work(lead=lead, by=rep)) == (True, False)
    assert told == [("new", "in_work")]


def test_a_stale_copy_does_not_start_work_again(rep, lead, told):
    stale = Lead.objects.get(pk=lead.pk)
    disqualify_lead(lead=lead, reason=make_reason(), by=rep)
    assert start_work(lead=stale, by=rep) is False
    assert Lead.objects.get(pk=lead.pk).status == LeadStatus.UNQUALIFIED


def test_giving_up_demands_a_reason(rep, lead, told):
    with pytest.raises(ValidationError):
        disqualify_lead(lead=lead, reason=None, by=rep)
    disqualify_lead(lead=lead, reason=make_reason(), note=" Too small ", by=rep)
    event = last_event(lead)
    assert (lead.status, lead.status_note, event.kind) == ("unqualified", "Too small", "lead_disqualified")
    assert event.payload == {"reason": {"name": "No need", "name_pl": "Brak potrzeby"}, "note": "Too small"}
    assert told == [("new", "unqualified")]


def test_the_database_demands_the_reason_too(lead):
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(status="unqualified")


def test_only_a_conversion_qualifies(lead):
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(status="qualified")


def test_a_closed_lead_is_not_closed_again(rep, lead):
    set_unreachable(lead=lead, by=rep)
    with pytest.raises(LeadNotOpen):
        mark_duplicate(lead=lead, by=rep)
    with pytest.raises(LeadNotOpen):
        disqualify_lead(lead=lead, reason=make_reason(), by=rep)


def test_reopening_leads_back_to_where_it_was(rep, lead, told):
    with pytest.raises(LeadNotOpen):
        reopen_lead(lead=lead, by=rep)
    disqualify_lead(lead=lead, reason=make_reason(), note="x", by=rep)
    reopen_lead(lead=lead, by=rep)
    assert (lead.status, lead.reason, lead.status_note) == (LeadStatus.NEW, None, "")
    start_work(lead=lead, by=rep)
    other = make_lead(rep, company="The same")
    mark_duplicate(lead=lead, of=other, by=rep)
    assert lead.duplicate_of == other
    reopen_lead(lead=lead, by=rep)
    assert (lead.status, lead.duplicate_of) == (LeadStatus.IN_WORK, None)
    assert last_event(lead).kind == "lead_reopened"


def test_not_a_duplicate_of_itself_or_of_what_is_hidden(rep, outsider, lead):
    with pytest.raises(ValidationError):
        mark_duplicate(lead=lead, of=lead, by=rep)
    with pytest.raises(PermissionDenied):
        mark_duplicate(lead=lead, of=make_lead(outsider), by=rep)


def test_others_may_not(teammate, outsider, lead):
    for user in (teammate, outsider):
        with pytest.raises(PermissionDenied):
            set_unreachable(lead=lead, by=user)
    with pytest.raises(PermissionDenied):
        start_work(lead=lead, by=outsider)
