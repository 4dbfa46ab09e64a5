"""The calendar page and what the browser asks it for: who sees what, what a drag does, what it costs."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.services import cancel_activity, complete_activity, plan_activity
from crm.notify.models import Notification
from crm.people.absences import Absence
from deals.models import Payment
from tests.factories.collab import in_hours, make_activity
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 12)


def at(hour: int, day: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=timezone.get_current_timezone())


def meeting(by, subject="Meeting", start=9, end=10, **values) -> Activity:
    return plan_activity(
        kind="meeting", subject=subject, starts_at=at(start), ends_at=at(end), by=by, **values
    )


def events(client, *people, layers="", start=DAY, end=None) -> list[dict]:
    asked = {
        "start": start.isoformat(), "end": (end or start + timedelta(days=1)).isoformat(), "layers": layers,
        "people": ",".join(str(one.pk) for one in people),
    }  # fmt: skip
    answer = client.get(reverse("collab_calendar:calendar_events"), asked)
    assert answer.status_code == 200
    return answer.json()["events"]


def move(client, activity, start, end=None, version=None):
    data = {"starts_at": start, "version": version or activity.version} | ({"ends_at": end} if end else {})
    return client.post(reverse("collab_calendar:activity_move", args=[activity.pk]), data)


def test_page_opens_with_what_the_address_asks_for(signed_in, rep, head):
    page = signed_in(head).get(
        reverse("collab_calendar:calendar"), {"view": "month", "people": f"{head.pk},{rep.pk}"}
    )
    text = page.content.decode()
    assert 'data-view="month"' in text
    assert f'data-people="{head.pk},{rep.pk}"' in text or f'data-people="{rep.pk},{head.pk}"' in text
    assert "v/fullcalendar.js" in text
    assert "v/fullcalendar.js" not in signed_in(head).get("/").content.decode()


def test_nonsense_in_the_address_opens_ones_own_calendar(signed_in, rep, outsider):
    asked = {"view": "century", "date": "9999-99-99", "people": f"x,{outsider.pk},{10**20}"}
    text = signed_in(rep).get(reverse("collab_calendar:calendar"), asked).content.decode()
    assert f'data-people="{rep.pk}"' in text
    assert f'data-date="{timezone.localdate()}"' in text


@pytest.mark.parametrize(
    "span", [("", ""), ("2026-11-12", "2026-11-12"), ("2026-01-01", "2026-12-31"), ("a", "b")]
)
def test_an_impossible_span_is_refused(signed_in, rep, span):
    asked = {"start": span[0], "end": span[1]}
    assert signed_in(rep).get(reverse("collab_calendar:calendar_events"), asked).status_code == 400


def test_own_events_tell_kind_and_status(signed_in, rep):
    meeting(rep, "Over")
    later = plan_activity(kind="call", subject="Soon", starts_at=in_hours(3), by=rep)
    done = meeting(rep, "Held")
    complete_activity(activity=done, result="Good", by=rep)
    off = meeting(rep, "Off")
    cancel_activity(activity=off, by=rep)
    day = timezone.localdate(later.starts_at)
    found = {one["title"]: one for one in events(signed_in(rep), rep, start=DAY, end=DAY + timedelta(days=1))}
    assert {title: one["status"] for title, one in found.items()} == {
        "Over": "overdue",
        "Held": "done",
        "Off": "cancelled",
    }
    assert found["Over"]["start"] == "2026-11-12T09:00:00"
    assert found["Over"]["editable"] and not found["Held"]["editable"]
    [soon] = [one for one in events(signed_in(rep), rep, start=day) if one["title"] == "Soon"]
    assert (soon["status"], soon["kind"]) == ("planned", "call")


def test_what_one_may_not_see_is_busy_and_nothing_more(signed_in, rep, teammate, head, outsider):
    meeting(rep, "Salary talk", is_private=True, place="Cafe", description="Secret")
    cancel_activity(activity=meeting(rep, "Called off", is_private=True), by=rep)
    plan_activity(kind="letter", subject="No time", starts_at=at(9), by=rep, is_private=True)
    for reader in (teammate, head):
        [busy] = events(signed_in(reader), rep)
        assert (busy["title"], busy["status"], busy["editable"]) == ("busy", "busy", False)
        assert set(busy) == {"allDay", "start", "end", "id", "title", "status", "editable", "faces"}
    assert [one["title"] for one in events(signed_in(outsider), rep)] == []


def test_a_guest_is_busy_as_well(signed_in, rep, teammate, head):
    meeting(rep, "Together", participants=[teammate])
    [event] = events(signed_in(head), teammate)
    assert event["title"] == "Together"
    [event] = events(signed_in(head), rep, teammate)
    assert [face["name"] for face in event["faces"]] == [str(rep), str(teammate)]


def test_layers_tell_of_deals_to_whoever_sees_them(signed_in, rep, teammate, outsider):
    deal = make_deal(rep, name="Forklifts", close_date=DAY)
    Payment.objects.create(deal=deal, planned_date=DAY, amount=Decimal(500))
    mine = events(signed_in(rep), rep, layers="closes,payments")
    assert {one["layer"]: one["url"] for one in mine} == dict.fromkeys(
        ("closes", "payments"), f"/deals/{deal.pk}/"
    )
    assert "500" in mine[1]["title"] and "Forklifts" in mine[1]["title"]
    assert events(signed_in(rep), rep) == []
    assert events(signed_in(outsider), rep, layers="closes,payments") == []


def test_free_days_and_absences_lie_behind(signed_in, rep):
    Absence.objects.create(user=rep, first_day=date(2026, 11, 10), last_day=date(2026, 11, 11), note="Ill")
    found = events(signed_in(rep), rep, start=date(2026, 11, 11))
    assert {one["status"]: one["display"] for one in found} == {"free": "background", "away": "background"}
    assert "Ill" not in str(found)


def test_a_drag_keeps_the_length_and_tells_the_owner(signed_in, rep, head):
    activity = meeting(rep)
    answer = move(signed_in(head), activity, "2026-11-13T14:00")
    activity.refresh_from_db()
    assert (answer.status_code, answer.json()["version"]) == (200, activity.version)
    assert (activity.starts_at, activity.ends_at) == (at(14, 13), at(15, 13))
    note = Notification.objects.get(user=rep, kind="collab_calendar.changed")
    assert "Meeting" in note.sentence and "14:00" in note.sentence
    assert not Notification.objects.filter(user=head, kind="collab_calendar.changed").exists()


def test_a_resize_changes_the_end(signed_in, rep):
    activity = meeting(rep)
    assert move(signed_in(rep), activity, "2026-11-12T09:00", "2026-11-12T11:30").status_code == 200
    activity.refresh_from_db()
    assert activity.ends_at - activity.starts_at == timedelta(hours=2.5)


def test_of_two_who_drag_the_second_is_told(signed_in, rep, head):
    activity = meeting(rep)
    seen = activity.version
    assert move(signed_in(rep), activity, "2026-11-12T12:00").status_code == 200
    answer = move(signed_in(head), activity, "2026-11-12T16:00", version=seen)
    activity.refresh_from_db()
    assert (answer.status_code, activity.starts_at) == (409, at(12))
    assert answer.json()["message"]


def test_a_drag_is_refused_in_words(signed_in, rep, teammate, outsider):
    activity = meeting(rep)
    assert move(signed_in(outsider), activity, "2026-11-12T12:00").status_code == 404
    assert move(signed_in(teammate), activity, "2026-11-12T12:00").status_code == 404
    client = signed_in(rep)
    assert move(client, activity, "2026-11-12T12:00", "2026-11-12T11:00").status_code == 422
    assert move(client, activity, "2026-03-29T02:30").status_code == 422  # the clocks go forward over it
    complete_activity(activity=activity, result="Done", by=rep)
    answer = move(client, activity, "2026-11-12T12:00", version=activity.version)
    activity.refresh_from_db()
    assert (answer.status_code, activity.starts_at) == (409, at(9))


def test_a_span_drawn_in_the_calendar_fills_the_form(signed_in, rep, head):
    create = reverse("collab_calendar:activity_create")
    asked = {"starts_at": "2026-11-12T09:15", "minutes": "105", "owner": rep.pk}
    text = signed_in(head).get(create, asked).content.decode()
    assert 'value="2026-11-12T09:15"' in text
    assert '<option value="105" selected>' in text
    assert f'<option value="{rep.pk}" selected>' in text
    answer = signed_in(head).post(
        f"{create}?starts_at=2026-11-12T09:15&minutes=105",
        {"kind": "meeting", "starts_at": "2026-11-12T09:15", "minutes": "105", "owner": rep.pk},
    )
    activity = Activity.objects.get()
    assert (answer.status_code, activity.owner) == (302, rep)
    assert activity.ends_at - activity.starts_at == timedelta(minutes=105)
    assert signed_in(head).get(create, {"starts_at": "x", "minutes": "-1", "owner": "y"}).status_code == 200


def test_several_whole_days_are_planned_at_once(signed_in, rep):
    create = reverse("collab_calendar:activity_create")
    data = {"kind": "meeting", "starts_at": "2026-11-12T09:15", "all_day": "on", "last_day": "2026-11-14"}
    assert signed_in(rep).post(create, data | {"last_day": "2026-11-11"}).status_code == 422
    assert signed_in(rep).post(create, data).status_code == 302
    [event] = events(signed_in(rep), rep, start=date(2026, 11, 13))
    assert (event["allDay"], event["start"], event["end"]) == (True, "2026-11-12", "2026-11-15")


def test_cost_does_not_grow_with_the_rows(signed_in, rep, teammate, head, django_assert_max_num_queries):
    layers = "deadlines,closes,payments"
    for number in range(3):
        meeting(rep, f"No {number}", participants=[teammate], is_private=bool(number % 2))
    client = signed_in(head)
    events(client, rep, teammate, layers=layers)
    with django_assert_max_num_queries(10) as few:
        events(client, rep, teammate, layers=layers)
    for number in range(25):
        make_activity(rep, subject=f"More {number}")
        meeting(rep, f"More {number}", deal=make_deal(rep, close_date=DAY))
    with django_assert_max_num_queries(10) as many:
        found = events(client, rep, teammate, layers=layers)
    assert len(found) > 50
    assert len(many) == len(few)
