"""Devices and the feeds they read: what stands in them, what never does, and that asking again costs nothing."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from collab.calendar import services
from collab.phones.devices import add_device, revoke_device
from collab.phones.models import Device
from crm.history.bin import delete_record
from tests.factories.collab import in_hours, make_activity
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db
POLISH = "Zażółć gęślą jaźń; oferta, „Łódź” " * 4


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def subscribe(user, **values) -> tuple[Device, str]:
    device, secret = add_device(values={"name": "Phone"} | values, by=user)
    return device, reverse("collab_phones:feed", args=[secret])


def read(url: str, **headers):
    return Client().get(url, headers=headers)


def events(url: str) -> dict[str, object]:
    answer = read(url)
    assert answer.status_code == 200, answer.status_code
    found = Calendar.from_ical(answer.content)
    return {str(event["SUMMARY"]): event for event in found.walk("VEVENT")}


def test_what_one_plans_stands_in_the_feed(rep, outsider, settings):
    settings.CRM_URL = "https://crm.example"
    call = make_activity(
        rep,
        subject=POLISH[:200],
        description="a,b;c\\d\nnext",
        place="Łódź, Piotrkowska 1",
        ends_at=in_hours(4),
    )
    invited = make_activity(outsider, subject="Invited", participants=[rep])
    make_activity(outsider, subject="Foreign")
    rep.time_zone = "America/New_York"
    rep.save()
    day = timezone.now().date() + timedelta(days=9)
    midnight = datetime.combine(day, time.min, ZoneInfo(rep.time_zone))
    make_activity(rep, subject="Fair", all_day=True, starts_at=midnight, ends_at=midnight + timedelta(days=2))
    device, url = subscribe(rep)
    assert device.last_used_at is None
    found = events(url)
    assert sorted(found) == sorted([POLISH[:200].strip(), "Invited", "Fair"])
    event = found[POLISH[:200].strip()]
    assert str(event["UID"]) == call.uid
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (call.starts_at, call.ends_at)
    assert str(event["LOCATION"]) == "Łódź, Piotrkowska 1"
    assert (
        str(event["DESCRIPTION"]) == f"a,b;c\\d\nnext\n\nhttps://crm.example/calendar/activities/{call.pk}/"
    )
    assert (found["Fair"]["DTSTART"].dt, found["Fair"]["DTEND"].dt) == (day, day + timedelta(days=2))
    assert str(found["Invited"]["UID"]) == invited.uid
    body = read(url).content
    assert b"METHOD" not in body
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    device.refresh_from_db()
    assert device.last_used_at is not None
    assert Device.objects.get().digest not in url


def test_an_unchanged_feed_is_304_for_two_queries_and_every_change_is_noticed(rep, outsider):
    rows = [make_activity(rep, subject=f"Call {number}") for number in range(4)]
    _device, url = subscribe(rep)
    first = read(url)
    etag, since = first["ETag"], first["Last-Modified"]
    with CaptureQueriesContext(connection) as asked:
        again = read(url, **{"If-None-Match": etag})
    assert (again.status_code, again.content, len(asked)) == (304, b"", 2)
    assert again["ETag"] == etag
    assert read(url, **{"If-Modified-Since": since}).status_code == 304
    head = Client().head(url)
    assert (head.status_code, head["ETag"]) == (200, etag)
    seen = {etag}
    invited = make_activity(outsider, subject="Theirs")
    changes = [
        lambda: services.edit_activity(
            activity=rows[0], values={"place": "Kraków"}, version=rows[0].version, by=rep
        ),
        lambda: services.cancel_activity(activity=rows[1], by=rep),
        lambda: services.complete_activity(activity=rows[2], result="Fine", by=rep),
        lambda: delete_record(record=rows[3], by=rep),
        lambda: services.edit_activity(
            activity=invited, values={}, version=invited.version, by=outsider, participants=[rep]
        ),
        lambda: services.edit_activity(
            activity=invited, values={}, version=invited.version, by=outsider, participants=[]
        ),
        lambda: type(rep).objects.filter(pk=rep.pk).update(time_zone="Asia/Tokyo"),
    ]
    for change in changes[:5]:
        change()
        etag = read(url, **{"If-None-Match": etag})["ETag"]
        assert etag not in seen
        seen.add(etag)
    changes[5]()
    assert read(url, **{"If-None-Match": etag}).status_code == 200
    changes[6]()
    assert read(url, **{"If-None-Match": etag}).status_code == 200


def test_a_busy_feed_tells_no_word(rep, outsider, settings):
    long = {"ends_at": in_hours(5)}
    make_activity(rep, subject="Merger talks", description="Secret", place="Hotel", **long)
    make_activity(rep, subject="Doctor", is_private=True, **long)
    make_activity(rep, subject="Letter of no length", kind="letter")
    gone = make_activity(rep, subject="Called off", **long)
    services.cancel_activity(activity=gone, by=rep)
    make_deal(rep, name="Big deal", close_date=timezone.localdate())
    _device, url = subscribe(rep, scope="busy", with_deadlines=True)
    answer = read(url)
    body = answer.content.decode()
    found = Calendar.from_ical(body).walk("VEVENT")
    assert [str(event["SUMMARY"]) for event in found] == ["Busy", "Busy"]
    for word in (
        "Merger",
        "Secret",
        "Hotel",
        "Doctor",
        "Letter",
        "Called",
        "Big",
        str(rep),
        "/activities/",
        "MEETING",
        "CALL",
    ):
        assert word not in body, word
    assert {name for event in found for name in event} == {
        "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "TRANSP",
    }  # fmt: skip


def test_deadlines_are_days_that_take_no_time(rep, teammate):
    make_deal(rep, name="Mine", close_date=timezone.localdate() + timedelta(days=3))
    make_deal(teammate, name="Not mine", close_date=timezone.localdate())
    make_activity(rep, subject="A call")
    _device, url = subscribe(rep, with_activities=False, with_deadlines=True)
    found = events(url)
    assert list(found) == ["Mine"]
    assert (found["Mine"]["DTSTART"].dt, str(found["Mine"]["TRANSP"])) == (
        timezone.localdate() + timedelta(days=3), "TRANSPARENT",
    )  # fmt: skip
    etag = read(url)["ETag"]
    make_deal(rep, name="Another", close_date=timezone.localdate())
    assert read(url, **{"If-None-Match": etag}).status_code == 200


def test_what_is_revoked_unknown_or_of_somebody_gone_does_not_exist(rep):
    device, url = subscribe(rep)
    other = reverse("collab_phones:feed", args=[device.digest])
    assert read(url).status_code == 200
    assert read(other).status_code == 404
    rep.is_active = False
    rep.save()
    assert read(url).status_code == 404
    rep.is_active = True
    rep.save()
    assert read(url).status_code == 200
    assert revoke_device(device=device, by=rep)
    assert not revoke_device(device=device, by=rep)
    assert read(url).status_code == 404
    assert Client().post(url).status_code == 405


def test_who_guesses_is_shut_out_and_others_are_not(rep):
    _device, url = subscribe(rep)
    tries = [read(reverse("collab_phones:feed", args=[f"guess{number}"])).status_code for number in range(30)]
    assert (tries[0], tries[-1]) == (404, 429)
    assert read(url).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").get(url).status_code == 200


class TestPages:
    def test_a_device_is_added_its_address_shown_once_and_revoked(self, rep, teammate, signed_in, settings):
        settings.CRM_URL = "https://crm.example"
        client, url = signed_in(rep), reverse("collab_phones:device_list")
        assert reverse("collab_phones:device_list") in client.get(reverse("web:profile")).content.decode()
        answer = client.post(url, {"name": "Moto", "way": "feed", "scope": "full", "with_activities": "on"})
        page = answer.content.decode()
        device = Device.objects.get()
        address = page.split('id="device-url"')[1].split('value="')[1].split('"')[0]
        assert address.startswith("https://crm.example/calendar/feeds/")
        assert f"webcal://{address.partition('://')[2]}" in page
        assert "data:image/svg+xml" in page
        assert read(address.removeprefix("https://crm.example")).status_code == 200
        page = client.get(url).content.decode()
        assert "Moto" in page
        assert "/feeds/" not in page
        removal = reverse("collab_phones:device_removal", args=[device.pk])
        assert signed_in(teammate).post(removal).status_code == 404
        assert signed_in(rep).post(removal).status_code == 302
        assert read(address.removeprefix("https://crm.example")).status_code == 404

    @pytest.mark.parametrize(
        "values",
        [
            {"way": "feed", "scope": "full", "with_activities": "on"},
            {"way": "feed", "name": "x", "scope": "full"},
            {"way": "feed", "name": "x", "scope": "all", "with_activities": "on"},
            {"way": "feed", "name": "x" * 61, "scope": "full", "with_activities": "on"},
            {"way": "feed", "name": "x", "scope": "busy", "with_deadlines": "on"},
            {"way": "both", "name": "x"},
            {"name": "x"},
            {"way": "account"},
        ],
    )
    def test_bad_input_adds_nothing(self, rep, signed_in, values):
        assert signed_in(rep).post(reverse("collab_phones:device_list"), values).status_code == 422
        assert not Device.objects.exists()

    def test_nobody_collects_devices_without_end(self, rep, signed_in):
        for number in range(20):
            add_device(values={"name": str(number)}, by=rep)
        values = {"way": "feed", "name": "x", "scope": "full", "with_activities": "on"}
        assert signed_in(rep).post(reverse("collab_phones:device_list"), values).status_code == 422

    def test_one_activity_as_a_file(self, rep, outsider, signed_in):
        activity = make_activity(rep, subject="Negocjacje w Łodzi", kind="meeting", ends_at=in_hours(3))
        url = reverse("collab_phones:activity_file", args=[activity.pk])
        assert (
            url
            in signed_in(rep)
            .get(reverse("collab_calendar:activity_detail", args=[activity.pk]))
            .content.decode()
        )
        answer = signed_in(rep).get(url)
        [event] = Calendar.from_ical(answer.content).walk("VEVENT")
        assert (str(event["SUMMARY"]), str(event["UID"])) == ("Negocjacje w Łodzi", activity.uid)
        assert "attachment" in answer["Content-Disposition"]
        assert signed_in(outsider).get(url).status_code == 404
