"""Processes started outside the gates of stages: by hand, when a record is created, by a message; chains of them."""

from datetime import time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from bpm.chains import DEEPEST
from bpm.control import retry_instance
from bpm.models import InstanceStatus, ProcessInstance, Trigger, TriggerEvent, UserTask
from bpm.pages import PANELS
from bpm.trigger_rules import add_trigger, switch_trigger
from bpm.triggers import offered, start_on, start_run
from crm.jobs.models import Job
from crm.notify.models import Notification
from crm.operations import registry
from crm.operations.registry import Operation, register_operation
from crm.people.models import Role
from deals.services import request_stage
from tests.factories.bpm import EXAMPLES, chain, diagram, make_version, service_task, user_task
from tests.factories.counterparties import make_contact
from tests.factories.deals import make_deal, make_loss_reason
from tests.factories.leads import make_lead
from tests.factories.telephony import KNOWN, make_connection, play_flow


@pytest.fixture
def definition(admin_user):
    return make_version(admin_user, diagram(chain(user_task("Ask")))).definition


def test_a_run_starts_with_the_next_worker_and_asks_its_starter(definition, rep, run_jobs):
    run = start_run(definition=definition, record=make_deal(rep), by=rep, variables={"limit": 5})
    run_jobs()
    run.refresh_from_db()
    assert (run.status, run.started_by, run.variables["limit"]) == (InstanceStatus.WAITING, rep, 5)
    assert UserTask.objects.get().assignee == rep


def test_the_same_key_starts_once(definition, rep, run_jobs):
    deal = make_deal(rep)
    first = start_run(definition=definition, record=deal, by=rep, start_key="won:1")
    assert start_run(definition=definition, record=deal, by=rep, start_key="won:1") == first
    run_jobs()
    assert (ProcessInstance.objects.count(), UserTask.objects.count()) == (1, 1)


def test_refused_on_another_s_card_another_kind_and_when_out_of_use(definition, rep, outsider):
    deal = make_deal(rep)
    with pytest.raises(PermissionDenied):
        start_run(definition=definition, record=deal, by=outsider)
    with pytest.raises(ValidationError):
        start_run(definition=definition, record=make_lead(rep), by=rep)
    definition.is_active = False
    with pytest.raises(ValidationError):
        start_run(definition=definition, record=deal, by=rep)
    assert ProcessInstance.objects.count() == 0


def work(run_jobs):
    """Jobs and the jobs they leave behind, until none is due."""
    while run_jobs():
        pass


# By hand


def add(definition, by, **values):
    return add_trigger(definition=definition, by=by, **values)


@pytest.fixture
def lead_definition(admin_user):
    data = diagram(chain(user_task("Call")), key="call_lead").replace(b"deals.deal", b"leads.lead")
    return make_version(admin_user, data).definition


def test_a_card_offers_what_may_be_started_and_the_task_comes(
    definition, admin_user, rep, signed_in, run_jobs
):
    trigger, deal = add(definition, admin_user, kind="hand"), make_deal(rep)
    client, url = signed_in(rep), reverse("bpm:run_start", args=["deals.deal", deal.pk, trigger.pk])
    panel = client.get(reverse("bpm:deal_processes", args=[deal.pk]))
    assert (list(panel.context["offered"]), url in panel.content.decode()) == ([trigger], True)
    offers = client.get(reverse("bpm:run_offers", args=["deals.deal", deal.pk]))
    assert (list(offers.context["offered"]), url in offers.content.decode()) == ([trigger], True)
    answer = client.post(url, headers={"HX-Request": "true"})
    assert (answer.status_code, "task-done" in answer["HX-Trigger"]) == (204, True)
    run_jobs()
    run = ProcessInstance.objects.get()
    assert (run.trigger, run.started_by, run.depth, UserTask.objects.get().assignee) == (trigger, rep, 0, rep)
    assert client.post(url).url == f"{reverse('deals:deal_detail', args=[deal.pk])}?panel=processes"


def test_a_double_click_starts_one(definition, admin_user, rep, signed_in):
    trigger, deal = add(definition, admin_user, kind="hand"), make_deal(rep)
    url = reverse("bpm:run_start", args=["deals.deal", deal.pk, trigger.pk])
    client = signed_in(rep)
    [client.post(url, {"form_token": "the-same"}) for _ in range(2)]
    assert ProcessInstance.objects.count() == 1


