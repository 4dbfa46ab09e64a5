"""The same planned for many records: in whose calendar, when, by whose right, and taken back."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from collab.calendar import services
from collab.calendar.many import NO_TIME_LEFT, Plan, PlanForMany, read_plan
from collab.calendar.models import Activity, Reminder
from crm.history.models import Event
from crm.jobs.models import Job
from crm.listing.bulk import tasks as bulk_tasks
from crm.listing.bulk.services import request_bulk, request_undo
from crm.listing.lists import list_of
from crm.listing.models import BulkRun
from crm.notify.models import Notification
from crm.people.calendar import WorkingCalendar
from leads.models import LeadStatus
from tests.factories.collab import WARSAW, monday
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
KEY = "collab_calendar.plan"


def plan(**values) -> Plan:
    return Plan(
        **{"kind": "call", "subject": "After the fair", "starts_at": monday(), "minutes": 15, **values}
    )


def ask(records, by, **values) -> BulkRun:
    kind = records[0]._meta.label_lower
    return request_bulk(
        rows=list_of(kind)(by, QueryDict("view=0")), action="deed", ids=[one.pk for one in records], field=KEY,
        value=json.dumps(plan(**values).value()), by=by,
    )  # fmt: skip


@pytest.fixture
def plan_for(run_jobs):
    def plan_for(records, by, **values) -> BulkRun:
        run = ask(records, by, **values)
        run_jobs()
        run.refresh_from_db()
        assert run.job.status == Job.Status.DONE, run.job.error
        return run

    return plan_for


@pytest.fixture
def undo(run_jobs):
    def undo(run: BulkRun) -> dict[str, str]:
        run = request_undo(run=run, by=run.made_by)
        run_jobs()
        assert run.undo_job.refresh_from_db() is None and run.undo_job.status == Job.Status.DONE
        return outcomes(run)

    return undo


def outcomes(run: BulkRun) -> dict[str, str]:
    return {item.title: item.status for item in run.items.all()}


def clocks(**which) -> list[str]:
    """When they begin, by the clocks of Warsaw: days after the Monday, and the time."""
    starts = Activity.objects.filter(**which).order_by("pk").values_list("starts_at", flat=True)
    local = [at.astimezone(WARSAW) for at in starts]
    return [f"{(at.date() - monday().date()).days} {at:%H:%M}" for at in local]


def test_what_stands_on_each_kind_of_card_is_as_if_planned_alone(rep, plan_for):
    """Also in history, and for the reminders that are usual."""
    party = make_counterparty(rep)
    deal, contact = make_deal(rep, counterparty=party), make_contact(rep)
    lead = make_lead(rep)
    for record, name in [(deal, "deal"), (party, "counterparty"), (contact, "contact"), (lead, "lead")]:
        alone = services.plan_activity(
            kind="call", subject="After the fair", starts_at=monday(), ends_at=monday() + timedelta(minutes=15),
            description="Ask", by=rep, **{name: record},
        )  # fmt: skip
        run = plan_for([record], rep, description="Ask")
        made = Activity.objects.latest("pk")
        same = (
            "kind", "subject", "description", "starts_at", "ends_at", "deal_id", "lead_id", "counterparty_id",
            "contact_id", "owner_id", "department_id", "created_by_id", "search_text", "sort_key", "version",
        )  # fmt: skip
        assert [getattr(made, one) for one in same] == [getattr(alone, one) for one in same]
        event, other = (Event.objects.get(kind="call_planned", subject_id=one.pk) for one in (made, alone))
        assert (event.payload, event.actor) == (other.payload, rep)
        assert [(link.kind, link.record_id) for link in event.links.order_by("pk")][1:] == [
            (link.kind, link.record_id) for link in other.links.order_by("pk")
        ][1:]
        reminders = [
            list(Reminder.objects.filter(activity=one).values_list("minutes_before", "due_at"))
            for one in (made, alone)
        ]
        assert reminders[0] == reminders[1] != []
        assert run.items.get().event == event
    lead.refresh_from_db()
    assert lead.status == LeadStatus.IN_WORK


def test_one_after_another_in_working_hours_for_each_calendar(rep, teammate, head, plan_for):
    """The company works from nine to five; the night lies between the second call and the third."""
    leads = [make_lead(owner) for owner in (rep, teammate, rep, rep)]
    plan_for(leads, head, every=20, starts_at=monday(16, 30))
    assert clocks(owner=rep) == ["0 16:30", "0 16:50", "1 09:10"]
    assert clocks(owner=teammate) == ["0 16:30"]
    # Told once, however many; nobody is told of his own doing.
    told = Notification.objects.filter(kind="collab_calendar.planned").order_by("user")
    assert {(one.user, one.params["count"]) for one in told} == {(rep, 3), (teammate, 1)}
    plan_for(leads, head, every=60, for_owner=False, starts_at=monday(9) - timedelta(days=1))
    assert clocks(owner=head) == ["0 09:00", "0 10:00", "0 11:00", "0 12:00"]
    assert told.count() == 2


def test_each_record_and_each_calendar_by_its_own_right(rep, teammate, outsider, plan_for):
    mine, theirs, hidden = (
        make_lead(rep, company="Mine"),
        make_lead(teammate, company="Theirs"),
        make_lead(outsider),
    )
    left, orphan = make_lead(rep, company="Left"), make_lead(rep, company="Nobody's")
    outsider.is_active = False
    outsider.save()
    type(left).objects.filter(pk=left.pk).update(owner=outsider)
    type(orphan).objects.filter(pk=orphan.pk).update(owner=None)
    run = plan_for([mine, theirs, hidden, left, orphan], rep)
    # A foreign record is not even mentioned.
    assert outcomes(run) == {"Mine": "done", "Theirs": "skipped", "Left": "skipped", "Nobody's": "done"}
    reasons = dict(run.items.filter(status="skipped").values_list("title", "reason"))
    assert reasons == {
        "Theirs": "You may not plan in the calendar of its owner.",
        "Left": "Its owner does not work here any more.",
    }
    # Whoever sees a card may plan on it in his own calendar.
    run = plan_for([mine, theirs, hidden], rep, for_owner=False)
    assert outcomes(run) == {"Mine": "done", "Theirs": "done"}
    assert set(Activity.objects.values_list("owner_id", flat=True)) == {rep.pk}


def test_taking_back_leaves_what_was_gone_on_with(rep, head, plan_for, undo):
    leads = [make_lead(rep, company=name) for name in ("Alone", "Done", "Moved", "Gone")]
    run = plan_for(leads, head)
    made = {activity.lead.company: activity for activity in Activity.objects.select_related("lead")}
    services.complete_activity(activity=made["Done"], result="Talked", by=rep)
    services.reschedule_activity(activity=made["Moved"], starts_at=monday(14), by=rep)
    Activity.objects.filter(pk=made["Gone"].pk).update(deleted_at=timezone.now())
    assert undo(run) == {"Alone": "undone", "Done": "kept", "Moved": "kept", "Gone": "kept"}
    assert set(Activity.objects.filter(deleted_at=None).values_list("lead__company", flat=True)) == {
        "Done",
        "Moved",
    }
    assert Event.objects.filter(kind="record_deleted", subject_id=made["Alone"].pk).count() == 1
    assert dict(run.items.filter(status="kept").values_list("title", "reason")) == {
        "Done": "Somebody has gone on with it since.",
        "Moved": "Somebody has gone on with it since.",
        "Gone": "It is not there any more.",
    }


class Killed(BaseException):
    """The worker is gone in the middle of a slice."""


def test_killed_between_and_within_slices_it_plans_each_once(rep, run_jobs, monkeypatch):
    """What had committed stays and counts for the next time of day; what had not is done again."""
    records = [make_contact(rep, last_name=f"No {number}") for number in range(12)]
    run = ask(records, rep, every=30)
    monkeypatch.setattr(bulk_tasks, "SLICE_SECONDS", 0.0001)
    turns = {"left": 2}
    whole = PlanForMany.do

    def do(self, found):
        outcome = whole(self, found)
        if turns["left"] == 0:
            raise Killed
        turns["left"] -= 1
        return outcome

    monkeypatch.setattr(PlanForMany, "do", do)
    with pytest.raises(Killed):
        run_jobs()
    assert 0 < Activity.objects.count() < 12
    monkeypatch.setattr(PlanForMany, "do", whole)
    run_jobs(timezone.now() + timedelta(minutes=10))
    run.refresh_from_db()
    assert run.job.status == Job.Status.DONE, run.job.error
    assert sorted(Activity.objects.values_list("contact_id", flat=True)) == [one.pk for one in records]
    assert clocks() == [f"0 {9 + half // 2:02}:{half % 2 * 30:02}" for half in range(12)]


def slice_queries(user, records) -> int:
    work = PlanForMany(plan(every=5).value(), user)
    work.resume(Event.objects.none())
    fresh = list(type(records[0]).objects.filter(pk__in=[one.pk for one in records]))
    user.__dict__.pop("access", None)
    with CaptureQueriesContext(connection) as queries:
        assert len(work.do(fresh)) == len(records)
    return len(queries)


def test_two_hundred_cost_as_many_queries_as_two(rep):
    party = make_counterparty(rep)
    contacts = [make_contact(rep) for _number in range(200)]
    deals = [make_deal(rep, counterparty=party) for _number in range(20)]
    assert slice_queries(rep, contacts[:20]) == slice_queries(rep, contacts[20:22]) < 25
    assert slice_queries(rep, deals) == slice_queries(rep, deals[:2]) < 25
    # SQLite takes so many values in a statement and no more.
    assert slice_queries(rep, contacts) < 30
    assert Activity.objects.filter(contact__in=contacts).count() == 222


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "pigeon"}, {"kind": 5}, {"subject": "x" * 201}, {"subject": None}, {"starts_at": "soon"},
        {"starts_at": "2027-01-01T09:00"}, {"starts_at": 7}, {"minutes": -1}, {"minutes": "15"}, {"minutes": 10**6},
        {"every": 10**6}, {"every": None}, {"remind": [-5]}, {"remind": ["5"]}, {"remind": list(range(9))},
        {"remind": 5}, {"description": "x" * 10_001}, {"description": None}, {"more": 1},
    ],
)  # fmt: skip
def test_no_senseless_plan_is_read(wrong):
    with pytest.raises(ValidationError):
        read_plan({**plan().value(), **wrong})


def test_a_company_that_never_works_is_said(rep):
    work, records = PlanForMany(plan(every=5).value(), rep), [make_contact(rep), make_contact(rep)]
    work.resume(Event.objects.none())
    work._calendar = WorkingCalendar({}, "PL", WARSAW)
    assert set(work.do(records).values()) == {NO_TIME_LEFT}
    assert not Activity.objects.exists()


def post(client, kind="leads.lead", **values):
    return client.post(reverse("lists:bulk_create"), {"kind": kind, "query": "view=0", **values})


def test_the_pages(rep, marketing, signed_in, run_jobs):
    lead, client = make_lead(rep, company="Mine"), signed_in(rep)
    make_deal(rep, contacts=[make_contact(rep)])
    for name in ("leads:lead", "counterparties:counterparty", "counterparties:contact", "deals:deal"):
        assert f'value="{KEY}"' in client.get(reverse(f"{name}_list")).content.decode(), name
    asked = post(client, deed=KEY, ids=lead.pk)
    assert asked.status_code == 200 and 'name="plan-subject"' in asked.content.decode()
    good = {
        "deed": KEY, "ids": lead.pk, "confirmed": "1", "plan-kind": "call", "plan-subject": "<b>Fair</b>",
        "plan-starts_at": "2027-03-01T10:00", "plan-minutes": "15", "plan-every": "10", "plan-whose": "owner",
        "plan-remind": ["5"],
    }  # fmt: skip
    for wrong in [
        {"ids": ""}, {"ids": "x,-1"}, {"plan-kind": "pigeon"}, {"plan-starts_at": "2027-03-28T02:30"},
        {"plan-starts_at": ""}, {"plan-minutes": "7"}, {"plan-every": "1"}, {"plan-every": "x"},
        {"plan-whose": "boss"}, {"plan-subject": "x" * 201}, {"plan-remind": ["7"]}, {"plan-subject": "a\x00b"},
    ]:  # fmt: skip
        assert post(client, **{**good, **wrong}).status_code == 422, wrong
    assert post(client, **{**good, "deed": "collab_calendar.explode"}).status_code == 404
    assert post(client, kind="telephony.call", **good).status_code in {403, 404}
    assert post(client, action="deed", ids=lead.pk, confirmed="1").status_code == 404
    assert not BulkRun.objects.exists()
    answer = post(client, **good)
    run = BulkRun.objects.get()
    url = reverse("lists:bulk_detail", args=[run.pk])
    assert answer["Location"] == url
    run_jobs()
    page = client.get(url).content.decode()
    assert "Plan activity" in page and "&lt;b&gt;Fair" in page and "Undo all of it" in page
    made = Activity.objects.get()
    assert (made.lead, made.subject) == (lead, "<b>Fair</b>")
    assert signed_in(marketing).get(url).status_code == 404
