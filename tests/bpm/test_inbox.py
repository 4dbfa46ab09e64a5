"""The inbox and its tasks: whose they are, what they ask, and that they are done once."""

import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from bpm.engine.values import decode
from bpm.inbox import TaskClosed, claim_task, complete_task, open_count
from bpm.models import NodeRun, UserTask
from crm.files.models import StoredFile
from crm.notify.models import Notification
from crm.people.models import Role
from crm.people.visibility import share
from deals.models import Deal, StageTransition
from tests.factories.bpm import chain, make_example, make_gate, make_waiting, user_task

ALL_FIELDS = (
    '<crm:field key="note" label="Note" labelPl="Notatka" type="text" required="true" />'
    '<crm:field key="count" type="number" /><crm:field key="price" label="Price" type="money" bind="deal.amount" />'
    '<crm:field key="day" type="date" />'
    '<crm:field key="way" type="choice"><crm:choice value="a" label="A" /></crm:field>'
    '<crm:field key="sure" type="bool" /><crm:field key="who" type="user" /><crm:field key="paper" type="file" />'
    '<crm:outcome key="yes" label="Yes" labelPl="Tak" />'
    '<crm:outcome key="no" label="No" comment="required" style="danger" />'
)


def offer(name="offer.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.4 offer", "application/pdf")


@pytest.fixture
def task(admin_user, rep):
    make_example(admin_user, "commercial_offer", "proposal")
    return make_waiting(rep).tasks.get()


@pytest.fixture
def long_task(admin_user, rep):
    make_gate(admin_user, chain(user_task("Ask", form=ALL_FIELDS)))
    return make_waiting(rep).tasks.get()


def finish(client, task, **data):
    return client.post(reverse("bpm:task_completion", args=[task.pk]), data)


def test_the_first_task_takes_a_file_and_a_click(task, rep, signed_in, run_jobs):
    client = signed_in(rep)
    assert client.get(reverse("bpm:task_list")).context["rows"][0].task == task
    answer = finish(client, task, outcome="attach", **{"a-offer": offer()})
    assert (answer.status_code, answer.url) == (302, reverse("bpm:task_list"))
    run_jobs()
    assert Deal.objects.get().stage.key == "proposal"


def test_a_missing_file_is_asked_for_and_nothing_moves(task, rep, signed_in):
    answer = finish(signed_in(rep), task, outcome="attach")
    task.refresh_from_db()
    assert (answer.status_code, task.is_open) == (422, True)
    assert answer.context["form"].errors["offer"] == ["This field is required."]


def test_the_other_way_out_needs_no_file(task, rep, signed_in):
    assert finish(signed_in(rep), task, outcome="withdraw").status_code == 302


def test_a_program_is_refused_and_nothing_is_stored(task, rep, signed_in):
    answer = finish(signed_in(rep), task, outcome="attach", **{"a-offer": offer("offer.exe")})
    assert (answer.status_code, StoredFile.objects.count()) == (422, 0)


def test_an_answer_that_was_not_offered_is_refused(task, rep, signed_in):
    answer = finish(signed_in(rep), task, outcome="sell", **{"a-offer": offer()})
    task.refresh_from_db()
    assert (answer.status_code, task.is_open, StoredFile.objects.count()) == (422, True, 0)


def test_done_twice_is_said_and_done_once(task, rep, signed_in, run_jobs):
    client = signed_in(rep)
    finish(client, task, outcome="attach", **{"a-offer": offer()})
    answer = finish(client, task, outcome="attach", **{"a-offer": offer()})
    run_jobs()
    assert (answer.status_code, StoredFile.objects.count()) == (409, 1)
    assert "did this task on" in answer.context["closed_text"]
    assert StageTransition.objects.filter(cause="request").count() == 1


def test_a_double_click_gets_the_first_answer(task, rep, signed_in):
    client = signed_in(rep)
    answers = [
        finish(client, task, outcome="withdraw", form_token="one-and-only").status_code for _ in range(2)
    ]
    assert answers == [302, 302]


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="an in-memory SQLite has one writer's lock per table"
)
@pytest.mark.django_db(transaction=True)
def test_two_at_once_complete_it_once(task, rep):
    results = []

    def complete():
        try:
            complete_task(task=task, outcome="withdraw", by=rep)
            results.append("done")
        except TaskClosed:
            results.append("closed")
        finally:
            connection.close()

    threads = [threading.Thread(target=complete) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results) == ["closed", "done"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("outsider", 404), ("marketing", 404), ("teammate", 403), ("head", 403), ("admin", 403)],
)
def test_somebody_elses_task(company, task, signed_in, who, status):
    client = signed_in(company[who])
    seen = client.get(reverse("bpm:task_detail", args=[task.pk]))
    assert finish(client, task, outcome="withdraw").status_code == status
    assert seen.status_code == (404 if status == 404 else 200)
    assert status == 404 or seen.context["can_do"] is False


def test_an_assignee_who_lost_sight_of_the_deal_cannot_do_it(task, rep, outsider):
    Deal.objects.update(owner=outsider, department=outsider.department)
    assert (open_count(rep), UserTask.objects.visible_to(rep).count()) == (0, 0)
    with pytest.raises(PermissionDenied):
        complete_task(task=task, outcome="withdraw", by=rep)


def test_every_kind_of_answer(long_task, rep, head, signed_in):
    data = {
        "a-note": "ready", "a-count": "2.5", "a-price": "1234.50", "a-day": "2026-12-01", "a-way": "a", "a-sure": "on",
        "a-who": "head", "a-paper": offer(), "outcome": "yes",
    }  # fmt: skip
    assert finish(signed_in(rep), long_task, **data).status_code == 302
    values = decode(UserTask.objects.get().values)
    stored = StoredFile.objects.get()
    assert {key: str(value) for key, value in values.items() if key != "paper"} == {
        "note": "ready", "count": "2.5", "price": "1234.50", "day": "2026-12-01",
        "way": "a", "sure": "True", "who": "head",
    }  # fmt: skip
    assert values["paper"] == {"file": stored.pk, "name": "offer.pdf"}
    assert str(Deal.objects.get().amount) == "1234.50"