def test_who_may_start_by_hand(definition, lead_definition, admin_user, rep, teammate, outsider, signed_in):
    role = Role.objects.create(key="lawyers", name="Lawyers", name_pl="Prawnicy")
    teammate.roles.add(role)
    trigger, deal = add(definition, admin_user, kind="hand", role=role), make_deal(rep)
    url = reverse("bpm:run_start", args=["deals.deal", deal.pk, trigger.pk])
    assert [list(offered("deals.deal", user)) for user in (rep, teammate)] == [[], [trigger]]
    assert signed_in(outsider).post(url).status_code == 404
    signed_in(rep).post(url)
    assert ProcessInstance.objects.count() == 0
    wrong_kind = add(lead_definition, admin_user, kind="hand")
    for address in (["deals.deal", deal.pk, wrong_kind.pk], ["people.user", 1, trigger.pk], ["x", 1, 1]):
        assert signed_in(teammate).post(reverse("bpm:run_start", args=address)).status_code == 404
    signed_in(teammate).post(url)
    assert ProcessInstance.objects.get().started_by == teammate
    switch_trigger(trigger=trigger, on=False, by=admin_user)
    signed_in(teammate).post(url)
    assert ProcessInstance.objects.count() == 1


def test_the_card_has_the_button_only_where_something_may_be_started(definition, admin_user, rep, signed_in):
    deal, client = make_deal(rep), signed_in(rep)
    card, offers = (
        reverse("deals:deal_detail", args=[deal.pk]),
        reverse("bpm:run_offers", args=["deals.deal", deal.pk]),
    )
    assert offers not in client.get(card).content.decode()
    trigger = add(definition, admin_user, kind="hand")
    assert offers in client.get(card).content.decode()
    switch_trigger(trigger=trigger, on=False, by=admin_user)
    assert offers not in client.get(card).content.decode()
    assert client.get(reverse("bpm:run_offers", args=["people.user", rep.pk])).status_code == 404


@pytest.mark.parametrize("url_name", PANELS.values())
def test_the_panel_stands_on_every_kind_of_card(url_name, rep, outsider, signed_in):
    lead, deal = make_lead(rep), make_deal(rep)
    contact = make_contact(rep)
    records = {"deal": deal, "lead": lead, "counterparty": deal.counterparty, "contact": contact}
    url = reverse(url_name, args=[records[url_name.removeprefix("bpm:").removesuffix("_processes")].pk])
    assert signed_in(rep).get(url).status_code == 200
    assert signed_in(outsider).get(url).status_code == 404


# When a record is created


def test_a_new_record_that_fits_starts_a_run_once(lead_definition, admin_user, rep, run_jobs):
    trigger = add(lead_definition, admin_user, kind="created", query="f=city:has:opole")
    assert trigger.said == "City contains opole"
    make_lead(rep, name="Elsewhere", city="Gdynia")
    lead = make_lead(rep, name="Here", city="Opole")
    work(run_jobs)
    run = ProcessInstance.objects.get()
    assert (run.record_id, run.started_by, run.trigger, UserTask.objects.get().assignee) == (
        lead.pk,
        rep,
        trigger,
        rep,
    )
    start_on(
        on="created", kind="leads.lead", record_id=lead.pk, by_id=rep.pk, cause_id=None, key=str(lead.pk)
    )
    assert ProcessInstance.objects.count() == 1


def test_no_trigger_no_job(lead_definition, admin_user, rep):
    trigger = add(lead_definition, admin_user, kind="created")
    switch_trigger(trigger=trigger, on=False, by=admin_user)
    make_lead(rep)
    assert not Job.objects.filter(kind="bpm.occurred").exists()


def test_a_record_that_nobody_created_starts_in_the_author_s_name(lead_definition, admin_user, rep):
    add(lead_definition, admin_user, kind="created")
    lead = make_lead(rep)
    given = {"on": "created", "kind": "leads.lead", "by_id": None, "cause_id": None}
    start_on(record_id=lead.pk, key="1", **given)
    assert ProcessInstance.objects.get().started_by == admin_user
    assert start_on(record_id=10**9, key="2", **given) == 0


# When a deal is closed


def close(deal, by, status):
    reason = make_loss_reason() if status == "lost" else None
    request_stage(deal=deal, status=status, loss_reason=reason, by=by)


