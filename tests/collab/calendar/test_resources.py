"""Rooms and equipment: nothing is booked twice, and the refusal says who has it and when it is free."""

import threading
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import close_old_connections, connection, transaction
from django.urls import reverse
from django.utils import timezone

from collab.calendar.availability import availability
from collab.calendar.models import Activity, Booking, Resource
from collab.calendar.resources import ResourceTaken, book, save_resource
from collab.calendar.services import cancel_activity, plan_activity, reschedule_activity
from crm.history.bin import delete_record, restore_record
from tests.factories.collab import make_activity

pytestmark = pytest.mark.django_db


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2030, 3, 13, hour, minute, tzinfo=timezone.get_current_timezone())


def meeting(by, start: datetime, end: datetime, *rooms: Resource) -> Activity:
    with transaction.atomic():
        activity = plan_activity(kind="meeting", subject="Meeting", starts_at=start, ends_at=end, by=by)
        book(activity=activity, resources=rooms, by=by)
    return activity


@pytest.fixture
def room(db) -> Resource:
    return Resource.objects.create(name="Amber room", capacity=8)


def test_a_taken_room_is_refused_with_who_has_it_and_when_it_is_free(rep, teammate, room):
    meeting(rep, at(9), at(11), room)
    meeting(rep, at(11), at(12), room)
    with pytest.raises(ResourceTaken) as refusal:
        meeting(teammate, at(10, 30), at(11, 30), room)
    [text] = refusal.value.messages
    assert str(room) in text and str(rep) in text and "09:00" in text and text.endswith("12:00.")
    assert Activity.objects.filter(owner=teammate).count() == 0
    meeting(teammate, at(12), at(13), room)


def test_what_comes_back_from_the_bin_does_not_take_a_room_twice(rep, teammate, room):
    first = meeting(rep, at(9), at(11), room)
    deletion = delete_record(record=first, by=rep)
    second = meeting(teammate, at(10), at(12), room)
    with pytest.raises(ValidationError):
        restore_record(deletion=deletion, by=rep)
    cancel_activity(activity=second, by=teammate)
    restore_record(deletion=deletion, by=rep)
    assert Activity.objects.open().filter(pk=first.pk).exists()


def test_only_who_may_change_the_company_adds_rooms(rep, admin_user):
    with pytest.raises(PermissionDenied):
        save_resource(values={"name": "Cellar"}, by=rep)
    assert save_resource(values={"name": "Cellar"}, by=admin_user).pk
    with pytest.raises(ValidationError):
        save_resource(values={"name": "Cellar"}, by=admin_user)


def test_what_was_cancelled_holds_nothing(rep, teammate, room):
    cancel_activity(activity=meeting(rep, at(9), at(11), room), by=rep)
    assert meeting(teammate, at(9), at(10), room).bookings.count() == 1


def test_a_move_keeps_the_room_or_does_not_happen(rep, teammate, room):
    meeting(rep, at(9), at(11), room)
    mine = meeting(teammate, at(12), at(13), room)
    with pytest.raises(ResourceTaken):
        reschedule_activity(activity=mine, starts_at=at(10), by=teammate)
    with pytest.raises(ResourceTaken):
        reschedule_activity(activity=mine, starts_at=at(10, 30), ends_at=at(13), by=teammate)
    mine.refresh_from_db()
    assert mine.starts_at == at(12)
    reschedule_activity(activity=mine, starts_at=at(11), by=teammate)


def test_some_rooms_are_for_some_and_all_bookings_have_a_length(rep, head, room):
    board = Resource.objects.create(name="Board room", role=head.roles.get())
    meeting(head, at(9), at(10), board)
    with pytest.raises(PermissionDenied):
        meeting(rep, at(11), at(12), board)
    Resource.objects.filter(pk=room.pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        meeting(rep, at(11), at(12), room)
    Resource.objects.filter(pk=room.pk).update(is_active=True)
    with pytest.raises(ValidationError):
        book(activity=make_activity(rep), resources=[room], by=rep)


def test_the_forms_book_change_and_release(signed_in, rep, teammate, room):
    other = Resource.objects.create(name="Blue room")
    create = reverse("collab_calendar:activity_create")
    data = {"kind": "meeting", "starts_at": "2030-03-13T09:00", "minutes": "60", "resources": [room.pk]}
    client = signed_in(rep)
    assert "Amber room" in client.get(create).content.decode()
    assert client.post(create, data).status_code == 302
    answer = signed_in(teammate).post(create, data | {"subject": "Second"})
    assert answer.status_code == 422 and str(rep) in answer.content.decode()
    assert not Activity.objects.filter(subject="Second").exists()
    activity = Activity.objects.get()
    update = reverse("collab_calendar:activity_update", args=[activity.pk])
    changed = {**data, "version": activity.version, "subject": "Moved", "resources": [other.pk]}
    assert signed_in(rep).post(update, changed).status_code == 302
    assert list(activity.bookings.values_list("resource", flat=True)) == [other.pk]
    detail = reverse("collab_calendar:activity_detail", args=[activity.pk])
    assert "Blue room" in signed_in(rep).get(detail).content.decode()


def test_a_drag_onto_a_taken_time_is_put_back(signed_in, rep, teammate, room):
    meeting(rep, at(9), at(11), room)
    mine = meeting(teammate, at(12), at(13), room)
    move = reverse("collab_calendar:activity_move", args=[mine.pk])
    answer = signed_in(teammate).post(move, {"starts_at": "2030-03-13T10:00", "version": mine.version})
    assert answer.status_code == 422 and "Amber room" in answer.json()["message"]
    mine.refresh_from_db()
    assert mine.starts_at == at(12)


def test_the_strip_shows_rooms(rep, room):
    meeting(rep, at(9), at(11), room)
    found = availability(rep, [], at(10), timedelta(hours=1), 0, [room])
    assert found.clashes == [room]
    assert timezone.localtime(found.free[0]).hour == 11


def test_administrators_keep_the_list_and_everybody_reads_it(signed_in, rep, admin_user, room):
    listing, create = reverse("collab_calendar:resource_list"), reverse("collab_calendar:resource_create")
    assert "Amber room" in signed_in(rep).get(listing).content.decode()
    assert signed_in(rep).post(create, {"name": "Mine"}).status_code == 403
    client = signed_in(admin_user)
    assert client.post(create, {"name": "Amber room", "is_active": "on"}).status_code == 422
    assert client.post(create, {"name": "Van", "is_active": "on"}).status_code == 302
    update = reverse("collab_calendar:resource_update", args=[room.pk])
    assert client.post(update, {"name": "Green room", "capacity": "-2"}).status_code == 422
    assert client.post(update, {"name": "Green room", "capacity": "4"}).status_code == 302
    room.refresh_from_db()
    assert (room.name, room.is_active) == ("Green room", False)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_book_at_once_one_gets_the_room(company, room):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")
    people = [company[login] for login in ("rep", "teammate", "head", "outsider")]
    start, outcomes = threading.Barrier(len(people)), []

    def try_it(person):
        close_old_connections()
        start.wait()
        try:
            meeting(person, at(9), at(10), room)
            outcomes.append("booked")
        except ResourceTaken:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["booked", "refused", "refused", "refused"]
    assert Booking.objects.count() == 1
