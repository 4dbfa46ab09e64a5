"""The clock of the first response: deadline, answer measured, escalation by the timer, list, page of figures."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from collab.calendar.services import log_activity
from crm.history.models import Event
from crm.jobs.models import Job
from crm.notify.models import Notification
from leads.imports import write
from leads.models import Lead
from leads.response import heads_above
from leads.services import disqualify_lead
from tests.factories.leads import make_lead, make_reason, make_source

WARSAW = ZoneInfo("Europe/Warsaw")
FRIDAY = datetime(2026, 11, 27, 16, tzinfo=WARSAW)
DUE = datetime(2026, 11, 30, 10, tzinfo=WARSAW)


@pytest.fixture
def source(db):
    """Website: two working hours."""
    return make_source("website")


@pytest.fixture
def lead(rep, source):
    with time_machine.travel(FRIDAY, tick=False):
        return make_lead(rep, source=source)


def late_notes(user) -> list[str]:
    return [row.sentence for row in Notification.objects.filter(user=user, kind="leads.response_overdue")]


def test_the_deadline_is_counted_in_working_time(rep, lead):
    assert lead.respond_by == DUE
    assert make_lead(rep, company="Bez źródła").respond_by is None


def test_the_answer_is_measured(rep, lead):
    with time_machine.travel(DUE - timedelta(minutes=15), tick=False):
        log_activity(kind="call", subject="Call", result="ok", by=rep, lead=lead)
    lead.refresh_from_db()
    assert lead.response_minutes == 105


def test_the_head_is_told_when_time_is_over_and_only_once(rep, head, lead, run_jobs):
    job = Job.objects.get(kind="leads.response_escalation")
    assert (job.run_at, job.status) == (DUE, Job.Status.DUE)
    with time_machine.travel(DUE + timedelta(seconds=1), tick=False):
        run_jobs()
        run_jobs()
    assert late_notes(head) == [
        f"Nobody has answered “Huta Żelazna S.A.” within the agreed time; it belongs to {rep}."
    ]
    assert Event.objects.filter(kind="lead_response_overdue", subject_id=lead.pk).count() == 1
    assert not Job.objects.open().filter(kind="leads.response_escalation").exists()


def test_the_clock_goes_on_to_the_next_deadline(rep, head, lead, source, run_jobs):
    with time_machine.travel(FRIDAY + timedelta(minutes=30), tick=False):
        make_lead(rep, company="Druga S.A.", source=source)
    with time_machine.travel(DUE + timedelta(seconds=1), tick=False):
        run_jobs()
    assert Job.objects.open().get(kind="leads.response_escalation").run_at == DUE + timedelta(minutes=30)
    assert len(late_notes(head)) == 1


@pytest.mark.parametrize("how", ["answered", "given up"])
def test_nobody_is_bothered_about_a_lead_that_was_answered(rep, head, lead, run_jobs, how):
    with time_machine.travel(FRIDAY + timedelta(minutes=5), tick=False):
        if how == "answered":
            log_activity(kind="call", subject="Call", result="ok", by=rep, lead=lead)
        else:
            disqualify_lead(lead=lead, reason=make_reason(), by=rep)
    with time_machine.travel(DUE + timedelta(seconds=1), tick=False):
        run_jobs()
    assert late_notes(head) == []


def test_heads_are_looked_for_upwards(rep, head, admin_user):
    assert heads_above(rep, rep.department_id) == [head]
    assert heads_above(head, head.department_id) == [admin_user]
    assert heads_above(rep, None) == []


def test_card_and_list_show_the_clock(rep, lead, signed_in):
    client = signed_in(rep)
    card = reverse("leads:lead_detail", args=[lead.pk])
    with time_machine.travel(FRIDAY, tick=False):
        assert "Waiting for the first response" in client.get(card).text
        assert lead.name in client.get(reverse("leads:lead_list"), {"response": "waiting"}).text
    with time_machine.travel(DUE, tick=False):
        assert "The first response is overdue" in client.get(card).text
        assert lead.name in client.get(reverse("leads:lead_list"), {"response": "overdue"}).text
        assert lead.name not in client.get(reverse("leads:lead_list"), {"response": "waiting"}).text


def test_figures_per_person(rep, teammate, head, outsider, source, signed_in):
    with time_machine.travel(FRIDAY - timedelta(hours=6), tick=False):
        early = make_lead(rep, company="Jeden S.A.", source=source)
        late = make_lead(rep, company="Dwa S.A.", source=source)
        make_lead(teammate, company="Trzy S.A.", source=source)
    for lead, minutes in ((early, 30), (late, 180)):
        with time_machine.travel(FRIDAY - timedelta(hours=6) + timedelta(minutes=minutes), tick=False):
            log_activity(kind="call", subject="Call", result="ok", by=rep, lead=lead)
    with time_machine.travel(FRIDAY, tick=False):
        rows = signed_in(head).get(reverse("leads:lead_responses")).context["rows"]
        found = {
            str(row["owner"]): (row["received"], row["in_time"], row["late"], row["waiting"]) for row in rows
        }
        assert found == {str(rep): (2, 1, 1, 0), str(teammate): (1, 0, 0, 1)}
        assert rows[0]["minutes"] == 105
        assert signed_in(outsider).get(reverse("leads:lead_responses")).context["rows"] == []


def test_an_imported_lead_has_its_clock_too(rep, source):
    class Run:
        pk, file = 7, type("File", (), {"name": "targi.csv"})

    with time_machine.travel(FRIDAY, tick=False):
        written = write([(1, {"company": "Z pliku", "source": "Website"})], [], run=Run, by=rep)
    assert Lead.objects.get(pk=written.created[1]).respond_by == DUE