@pytest.mark.parametrize(("status", "example", "task"), [
    ("won", "won-handover", "Hand the documents over"), ("lost", "lost-reason", "Ask the client why"),
])  # fmt: skip
def test_a_closed_deal_starts_its_process_each_time_it_closes(
    status, example, task, admin_user, rep, head, run_jobs
):
    version = make_version(admin_user, (EXAMPLES / f"{example}.bpmn").read_bytes())
    add(version.definition, admin_user, kind=status)
    deal, other = make_deal(rep), make_deal(rep)
    close(deal, rep, status)
    close(other, rep, "lost" if status == "won" else "won")
    work(run_jobs)
    run = ProcessInstance.objects.get()
    assert (run.record_id, run.started_by, task in run.tasks.values_list("name", flat=True)) == (
        deal.pk,
        rep,
        True,
    )
    request_stage(deal=deal, status="active", by=head)
    close(deal, rep, status)
    work(run_jobs)
    assert ProcessInstance.objects.count() == 2


def test_only_processes_of_deals_start_when_deals_close(lead_definition, admin_user):
    with pytest.raises(ValidationError):
        add(lead_definition, admin_user, kind="won")


# Loops and chains


@pytest.fixture
def breeding():
    """An operation that creates a lead."""

    def breed(context):
        make_lead(context.by, name="Child")
        return {}

    register_operation(Operation("test.breed", "Breed", breed))
    yield
    registry._operations.pop(("test.breed", 1))


def test_a_process_that_creates_what_starts_it_is_held_at_last(
    admin_user, rep, breeding, run_jobs, signed_in
):
    data = diagram(chain(service_task("Breed", "test.breed")), key="breeder").replace(
        b"deals.deal", b"leads.lead"
    )
    definition = make_version(admin_user, data).definition
    add(definition, admin_user, kind="created")
    make_lead(rep)
    work(run_jobs)
    runs = ProcessInstance.objects.order_by("pk")
    assert [run.depth for run in runs] == list(range(DEEPEST + 2))
    assert [run.cause_id for run in runs] == [None, *[run.pk for run in runs][:-1]]
    held = runs.last()
    assert [run.status for run in runs] == ["completed"] * (DEEPEST + 1) + ["incident"]
    assert Notification.objects.filter(kind="bpm.incident", user=admin_user).count() == 1
    page = signed_in(admin_user).get(reverse("bpm:instance_detail", args=[held.pk])).content.decode()
    assert f"{DEEPEST + 1} processes have started each other in a row" in page
    retry_instance(instance=held, by=admin_user)
    work(run_jobs)
    held.refresh_from_db()
    assert (held.status, ProcessInstance.objects.count()) == ("completed", DEEPEST + 3)


# By a message


def test_a_message_starts_a_process_that_nobody_waited_for(definition, admin_user, rep, run_jobs):
    throw = (
        '<bpmn:intermediateThrowEvent id="Say" name="offer.sent"><bpmn:messageEventDefinition />'
        "</bpmn:intermediateThrowEvent>"
    )
    sender = make_version(admin_user, diagram(chain(throw), key="sender")).definition
    trigger = add(definition, admin_user, kind="message", message=" offer.sent ")
    run = start_run(definition=sender, record=make_deal(rep), by=rep)
    work(run_jobs)
    begun = ProcessInstance.objects.get(trigger=trigger)
    assert (begun.cause, begun.depth, begun.started_by, begun.record_id) == (run, 1, rep, run.record_id)
    assert UserTask.objects.count() == 1


# What an administrator may say


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "never"}, {"kind": "message"}, {"kind": "message", "message": " \x00 "},
        {"kind": "schedule", "period": "daily"}, {"kind": "schedule", "at": time(9)},
        {"kind": "schedule", "period": "yearly", "at": time(9)},
        {"kind": "schedule", "period": "weekly", "at": time(9)},
        {"kind": "schedule", "period": "weekly", "at": time(9), "weekday": 7},
        {"kind": "schedule", "period": "monthly", "at": time(9), "month_day": 0},
        {"kind": "created", "query": "f=password:has:x"}, {"kind": "created", "query": "x" * 5000},
        {"kind": "message", "message": "x" * 201},
    ],
)  # fmt: skip
def test_what_makes_no_trigger(definition, admin_user, values):
    with pytest.raises(ValidationError):
        add(definition, admin_user, **values)
    assert Trigger.objects.count() == 0


def test_the_same_start_is_there_once_and_a_card_offers_a_process_once(
    definition, admin_user, rep, signed_in
):
    add(definition, admin_user, kind="hand")
    with pytest.raises(ValidationError):
        add(definition, admin_user, kind="hand")
    add(definition, admin_user, kind="hand", role=rep.roles.first())
    panel = signed_in(rep).get(reverse("bpm:deal_processes", args=[make_deal(rep).pk]))
    assert [trigger.definition for trigger in panel.context["offered"]] == [definition]


