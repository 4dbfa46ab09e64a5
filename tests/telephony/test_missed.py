"""A missed call becomes one call-back of the right person, unless somebody has reached the number."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collab.calendar.models import Activity
from crm.jobs.models import Job
from crm.notify.models import Notification
from crm.people.calendar import add_working_time, working_calendar
from crm.people.models import Absence, FieldRule
from leads.models import Lead
from telephony import missed
from telephony.missed import GRACE, settle
from telephony.models import Call, LeadRule, MissedCall
from tests.factories.counterparties import make_contact
from tests.factories.leads import make_source
from tests.factories.telephony import KNOWN, START, make_connection, play_flow

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


def later(seconds: float):
    return START + timedelta(seconds=seconds)


def after_grace(run_jobs):
    run_jobs(timezone.now() + GRACE + timedelta(seconds=1))


def test_nothing_is_planned_before_the_grace_is_over(connection, run_jobs):
    play_flow(connection, "incoming_missed")
    run_jobs()
    assert not Activity.objects.exists()
    after_grace(run_jobs)
    activity = Activity.objects.get()
    assert (activity.kind, activity.direction, activity.subject) == ("call", "out", "Call back 601 234 567")
    assert MissedCall.objects.get().activity == activity


def test_the_owner_of_the_card_calls_back(connection, teammate, run_jobs):
    contact = make_contact(teammate, phone=KNOWN)
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    activity = Activity.objects.get()
    assert (activity.owner, activity.contact) == (teammate, contact)


def test_somebody_away_is_stood_in_for(connection, rep, teammate, run_jobs):
    make_contact(teammate, phone=KNOWN)
    today = timezone.localdate()
    Absence.objects.create(user=teammate, first_day=today, last_day=today, substitute=rep)
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    assert Activity.objects.get().owner == rep


def test_the_rota_takes_turns(connection, rep, teammate, run_jobs):
    connection.rota.set([rep, teammate])
    for turn in range(4):
        play_flow(connection, "incoming_missed", call=f"c-{turn}", client=f"+4860123456{turn}")
        after_grace(run_jobs)
    owners = list(Activity.objects.order_by("pk").values_list("owner__username", flat=True))
    assert owners == ["rep", "teammate", "rep", "teammate"]


def test_one_call_back_however_often_somebody_calls(connection, run_jobs):
    for turn in range(3):
        play_flow(connection, "incoming_missed", call=f"c-{turn}", start=later(turn * 100))
    after_grace(run_jobs)
    assert Activity.objects.count() == 1
    assert set(MissedCall.objects.values_list("activity", flat=True)) == {Activity.objects.get().pk}


def test_settling_twice_plans_once(connection, run_jobs):
    call = play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    assert settle(call.pk) is None
    assert Activity.objects.count() == 1


@pytest.mark.parametrize("flow", ["incoming_answered", "outgoing_answered"])
def test_whoever_reached_the_number_within_the_grace_is_enough(connection, run_jobs, flow):
    play_flow(connection, "incoming_missed")
    spoken = play_flow(connection, flow, call="c-2", start=later(40))
    after_grace(run_jobs)
    missed = MissedCall.objects.get()
    assert (missed.status, missed.reached_by, Activity.objects.count()) == ("reached", spoken, 0)


def test_an_attempt_that_nobody_answers_is_not_enough(connection, run_jobs):
    play_flow(connection, "incoming_missed")
    play_flow(connection, "outgoing_no_answer", call="c-2", start=later(40))
    after_grace(run_jobs)
    assert Activity.objects.count() == 1


def test_a_call_back_is_done_when_its_owner_has_spoken_and_off_when_another_has(connection, rep, run_jobs):
    make_contact(rep, phone=KNOWN)
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    play_flow(connection, "outgoing_answered", call="c-2", start=later(600))
    assert Activity.objects.get().done_at is not None
    play_flow(connection, "incoming_missed", call="c-3", start=later(4000))
    after_grace(run_jobs)
    play_flow(connection, "ring_group", call="c-4", start=later(5000))
    assert Activity.objects.latest("pk").cancelled_at is not None


def test_an_end_told_before_the_answer_is_no_missed_call(connection, run_jobs):
    """The answer arrives late: the call was never missed."""
    call = play_flow(connection, "end_alone")
    assert call.is_missed
    play_flow(connection, "incoming_answered")
    after_grace(run_jobs)
    assert (MissedCall.objects.get().status, Activity.objects.count()) == ("reached", 0)


@pytest.mark.parametrize(
    ("flow", "values"),
    [("lost_end", {}), ("voicemail", {}), ("internal", {}), ("incoming_missed", {"client": "anonymous"}),
     ("outgoing_no_answer", {})],
)  # fmt: skip
def test_what_is_not_called_back(connection, run_jobs, flow, values):
    play_flow(connection, flow, **values)
    after_grace(run_jobs)
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("rule", "flow", "made"),
    [("hand", "incoming_missed", 0), ("missed", "incoming_missed", 1), ("missed", "incoming_answered", 0),
     ("always", "incoming_answered", 1), ("always", "outgoing_answered", 0)],
)  # fmt: skip
def test_unknown_numbers_become_leads_where_the_connection_says_so(connection, run_jobs, rule, flow, made):
    make_source("phone")
    connection.lead_rule = LeadRule(rule)
    connection.save()
    call = play_flow(connection, flow)
    run_jobs()
    call.refresh_from_db()
    assert Lead.objects.count() == made
    assert (call.lead == Lead.objects.first()) is True


def test_one_open_lead_for_a_number(connection, run_jobs):
    connection.lead_rule = LeadRule.ALWAYS
    connection.save()
    for turn in range(3):
        play_flow(connection, "incoming_answered", call=f"c-{turn}", start=later(turn * 200))
    run_jobs()
    play_flow(connection, "incoming_answered", call="c-9", start=later(2000))
    run_jobs()
    lead = Lead.objects.get()
    assert lead.phone == KNOWN
    assert set(Call.objects.values_list("lead", flat=True)) == {lead.pk}


# What is not returned in time


def test_the_head_hears_of_a_call_that_nobody_returned_in_working_time(connection, rep, head, run_jobs):
    make_contact(rep, phone=KNOWN)
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    clock = Job.objects.get(kind="telephony.escalate")
    due = add_working_time(clock.created_at, timedelta(minutes=60), working_calendar())
    assert abs(clock.run_at - due) < timedelta(minutes=5)
    for _ in range(2):
        run_jobs(clock.run_at)
    told = Notification.objects.filter(kind="telephony.not_returned")
    assert [(one.user, one.params["owner"]) for one in told] == [(head, str(rep))]
    assert missed.escalate(Activity.objects.get().pk) == []


def test_no_head_hears_of_a_number_that_was_reached_or_of_what_is_not_asked_for(
    connection, rep, head, run_jobs
):
    make_contact(rep, phone=KNOWN)
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    play_flow(connection, "outgoing_answered", call="c-2", start=later(3600))
    run_jobs(timezone.now() + timedelta(days=9))
    connection.return_minutes = 0
    connection.save()
    play_flow(connection, "incoming_missed", call="c-3", start=later(7200))
    after_grace(run_jobs)
    assert MissedCall.objects.filter(status="planned").exists()
    run_jobs(timezone.now() + timedelta(days=9))
    assert not Notification.objects.filter(kind="telephony.not_returned").exists()


def test_an_owner_who_must_not_see_numbers_is_told_whom_to_call(connection, rep, run_jobs):
    contact = make_contact(rep, phone=KNOWN)
    FieldRule.objects.create(
        role=rep.roles.get(), kind="counterparties.contact", field="phone", level="hidden"
    )
    play_flow(connection, "incoming_missed")
    after_grace(run_jobs)
    assert Activity.objects.get().subject == f"Call back: {contact}"
