"""The pages of runs: who sees them, what they say, what an operator may do there."""

import json

import pytest
from django.urls import reverse

from bpm.inbox import complete_task
from bpm.models import InstanceStatus, NodeRun, ProcessInstance
from deals.models import Deal
from tests.factories.bpm import chain, make_example, make_gate, make_waiting, service_task, user_task


@pytest.fixture
def run(admin_user, rep):
    make_example(admin_user, "commercial_offer", "proposal")
    return make_waiting(rep)


@pytest.fixture
def held(admin_user, rep):
    """A run held at a task that nobody can do."""
    make_gate(admin_user, chain(user_task("Ask", assignee="nobody")))
    return make_waiting(rep)


PAGES = ["bpm:instance_detail", "bpm:diagram_xml"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("rep", 200), ("teammate", 200), ("head", 200), ("admin", 200), ("outsider", 404), ("marketing", 404)],
)
@pytest.mark.parametrize("name", PAGES)
def test_who_sees_the_deal_sees_its_run(company, run, signed_in, who, status, name):
    assert signed_in(company[who]).get(reverse(name, args=[run.pk])).status_code == status


def test_the_panel_follows_the_deal(run, rep, outsider, signed_in):
    url = reverse("bpm:deal_processes", args=[run.record_id])
    assert signed_in(rep).get(url).context["rows"][0].instance == run
    assert signed_in(outsider).get(url).status_code == 404


def test_the_list_shows_only_what_is_visible(run, head, outsider, signed_in):
    seen = [
        [row.instance.pk for row in signed_in(user).get(reverse("bpm:instance_list")).context["rows"]]
        for user in (head, outsider)
    ]
    assert seen == [[run.pk], []]


def test_the_diagram_says_what_waits_for_whom(run, rep, head, signed_in):
    page = signed_in(head).get(reverse("bpm:instance_detail", args=[run.pk]))
    marks = json.loads(page.context["marks"])
    assert (marks["Start_offer"], marks["Task_attach_offer"]["state"]) == (
        {"state": "done", "lines": []},
        "current",
    )
    assert marks["Task_attach_offer"]["lines"][0] == "Waits for Anna Zielińska"
    assert [(step.label, step.status, step.who) for step in page.context["steps"]] == [
        ("Offer needed", "done", ""), ("Attach the commercial offer", "active", "Anna Zielińska"),
    ]  # fmt: skip


def test_names_follow_the_reader(run, head, signed_in):
    head.language = "pl"
    head.save(update_fields=["language"])
    page = signed_in(head).get(reverse("bpm:instance_detail", args=[run.pk]))
    assert page.context["steps"][1].label == "Dołącz ofertę handlową"
    assert json.loads(page.context["names"])["Flow_attached"] == "tak"


def test_a_return_leaves_its_comment_on_the_page(admin_user, rep, head, signed_in):
    make_example(admin_user, "contract_approval", "contract")
    run = make_waiting(rep, stage_key="contract", amount=60_000)
    complete_task(task=run.tasks.get(), outcome="return", comment="Too cheap.", by=head)
    page = signed_in(rep).get(reverse("bpm:instance_detail", args=[run.pk]))
    step = next(step for step in page.context["steps"] if step.node == "Task_approve")
    assert (step.who, step.comment, step.status) == (str(head), "Too cheap.", "done")


def test_variables_are_for_administrators(run, head, admin_user, signed_in):
    url = reverse("bpm:instance_detail", args=[run.pk])
    assert signed_in(head).get(url).context["variables"] is None
    seen = [(each.name, each.text) for each in signed_in(admin_user).get(url).context["variables"]]
    assert ("deal.name", "Service contract") in seen


def test_the_diagram_is_served_as_inert_xml(run, rep, signed_in):
    answer = signed_in(rep).get(reverse("bpm:diagram_xml", args=[run.pk]))
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        "application/xml; charset=utf-8",
        "nosniff",
    )
    assert answer.content.startswith(b"<?xml")