def test_empty_answers_are_known_as_empty(long_task, rep):
    complete_task(task=long_task, outcome="yes", values={"note": "x", "count": None, "sure": False}, by=rep)
    assert decode(UserTask.objects.get().values) == {"note": "x", "count": None, "sure": False}


def test_a_required_comment_is_asked_for(long_task, rep, signed_in):
    answer = finish(signed_in(rep), long_task, outcome="no", **{"a-note": "x"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["comment"])
    with pytest.raises(ValidationError):
        complete_task(task=long_task, outcome="no", values={"note": "x"}, by=rep)


def test_labels_come_in_the_readers_language(long_task, rep, signed_in):
    rep.language = "pl"
    rep.save(update_fields=["language"])
    page = signed_in(rep).get(reverse("bpm:task_detail", args=[long_task.pk]))
    assert (page.context["form"]["note"].label, page.context["buttons"][0].label) == ("Notatka", "Tak")


def test_html_in_a_diagram_is_text(admin_user, rep, signed_in):
    form = '<crm:field key="x" label="&lt;script&gt;alert(1)&lt;/script&gt;" type="text" />'
    make_gate(admin_user, chain(user_task("Ask", form=form)))
    task = make_waiting(rep).tasks.get()
    html = signed_in(rep).get(reverse("bpm:task_detail", args=[task.pk])).content.decode()
    assert "<script>alert(1)" not in html and "&lt;script&gt;alert(1)" in html


@pytest.fixture
def role_task(admin_user, rep):
    """A task for everybody who has the role; two people have it."""
    role = Role.objects.create(key="lawyers", name="Lawyers", name_pl="Prawnicy")
    make_gate(admin_user, chain(user_task("Ask", assignee="", attributes='crm:candidateRole="lawyers"')))
    for user in (User_of(rep, "teammate"), User_of(rep, "head")):
        user.roles.add(role)
    return make_waiting(rep).tasks.get()


def User_of(user, login):
    return type(user).objects.get(username=login)


def test_a_role_task_waits_in_each_inbox_until_it_is_taken(role_task, rep, teammate, head, signed_in):
    assert (open_count(rep), open_count(teammate), open_count(head)) == (0, 1, 1)
    assert sorted(Notification.objects.filter(kind="bpm.task").values_list("user__username", flat=True)) == [
        "head",
        "teammate",
    ]
    answer = signed_in(teammate).post(reverse("bpm:task_claim", args=[role_task.pk]))
    assert (answer.status_code, open_count(User_of(rep, "head"))) == (200, 0)
    with pytest.raises(TaskClosed):
        claim_task(task=role_task, by=head)
    with pytest.raises(TaskClosed):
        complete_task(task=role_task, by=head)
    complete_task(task=role_task, by=teammate)
    assert NodeRun.objects.get(node="Ask").status == "done"


def test_a_role_task_can_be_done_without_taking_it_first(role_task, teammate, rep):
    with pytest.raises(PermissionDenied):
        complete_task(task=role_task, by=rep)
    complete_task(task=role_task, by=teammate)
    assert UserTask.objects.get().assignee == teammate


def test_the_assignee_is_told_but_not_of_his_own_doing(admin_user, rep, head, run_jobs):
    make_gate(admin_user, chain(user_task("Mine"), user_task("Heads", assignee="head")))
    instance = make_waiting(rep)
    complete_task(task=instance.tasks.get(), by=rep)
    (told,) = Notification.objects.filter(kind="bpm.task")
    assert (told.user, told.sentence) == (head, "New task: Heads – Service contract")


def test_a_shared_deal_alone_does_not_give_its_tasks_away(task, rep, outsider):
    share(record=Deal.objects.get(), user=outsider, by=rep)
    assert UserTask.objects.visible_to(outsider).count() == 1
    with pytest.raises(PermissionDenied):
        complete_task(task=task, outcome="withdraw", by=outsider)


def test_the_form_opens_in_the_dialog_and_closes_it(task, rep, signed_in):
    client = signed_in(rep)
    fragment = client.get(reverse("bpm:task_detail", args=[task.pk]), headers={"HX-Request": "true"})
    assert (b"<html" in fragment.content, b"hx-post" in fragment.content) == (False, True)
    answer = client.post(
        reverse("bpm:task_completion", args=[task.pk]),
        {"outcome": "withdraw"},
        headers={"HX-Request": "true"},
    )
    assert (
        answer.status_code,
        "dialog-close" in answer["HX-Trigger"],
        "task-done" in answer["HX-Trigger"],
    ) == (204, True, True)


@pytest.mark.parametrize("name", ["bpm:task_completion", "bpm:task_claim"])
def test_wrong_method(task, rep, signed_in, name):
    assert signed_in(rep).get(reverse(name, args=[task.pk])).status_code == 405


def test_the_inbox_costs_the_same_for_one_and_for_fifty(
    task, rep, signed_in, django_assert_max_num_queries, django_assert_num_queries
):
    client = signed_in(rep)
    client.get(reverse("bpm:task_list"))
    with django_assert_max_num_queries(10) as first:
        client.get(reverse("bpm:task_list"))
    counterparty = Deal.objects.get().counterparty
    for number in range(49):
        make_waiting(rep, name=f"Deal {number}", counterparty=counterparty)
    with django_assert_num_queries(len(first)):
        assert len(client.get(reverse("bpm:task_list")).context["rows"]) == 50
