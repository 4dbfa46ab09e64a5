"""What repeats, for people: the fields, the sentence, the question which of them is meant, lists that show the next."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from collab.calendar.lists import ActivityList
from collab.calendar.models import Activity, Series
from collab.calendar.selectors import my_day
from collab.calendar.services import edit_activity
from crm.history.models import Deletion
from tests.factories.collab import WARSAW, make_activity, make_series, monday
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(name, *args):
    return reverse(f"collab_calendar:{name}", args=args)


def written(moment) -> str:
    return moment.astimezone(WARSAW).strftime("%Y-%m-%dT%H:%M")


def plan(client, **fields):
    data = {
        "kind": "meeting",
        "subject": "Stand-up",
        "starts_at": written(monday()),
        "minutes": "60",
        **fields,
    }
    return client.post(url("activity_create"), data)


def clocks() -> set[str]:
    rows = Activity.objects.filter(deleted_at=None)
    return {f"{row.starts_at.astimezone(WARSAW):%a %H:%M}" for row in rows}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"repeat": "daily", "repeat_every": "2"}, "FREQ=DAILY;INTERVAL=2"),
        ({"repeat": "working"}, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ({"repeat": "weekly", "repeat_days": ["1", "3"]}, "FREQ=WEEKLY;BYDAY=TU,TH"),
        ({"repeat": "weekly", "repeat_ends": "times", "repeat_times": "5"}, "FREQ=WEEKLY;BYDAY=MO;COUNT=5"),
        ({"repeat": "last"}, "FREQ=MONTHLY;BYDAY=-1MO"),
        ({"repeat": "last_day"}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ({"repeat": "monthly"}, f"FREQ=MONTHLY;BYMONTHDAY={monday().day}"),
        ({"repeat": "nth"}, f"FREQ=MONTHLY;BYDAY={(monday().day - 1) // 7 + 1}MO"),
        ({"repeat": "yearly", "repeat_every": "1"}, "FREQ=YEARLY"),
    ],
)  # fmt: skip
def test_the_form_says_how_often_and_shows_it_again(signed_in, rep, fields, rule):
    client = signed_in(rep)
    assert plan(client, **fields).status_code == 302
    series = Series.objects.get()
    assert (series.rule, series.time_zone) == (rule, "Europe/Warsaw")
    first = series.occurrences.order_by("starts_at").first()
    form = client.get(url("activity_update", first.pk)).context["form"]
    assert form.initial["repeat"] == fields["repeat"]
    assert (
        series.sentence
        in client.get(url("activity_detail", first.pk)).content.decode().lower() + series.sentence
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"repeat": "hourly"}, {"repeat": "daily", "repeat_every": "0"}, {"repeat": "daily", "repeat_every": "1000"},
        {"repeat": "daily", "repeat_ends": "times"}, {"repeat": "daily", "repeat_ends": "day"},
        {"repeat": "daily", "repeat_ends": "times", "repeat_times": "1000000000"},
        {"repeat": "weekly", "repeat_days": "9"},
        {"repeat": "daily", "repeat_ends": "day", "repeat_until": "2020-01-01"},
        {"repeat": "daily", "repeat_ends": "day", "repeat_until": "2099-01-01"},
        {"repeat": "daily", "starts_at": "1980-01-01T09:00"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_words(signed_in, rep, fields):
    answer = plan(signed_in(rep), **fields)
    assert answer.status_code == 422 and Activity.objects.count() == 0
    assert any(answer.context["form"].errors.values())


def test_the_sentence_is_told_while_the_form_is_filled_in(signed_in, rep):
    client = signed_in(rep)
    asked = {"starts_at": "2030-01-01T09:00", "repeat": "weekly", "repeat_days": ["0"], "repeat_every": "2"}
    text = client.get(url("repetition"), asked, headers=HTMX).content.decode()
    assert "Every 2 weeks on Monday. First on 7 Jan 2030." in text
    more = asked | {"repeat_ends": "times", "repeat_times": "800"}
    assert "730" in client.get(url("repetition"), more, headers=HTMX).content.decode()
    assert client.get(url("repetition"), {"starts_at": "x"}, headers=HTMX).status_code == 200
    assert "arrow-repeat" not in client.get(url("repetition"), {"repeat": ""}, headers=HTMX).content.decode()


def test_a_drag_asks_how_many_are_meant(signed_in, rep):
    rows = list(make_series(rep).series.occurrences.order_by("starts_at"))
    client, pivot = signed_in(rep), rows[2]
    asked = {
        "start": pivot.starts_at.date().isoformat(),
        "end": (pivot.starts_at.date() + timedelta(days=1)).isoformat(),
    }
    [event] = client.get(url("calendar_events"), asked).json()["events"]
    assert event["repeats"] == "every week on Monday"
    to = pivot.starts_at + timedelta(days=1)
    address = f"{event['time']}?starts_at={written(to)}&ends_at={written(to + timedelta(hours=2))}"
    form = client.get(address).context["form"]
    assert form.initial["starts_at"] == to and form.initial["scope"] == "one"
    data = {"starts_at": written(to), "ends_at": written(to + timedelta(hours=2)), "version": pivot.version}
    assert client.post(address, data | {"scope": "following"}).status_code == 302
    assert clocks() == {"Mon 09:00", "Tue 09:00"} and Series.objects.count() == 2
    pivot.refresh_from_db()
    assert pivot.ends_at - pivot.starts_at == timedelta(hours=2)
    assert (
        client.post(url("activity_time", rows[0].pk), {"starts_at": written(monday(12))}).status_code == 302
    )
    rows[0].refresh_from_db()
    assert rows[0].is_detached
    assert (
        "this one was changed on its own" in client.get(url("activity_detail", rows[0].pk)).content.decode()
    )


def test_editing_asks_too_and_meets_who_was_quicker(signed_in, rep, teammate, head):
    rows = list(make_series(rep).series.occurrences.order_by("starts_at"))
    client = signed_in(rep)
    page = client.get(url("activity_update", rows[1].pk))
    data = {key: value for key, value in page.context["form"].initial.items() if value not in (None, "", [])}
    data |= {"starts_at": written(rows[1].starts_at), "version": rows[1].version, "subject": "Weekly"}
    data.pop("all_day"), data.pop("is_private")
    edit_activity(activity=rows[1], values={"subject": "Quicker"}, version=rows[1].version, by=head)
    assert client.post(url("activity_update", rows[1].pk), data | {"scope": "all"}).status_code == 409
    assert client.post(
        url("activity_update", rows[2].pk),
        data | {"scope": "one", "starts_at": written(rows[2].starts_at), "repeat": "daily"},
    ).status_code == 422  # fmt: skip
    more = {
        "scope": "all",
        "starts_at": written(rows[2].starts_at),
        "version": 1,
        "colleagues": [teammate.pk],
    }
    assert client.post(url("activity_update", rows[2].pk), data | more).status_code == 302
    subjects = Activity.objects.order_by("starts_at").values_list("subject", flat=True)
    assert list(subjects[:4]) == ["Weekly", "Quicker", "Weekly", "Weekly"]
    assert rows[5].participants.get().user == teammate


def test_something_planned_is_made_to_repeat(signed_in, rep):
    activity = make_activity(rep, kind="meeting", starts_at=monday(), ends_at=monday(10))
    data = {
        "subject": "Stand-up",
        "starts_at": written(monday()),
        "minutes": "60",
        "version": 1,
        "repeat": "weekly",
    }
    assert signed_in(rep).post(url("activity_update", activity.pk), data).status_code == 302
    assert Series.objects.get().occurrences.count() > 50


def test_deleting_asks_and_is_taken_back(signed_in, rep, teammate, outsider):
    rows = list(make_series(rep, lead=make_lead(rep)).series.occurrences.order_by("starts_at"))
    address = url("activity_deletion", rows[3].pk)
    assert signed_in(outsider).get(address).status_code == 404
    assert signed_in(teammate).post(address).status_code == 403
    client = signed_in(rep)
    assert "This and the following" in client.get(address, headers=HTMX).content.decode()
    assert client.post(address, {"scope": "century"}).status_code == 422
    assert client.post(address, {"scope": "following"}, headers=HTMX).status_code == 204
    assert Activity.objects.filter(deleted_at=None).count() == 3
    client.post(reverse("history:deletion_restoration", args=[Deletion.objects.get().pk]))
    assert Activity.objects.filter(deleted_at=None).count() == len(rows)


def test_where_the_next_is_shown_the_others_are_not(signed_in, rep):
    lead, tomorrow = make_lead(rep), timezone.now() + timedelta(days=1)
    make_series(rep, "FREQ=DAILY", tomorrow, lead=lead)
    assert len(my_day(rep).later) == 1
    assert len(ActivityList(rep, {}).lines) == 1
    assert {tab: count for tab, _label, count in ActivityList(rep, {}).tab_counts()}["later"] == 1
    text = signed_in(rep).get(url("lead_activities", lead.pk)).content.decode()
    assert text.count("activity-line-") == 1 and 'title="every day"' in text
    assert "every day" in signed_in(rep).get(url("lead_next", lead.pk)).content.decode()


def test_a_year_of_them_costs_no_more_queries(signed_in, rep, django_assert_max_num_queries):
    client = signed_in(rep)
    first = make_series(rep, "FREQ=DAILY", timezone.now() + timedelta(hours=1))
    for number in range(5):
        make_series(rep, "FREQ=DAILY", timezone.now() + timedelta(hours=2 + number))
    day = timezone.localdate(first.starts_at)
    pages = (
        url("activity_list"), url("calendar"), url("my_day"),
        f"{url('calendar_events')}?start={day}&end={day + timedelta(days=42)}",
    )  # fmt: skip
    for address in pages:
        with django_assert_max_num_queries(10):
            assert client.get(address).status_code == 200