def test_an_operator_retries_from_the_page(held, rep, head, signed_in):
    token = NodeRun.objects.get(node="Ask").token
    url = reverse("bpm:instance_retry", args=[held.pk, token])
    assert signed_in(rep).post(url).status_code == 403
    type(rep).objects.create_user("nobody", password="demo", department=rep.department).roles.set(
        rep.roles.all()
    )
    assert signed_in(head).post(url).status_code == 302
    held.refresh_from_db()
    assert (held.status, held.tasks.get().assignee.username) == (InstanceStatus.WAITING, "nobody")


def test_an_operator_calls_a_run_off_with_a_reason(held, head, signed_in):
    url = reverse("bpm:instance_cancellation", args=[held.pk])
    client = signed_in(head)
    client.post(url, {"reason": ""})
    assert ProcessInstance.objects.get().is_open
    client.post(url, {"reason": "Drawn wrongly."})
    held.request.refresh_from_db()
    assert (ProcessInstance.objects.get().status, held.request.answer) == (
        InstanceStatus.CANCELLED,
        "Drawn wrongly.",
    )


def test_leaving_a_step_out_from_the_page(held, head, signed_in):
    token = NodeRun.objects.get(node="Ask").token
    signed_in(head).post(reverse("bpm:instance_skip", args=[held.pk, token]), {"reason": "Agreed by phone."})
    assert (ProcessInstance.objects.get().status, Deal.objects.get().stage.key) == (
        InstanceStatus.COMPLETED,
        "proposal",
    )


@pytest.mark.parametrize("name", ["instance_cancellation"])
def test_wrong_method(run, head, signed_in, name):
    assert signed_in(head).get(reverse(f"bpm:{name}", args=[run.pk])).status_code == 405


def test_pages_stay_within_their_budget(
    admin_user, rep, head, signed_in, django_assert_max_num_queries, django_assert_num_queries
):
    make_gate(admin_user, chain(user_task("Ask"), service_task("Tell", "notify.user", user="head", text="x")))
    run = make_waiting(rep)
    client = signed_in(head)
    client.get(reverse("bpm:instance_list"))
    with django_assert_max_num_queries(15):
        client.get(reverse("bpm:instance_detail", args=[run.pk]))
    with django_assert_max_num_queries(10) as first:
        client.get(reverse("bpm:instance_list"))
    counterparty = Deal.objects.get().counterparty
    for number in range(49):
        make_waiting(rep, name=f"Deal {number}", counterparty=counterparty)
    with django_assert_num_queries(len(first)):
        assert len(client.get(reverse("bpm:instance_list")).context["rows"]) == 50


def test_an_operator_answers_for_somebody_who_is_away(run, head, signed_in):
    visit = NodeRun.objects.get(node="Task_attach_offer")
    page = signed_in(head).get(reverse("bpm:instance_detail", args=[run.pk]))
    assert page.context["steps"][1].ways == [("attach", "Attach"), ("withdraw", "Withdraw the move")]
    data = {"reason": "Anna is ill.", "outcome": "withdraw"}
    signed_in(head).post(reverse("bpm:instance_skip", args=[run.pk, visit.token]), data)
    assert (run.tasks.get().status, ProcessInstance.objects.get().status) == (
        "withdrawn",
        InstanceStatus.COMPLETED,
    )


def test_nobody_steps_in_where_he_asked_himself(admin_user, head, signed_in):
    make_gate(admin_user, chain(user_task("Ask", assignee="head")))
    run = make_waiting(head)
    token = NodeRun.objects.get(node="Ask").token
    answer = signed_in(head).post(
        reverse("bpm:instance_skip", args=[run.pk, token]), {"reason": "I am in a hurry."}
    )
    assert (answer.status_code, run.tasks.get().assignee) == (403, admin_user)
