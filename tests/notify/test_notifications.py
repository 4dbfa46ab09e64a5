from datetime import timedelta

import pytest
from django.utils import timezone, translation

from crm.notify import streams
from crm.notify.models import LiveRow, Notification
from crm.notify.reading import unread_count
from crm.notify.services import mark_read, notify, publish

pytestmark = pytest.mark.django_db


def say(user, **more):
    return notify(user=user, kind="test", text="Deal %(deal)s was won", params={"deal": "A"}, **more)


def test_the_actor_is_not_told_of_his_own_act(rep, head):
    assert say(rep, by=rep) is None
    row = say(rep, by=head, url="/deals/1/")
    assert (row.sentence, row.url, row.actor, row.read_at) == ("Deal A was won", "/deals/1/", head, None)
    assert list(LiveRow.objects.values_list("kind", "user")) == [("notification", rep.pk)]


def test_people_who_left_are_not_told(rep):
    rep.is_active = False
    assert say(rep) is None


def test_sentences_are_in_the_readers_language(rep):
    row = notify(user=rep, kind="test", text="Notifications")
    with translation.override("en"):
        assert row.sentence == "Notifications"


def test_publishing_to_people_and_to_everybody(rep, head):
    publish(kind="test.one", users=[rep, head])
    publish(kind="test.all")
    assert list(LiveRow.objects.order_by("pk").values_list("kind", "user")) == [
        ("test.one", rep.pk),
        ("test.one", head.pk),
        ("test.all", None),
    ]


def test_the_tail_gives_each_row_once_and_late_commits_too(rep):
    publish(kind="test.before")
    tail = streams.Tail()
    assert tail.new_rows() == []
    publish(kind="test.after")
    assert [row.kind for row in tail.new_rows()] == ["test.after"]
    assert tail.new_rows() == []
    late = LiveRow.objects.create(kind="test.late")
    publish(kind="test.high")
    LiveRow.objects.filter(pk=late.pk).delete()
    assert [row.kind for row in tail.new_rows()] == ["test.high"]
    late.save(force_insert=True)
    assert [row.kind for row in tail.new_rows()] == ["test.late"]
    LiveRow.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert tail.new_rows() == []
    publish(kind="test.next")
    assert [row.kind for row in tail.new_rows()] == ["test.next"]


def test_live_rows_of_a_person_are_heard_by_him_alone(rep, outsider):
    publish(kind="test.one", users=[rep])
    assert [row.kind for row in streams.missed(rep, None, 60)] == ["test.one"]
    assert streams.missed(outsider, None, 60) == []


def test_live_rows_of_an_unknown_kind_are_heard_by_nobody(rep):
    LiveRow.objects.create(kind="test.x", record_kind="gone.kind", record_id=1)
    assert streams.missed(rep, None, 60) == []


def test_centre_bell_and_reading(rep, outsider, signed_in):
    first, second = say(rep, url="/deals/1/"), say(rep, url="//evil.example/")
    foreign = say(outsider)
    client = signed_in(rep)
    page = client.get("/notifications/")
    assert page.status_code == 200
    assert [row.pk for _day, rows in page.context["shown"].days for row in rows] == [second.pk, first.pk]
    assert client.get("/notifications/bell/").context["unread"] == 2
    answer = client.post(f"/notifications/{first.pk}/reading/")
    assert (answer.status_code, answer.url) == (302, "/deals/1/")
    assert client.post(f"/notifications/{second.pk}/reading/").url == "/notifications/"
    assert unread_count(rep) == 0
    assert client.post(f"/notifications/{foreign.pk}/reading/").status_code == 404
    assert unread_count(outsider) == 1


def test_all_at_once(rep, signed_in):
    say(rep)
    say(rep)
    assert signed_in(rep).post("/notifications/reading/").status_code == 302
    assert mark_read(user=rep) == 0
    assert signed_in(rep).get("/notifications/?show=unread").context["shown"].days == []


def test_only_unread_and_fragment(rep, signed_in):
    say(rep)
    answer = signed_in(rep).get("/notifications/?show=unread", headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<section id="notifications"')


def test_purging(rep, run_jobs):
    from crm.jobs.services import enqueue

    say(rep)
    publish(kind="test.old")
    LiveRow.objects.update(created_at=timezone.now() - timedelta(hours=2))
    publish(kind="test.new")
    old = say(rep)
    Notification.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=200), read_at=timezone.now()
    )
    enqueue(kind="notify.purge")
    run_jobs()
    assert list(LiveRow.objects.values_list("kind", flat=True)) == ["test.new", "notification"]
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("method, path", [("post", "/notifications/"), ("get", "/notifications/reading/")])
def test_wrong_methods(rep, signed_in, method, path):
    assert getattr(signed_in(rep), method)(path).status_code == 405