def test_only_those_who_keep_processes_add_and_switch(definition, admin_user, head, rep, signed_in):
    with pytest.raises(PermissionDenied):
        add(definition, head, kind="hand")
    trigger = add(definition, admin_user, kind="hand")
    with pytest.raises(PermissionDenied):
        switch_trigger(trigger=trigger, on=False, by=head)
    for user in (head, rep):
        client = signed_in(user)
        assert client.get(reverse("bpm:trigger_create", args=[definition.pk])).status_code == 403
        assert client.post(reverse("bpm:trigger_switch", args=[trigger.pk]), {"on": "0"}).status_code == 403


def test_the_page_of_a_process_adds_switches_and_keeps_the_history(
    definition, admin_user, signed_in, django_assert_max_num_queries
):
    client, url = signed_in(admin_user), reverse("bpm:trigger_create", args=[definition.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"kind": "schedule", "period": "weekly"}).status_code == 422
    data = {
        "kind": "schedule",
        "period": "weekly",
        "weekday": "0",
        "at": "09:00",
        "query": "?f=name:has:umowa",
    }
    assert client.post(url, data).status_code == 302
    trigger = Trigger.objects.get()
    page_url = reverse("bpm:definition_detail", args=[definition.pk])
    page = client.get(page_url).content.decode()
    assert "Every week (Monday) at 09:00, for each record (deal): Name contains umowa" in page
    client.post(reverse("bpm:trigger_switch", args=[trigger.pk]), {"on": "0"})
    client.post(reverse("bpm:trigger_switch", args=[trigger.pk]), {"on": "0"})
    trigger.refresh_from_db()
    assert (trigger.is_active, trigger.next_at) == (False, None)
    kinds = list(TriggerEvent.objects.order_by("pk").values_list("kind", "actor__username"))
    assert kinds == [("added", "admin"), ("off", "admin")]
    for number in range(8):
        add(definition, admin_user, kind="message", message=f"m{number}")
    with django_assert_max_num_queries(15):
        client.get(page_url)


def test_a_process_without_a_published_version_takes_no_trigger(admin_user, signed_in):
    definition = make_version(admin_user, diagram(chain(user_task("Ask"))), publish=False).definition
    with pytest.raises(ValidationError):
        add(definition, admin_user, kind="hand")
    answer = signed_in(admin_user).post(reverse("bpm:trigger_create", args=[definition.pk]), {"kind": "hand"})
    assert answer.status_code == 422


def test_a_filter_is_said_in_both_languages(lead_definition, admin_user):
    trigger = add(lead_definition, admin_user, kind="created", query="/leads/?f=city:has:opole")
    assert (trigger.said, trigger.said_pl) == ("City contains opole", "Miasto zawiera opole")


# When the telephone rings


@pytest.fixture
def connection(admin_user, rep):
    return make_connection(admin_user, [rep])


def test_a_missed_call_starts_what_it_says_on_each_of_its_cards(
    connection, admin_user, rep, run_jobs, signed_in
):
    contact = make_contact(rep, phone=KNOWN)
    data = diagram(chain(user_task("Excuse")), key="excuse").replace(b"deals.deal", b"counterparties.contact")
    definition = make_version(admin_user, data).definition
    missed, ended = (add(definition, admin_user, kind=kind) for kind in ("missed", "call"))
    for _ in range(2):
        play_flow(connection, "incoming_missed")
    work(run_jobs)
    runs = ProcessInstance.objects.order_by("trigger")
    assert [(run.trigger, run.record_id, run.started_by) for run in runs] == [
        (missed, contact.pk, rep), (ended, contact.pk, rep)
    ]  # fmt: skip
    assert runs[0].variables["call_direction"] == "in"
    assert runs[0].variables["call_result"] == "no_answer"
    play_flow(connection, "incoming_answered", call="c-2")
    work(run_jobs)
    last = ProcessInstance.objects.latest("pk")
    assert (ProcessInstance.objects.count(), last.trigger, last.variables["call_result"]) == (
        3,
        ended,
        "answered",
    )
    page = signed_in(admin_user).get(reverse("bpm:definition_detail", args=[definition.pk])).content.decode()
    assert "When a call of the record was missed (contact)" in page
    assert (
        'value="missed"'
        in signed_in(admin_user).get(reverse("bpm:trigger_create", args=[definition.pk])).content.decode()
    )
