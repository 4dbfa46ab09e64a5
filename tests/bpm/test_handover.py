"""Tasks change hands: half done and kept, given back, delegated, given away by a head, offered to a substitute."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse
from django.utils.timezone import localdate

from bpm.control import cancel_instance
from bpm.engine.values import decode
from bpm.handover import comment_task, delegate_task, give_back, give_task
from bpm.inbox import TaskClosed, claim_task, complete_task, open_count, save_draft
from bpm.models import ProcessEvent, ProcessInstance, UserTask
from crm.history.models import Event
from crm.notify.models import Notification
from crm.people.absences import Absence
from crm.people.models import Role, User
from deals.models import Deal
from tests.factories.bpm import chain, make_gate, make_waiting, user_task

FORM = (
    '<crm:field key="note" label="Note" type="text" required="true" /><crm:field key="price" type="money" />'
    '<crm:field key="day" type="date" /><crm:field key="sure" type="bool" /><crm:field key="who" type="user" />'
    '<crm:outcome key="yes" label="Yes" /><crm:outcome key="no" label="No" comment="required" />'
)


def again(user):
    """The same person with his rights as they are now."""
    return User.objects.get(pk=user.pk)


def away(user, substitute):
    today = localdate()
    return Absence.objects.create(user=user, substitute=substitute, first_day=today, last_day=today)


@pytest.fixture
def task(admin_user, rep):
    make_gate(admin_user, chain(user_task("Ask", form=FORM)))
    return make_waiting(rep).tasks.get()


@pytest.fixture
def approval(admin_user, rep, head):
    """A task of the head about a move that the rep asked for."""
    make_gate(admin_user, chain(user_task("Agree", assignee="head")))
    return make_waiting(rep).tasks.get()


@pytest.fixture
def role_task(admin_user, rep, teammate, head):
    role = Role.objects.create(key="lawyers", name="Lawyers", name_pl="Prawnicy")
    teammate.roles.add(role)
    head.roles.add(role)
    make_gate(
        admin_user, chain(user_task("Read", assignee="", attributes='crm:candidateRole="lawyers"', form=FORM))
    )
    return make_waiting(rep).tasks.get()


# Half done


def test_what_was_typed_is_kept_and_shown_again_while_the_run_stands_still(task, rep, signed_in):
    client, url = signed_in(rep), reverse("bpm:task_completion", args=[task.pk])
    rev = ProcessInstance.objects.get().rev
    typed = {"a-note": "so far", "a-price": "12 oops", "a-sure": "on", "a-who": "head", "a-unknown": "x"}
    assert client.post(url, {"later": "1", **typed}).status_code == 302
    task.refresh_from_db()
    assert (task.is_open, ProcessInstance.objects.get().rev) == (True, rev)
    assert task.draft == {"note": "so far", "price": "12 oops", "sure": "on", "who": "head"}
    page = client.get(reverse("bpm:task_detail", args=[task.pk])).content.decode()
    assert "so far" in page and 'value="12 oops"' in page and 'value="head" selected' in page
    assert client.post(url, {**typed, "a-price": "12", "outcome": "yes"}).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.draft, decode(task.values)["note"]) == ("done", {}, "so far")


def test_half_done_work_of_a_role_s_task_takes_it(role_task, teammate, head):
    save_draft(task=role_task, typed={"note": "mine"}, by=teammate)
    with pytest.raises(TaskClosed):
        save_draft(task=role_task, typed={"note": "theirs"}, by=head)
    assert UserTask.objects.get().draft == {"note": "mine"}


def test_a_draft_of_somebody_else_is_not_overwritten_unseen(task, rep, teammate):
    away(rep, teammate)
    save_draft(task=task, typed={"note": "one"}, by=rep)
    with pytest.raises(ValidationError):
        save_draft(task=task, typed={"note": "two"}, by=again(teammate))
    seen = UserTask.objects.get().draft_at.isoformat()
    save_draft(task=task, typed={"note": "two"}, seen=seen, by=again(teammate))
    assert UserTask.objects.get().draft == {"note": "two"}


def test_hostile_drafts_are_cut_and_others_may_not_write_them(task, rep, teammate, signed_in):
    save_draft(task=task, typed={"note": "\x00" + "a" * 9000, "secret": "x"}, by=rep)
    assert UserTask.objects.get().draft == {"note": "a" * 5000}
    answer = signed_in(teammate).post(reverse("bpm:task_completion", args=[task.pk]), {"later": "1"})
    assert answer.status_code == 403


# Given back


def test_a_role_s_task_goes_back_to_the_role_with_what_was_typed(role_task, rep, teammate, head, signed_in):
    claim_task(task=role_task, by=teammate)
    save_draft(task=role_task, typed={"note": "half"}, by=teammate)
    assert signed_in(teammate).post(reverse("bpm:task_return", args=[role_task.pk])).status_code == 302
    assert (open_count(again(teammate)), open_count(again(head))) == (1, 1)
    task = UserTask.objects.get()
    assert (task.assignee, task.draft) == (None, {"note": "half"})
    assert task.instance.request.waits[0]["holder"] == "Lawyers"
    complete_task(task=task, outcome="yes", values={"note": "x"}, by=head)


def test_a_task_of_one_s_own_cannot_be_given_back(task, rep, teammate, signed_in):
    with pytest.raises(ValidationError):
        give_back(task=task, by=rep)
    with pytest.raises(PermissionDenied):
        give_back(task=task, by=teammate)
    assert signed_in(rep).post(reverse("bpm:task_return", args=[task.pk])).status_code == 422


def test_who_lost_the_role_after_claiming_is_told_so_and_gives_it_back(role_task, teammate, head, signed_in):
    claim_task(task=role_task, by=teammate)
    teammate.roles.remove(Role.objects.get(key="lawyers"))
    url = reverse("bpm:task_completion", args=[role_task.pk])
    answer = signed_in(teammate).post(url, {"a-note": "x", "outcome": "yes"})
    assert (answer.status_code, UserTask.objects.get().status) == (409, "open")
    assert "You do not have the role “Lawyers” any more" in answer.content.decode()
    give_back(task=role_task, by=teammate)
    assert open_count(again(head)) == 1


def test_who_lost_sight_of_the_record_after_claiming_gets_the_404_of_everybody(
    role_task, teammate, outsider, signed_in
):
    claim_task(task=role_task, by=teammate)
    Deal.objects.update(owner=outsider, department=outsider.department)
    client = signed_in(teammate)
    for name in ("bpm:task_completion", "bpm:task_return", "bpm:task_comment", "bpm:task_handover"):
        assert client.post(reverse(name, args=[role_task.pk])).status_code == 404
    with pytest.raises(PermissionDenied):
        save_draft(task=role_task, typed={}, by=teammate)
    assert UserTask.objects.get().is_open


# Delegated


def test_a_colleague_does_it_and_the_history_says_for_whom(task, rep, teammate, signed_in, run_jobs):
    url = reverse("bpm:task_handover", args=[task.pk])
    client = signed_in(rep)
    assert client.get(url).context["delegates"] is True
    assert client.post(url, {"user": "teammate", "comment": "I am at the client's."}).status_code == 302
    fresh = UserTask.objects.get()
    assert (fresh.assignee, fresh.on_behalf_of) == (teammate, rep)
    assert client.get(reverse("bpm:task_list"), {"show": "delegated"}).context["rows"][0].task == fresh
    assert fresh.instance.request.waits[0]["holder_id"] == teammate.pk
    (told,) = Notification.objects.filter(kind="bpm.task", user=teammate)
    assert told.sentence.endswith(" gives you “Ask” – Service contract")
    page = signed_in(teammate).get(reverse("bpm:task_detail", args=[task.pk])).content.decode()
    assert "It was delegated to you" in page and "I am at the client&#x27;s." in page
    with pytest.raises(TaskClosed):
        complete_task(task=task, outcome="yes", values={"note": "x"}, by=rep)
    complete_task(task=task, outcome="yes", values={"note": "x"}, by=teammate)
    done = Event.objects.get(kind="process_task_answered_for")
    assert (done.actor, done.payload["user"]) == (teammate, str(rep))
    assert ProcessEvent.objects.get(kind="task_done_for").data["holder"] == str(rep)
    run_jobs()
    assert Deal.objects.get().stage.key == "proposal"


def test_it_comes_back_given_back_or_fetched(task, rep, teammate, head):
    delegate_task(task=task, user=teammate, by=rep)
    give_back(task=task, comment="No time, sorry.", by=teammate)
    assert (UserTask.objects.get().assignee, UserTask.objects.get().on_behalf_of) == (rep, None)
    delegate_task(task=task, user=teammate, by=rep)
    delegate_task(task=task, user=head, by=teammate)
    assert UserTask.objects.get().on_behalf_of == rep
    with pytest.raises(PermissionDenied):
        give_back(task=task, by=teammate)
    give_back(task=task, by=rep)
    complete_task(task=task, outcome="yes", values={"note": "x"}, by=rep)
    assert UserTask.objects.get().on_behalf_of is None


def test_whoever_asked_for_the_move_cannot_be_made_to_agree_to_it(approval, rep, head, teammate):
    with pytest.raises(ValidationError):
        delegate_task(task=approval, user=rep, by=head)
    delegate_task(task=approval, user=teammate, by=head)
    with pytest.raises(ValidationError):
        delegate_task(task=approval, user=rep, by=teammate)
    assert UserTask.objects.get().assignee == teammate


@pytest.mark.parametrize("login", ["outsider", "rep", "nobody", "", "\x00"])
def test_nobody_gets_a_task_he_cannot_do(task, rep, signed_in, login):
    answer = signed_in(rep).post(reverse("bpm:task_handover", args=[task.pk]), {"user": login})
    assert (answer.status_code, UserTask.objects.get().assignee) == (422, rep)


def test_a_dismissed_colleague_gets_nothing(task, rep, teammate):
    teammate.is_active = False
    teammate.save(update_fields=["is_active"])
    with pytest.raises(ValidationError):
        delegate_task(task=task, user=teammate, by=rep)


# Given away by a head


def test_a_head_gives_a_task_to_somebody_else(company, task, signed_in):
    url = reverse("bpm:task_handover", args=[task.pk])
    assert signed_in(company["teammate"]).post(url, {"user": "teammate"}).status_code == 403
    assert signed_in(company["outsider"]).post(url, {"user": "outsider"}).status_code == 404
    client = signed_in(company["head"])
    assert client.get(url).context["delegates"] is False
    assert client.post(url, {"user": "outsider"}).status_code == 422
    assert client.post(url, {"user": "teammate"}).status_code == 302
    task.refresh_from_db()
    assert (task.assignee, task.on_behalf_of) == (company["teammate"], None)
    assert task.instance.request.waits[0]["holder_id"] == company["teammate"].pk
    assert Notification.objects.filter(kind="bpm.task", user=company["teammate"]).count() == 1
    with pytest.raises(TaskClosed, match="has taken this task"):
        complete_task(task=task, outcome="yes", values={"note": "x"}, by=company["rep"])


def test_a_role_s_task_given_to_a_person_is_that_person_s(role_task, rep, teammate, admin_user):
    give_task(task=role_task, user=rep, by=admin_user)
    with pytest.raises(ValidationError):
        give_back(task=role_task, by=rep)
    complete_task(task=role_task, outcome="yes", values={"note": "x"}, by=rep)


def test_a_head_does_not_choose_who_agrees_to_his_own_wish(admin_user, head, teammate):
    make_gate(admin_user, chain(user_task("Agree", assignee="teammate")))
    task = make_waiting(head).tasks.get()
    with pytest.raises(PermissionDenied):
        give_task(task=task, user=head, by=head)


# Substitutes


def test_the_substitute_of_somebody_away_is_offered_the_task(task, rep, teammate, signed_in, run_jobs):
    assert open_count(again(teammate)) == 0
    away(rep, teammate)
    client = signed_in(again(teammate))
    assert open_count(again(teammate)) == 1
    (row,) = client.get(reverse("bpm:task_list")).context["rows"]
    assert (row.task, row.for_whom) == (task, f"for {rep}, who is away")
    page = client.get(reverse("bpm:task_detail", args=[task.pk]))
    assert (page.context["can_do"], page.context["stands_in"]) == (True, True)
    complete_task(task=task, outcome="yes", values={"note": "x"}, by=again(teammate))
    fresh = UserTask.objects.get()
    assert (fresh.done_by, fresh.on_behalf_of) == (teammate, rep)


def test_a_new_task_tells_the_substitute_too(admin_user, rep, head, teammate):
    away(head, teammate)
    make_gate(admin_user, chain(user_task("Agree", assignee="head")))
    make_waiting(rep)
    told = Notification.objects.filter(kind="bpm.task").values_list("user__username", flat=True)
    assert sorted(told) == ["head", "teammate"]


def test_a_substitute_does_not_agree_to_what_he_asked_for(approval, rep, head):
    away(head, rep)
    assert open_count(again(rep)) == 0
    with pytest.raises(PermissionDenied):
        complete_task(task=approval, by=again(rep))


def test_substitutes_of_substitutes_and_the_end_of_the_absence(task, rep, teammate, head):
    absence = away(rep, teammate)
    second = away(teammate, head)
    assert (open_count(again(teammate)), open_count(again(head))) == (0, 1)
    second.delete()
    assert (open_count(again(teammate)), open_count(again(head))) == (1, 0)
    absence.last_day = absence.first_day = localdate() - timedelta(days=1)
    absence.save()
    assert open_count(again(teammate)) == 0
    with pytest.raises(PermissionDenied):
        complete_task(task=task, outcome="yes", values={"note": "x"}, by=again(teammate))


def test_a_substitute_who_may_not_see_the_record_gets_nothing(task, rep, outsider, signed_in):
    away(rep, outsider)
    assert open_count(again(outsider)) == 0
    assert signed_in(outsider).get(reverse("bpm:task_detail", args=[task.pk])).status_code == 404


# What is said


def test_comments_reach_the_holder_whoever_spoke_before_and_whom_they_name(
    task, rep, teammate, head, signed_in
):
    url = reverse("bpm:task_comment", args=[task.pk])
    answer = signed_in(teammate).post(url, {"text": "Which price? @head"}, headers={"HX-Request": "true"})
    assert (answer.status_code, b"Which price?" in answer.content, b"task-form" in answer.content) == (
        200, True, False,
    )  # fmt: skip
    told = Notification.objects.filter(kind="bpm.comment").values_list("user__username", flat=True)
    assert sorted(told) == ["head", "rep"]
    comment_task(task=task, text="<b>Last year's</b>", by=rep)
    assert Notification.objects.filter(kind="bpm.comment", user=teammate).count() == 1
    assert Event.objects.filter(kind="process_task_commented").count() == 2
    page = signed_in(head).get(reverse("bpm:task_detail", args=[task.pk])).content.decode()
    assert "&lt;b&gt;Last year" in page


def test_no_words_no_right_and_no_open_task_no_comment(task, rep, outsider, admin_user, signed_in):
    url = reverse("bpm:task_comment", args=[task.pk])
    assert signed_in(rep).post(url, {"text": " \x00 "}).status_code == 422
    assert signed_in(outsider).post(url, {"text": "x"}).status_code == 404
    cancel_instance(instance=task.instance, reason="x", by=admin_user)
    assert signed_in(rep).post(url, {"text": "x"}).status_code == 409
    assert Event.objects.filter(kind="process_task_commented").count() == 0


@pytest.mark.parametrize("name", ["bpm:task_return", "bpm:task_comment"])
def test_wrong_method(task, rep, signed_in, name):
    assert signed_in(rep).get(reverse(name, args=[task.pk])).status_code == 405


# At once


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="an in-memory SQLite has one writer's lock per table"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "deed", [claim_task, lambda task, by: save_draft(task=task, typed={"note": by.username}, by=by)]
)
def test_two_at_once_take_it_once(role_task, teammate, head, deed):
    results = {}

    def take(user):
        try:
            deed(task=role_task, by=user)
            results[user.username] = "taken"
        except TaskClosed:
            results[user.username] = "closed"
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[user]) for user in (teammate, head)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results.values()) == ["closed", "taken"]
    assert results[UserTask.objects.get().assignee.username] == "taken"


def test_the_pages_of_a_task_stay_within_their_queries(
    task, rep, teammate, signed_in, django_assert_max_num_queries
):
    away(rep, teammate)
    for number in range(12):
        comment_task(task=task, text=f"word {number}", by=rep)
    client = signed_in(again(teammate))
    client.get(reverse("bpm:task_list"))
    with django_assert_max_num_queries(10):
        client.get(reverse("bpm:task_list"))
    with django_assert_max_num_queries(15):
        client.get(reverse("bpm:task_detail", args=[task.pk]))
    with django_assert_max_num_queries(15):
        client.get(reverse("bpm:task_handover", args=[task.pk]))
