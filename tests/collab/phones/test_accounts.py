"""What a phone with an account finds, may change and may not; request by request."""

import base64
import threading
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from collab.calendar import services
from collab.calendar.grants import grant_calendar
from collab.calendar.models import Activity
from collab.calendar.resources import Resource, book
from collab.phones.devices import add_device, revoke_device
from collab.phones.models import Device, PhoneEntry
from crm.history.models import Event
from tests.factories.collab import in_hours, make_activity, make_logged

pytestmark = pytest.mark.django_db
D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


class Phone:
    """Asks like a phone: with a login and a password, nothing else."""

    def __init__(self, user, login: str = ""):
        self.device, self.password = add_device(values={"name": "Phone", "way": "account"}, by=user)
        self.login, self.home = login or user.username, f"/dav/{user.username}/"

    def ask(self, method: str, path: str, body: str = "", **headers):
        basic = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        kind = "text/calendar" if method == "PUT" else "application/xml"
        url = path if path.startswith("/") else f"{self.home}{path}"
        headers = {"Authorization": f"Basic {basic}"} | headers
        return Client().generic(method, url, body.encode(), content_type=kind, headers=headers)

    def put(self, path: str, *lines: str, uid: str = "phone-1", **headers):
        return self.ask("PUT", path, vcalendar(*lines, uid=uid), **headers)

    def tree(self, method: str, path: str, body: str, **headers) -> ElementTree.Element:
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == 207, (answer.status_code, answer.content)
        return ElementTree.fromstring(answer.content)

    def names(self, path: str = "calendar/") -> set[str]:
        body = "<propfind xmlns='DAV:'><prop><getetag/></prop></propfind>"
        hrefs = [one.text for one in self.tree("PROPFIND", path, body, Depth="1").iter(f"{D}href")]
        return {href.rsplit("/", 1)[1] for href in hrefs if not href.endswith("/")}

    def sync(self, token: str = "") -> tuple[str, dict[str, bool]]:
        """The new token, and {name: whether it is still there}."""
        body = (
            f"<sync-collection xmlns='DAV:'><sync-token>{token}</sync-token><sync-level>1</sync-level>"
            "<prop><getetag/></prop></sync-collection>"
        )
        tree = self.tree("REPORT", "calendar/", body)
        found = {
            one.find(f"{D}href").text.rsplit("/", 1)[1]: one.find(f"{D}status") is None
            for one in tree.iter(f"{D}response")
        }
        return tree.find(f"{D}sync-token").text, found


def vcalendar(*lines: str, uid: str = "phone-1", component: str = "VEVENT") -> str:
    given = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//A phone//EN", f"BEGIN:{component}", f"UID:{uid}",
             "DTSTAMP:20261101T100000Z", *lines, f"END:{component}", "END:VCALENDAR", ""]  # fmt: skip
    return "\r\n".join(given)


LUNCH = (
    "DTSTART;TZID=Europe/Warsaw:20261203T120000",
    "DTEND;TZID=Europe/Warsaw:20261203T130000",
    "SUMMARY:Obiad w Łodzi",
)


def condition(answer) -> str:
    return ElementTree.fromstring(answer.content)[0].tag


class TestFinding:
    def test_the_way_from_the_address_to_the_calendars(self, rep, teammate, outsider):
        grant_calendar(owner=outsider, to=rep, level="view", by=outsider)
        grant_calendar(owner=teammate, to=rep, level="busy", by=teammate)
        room = Resource.objects.create(name="Amber room")
        phone = Phone(rep)
        answer = Client().generic("PROPFIND", "/.well-known/caldav")
        assert (answer.status_code, answer["Location"]) == (301, "/dav/")
        assert Client().generic("PROPFIND", "/dav/").status_code == 401
        assert "Basic" in Client().generic("PROPFIND", "/dav/")["WWW-Authenticate"]
        body = "<propfind xmlns='DAV:'><prop><current-user-principal/></prop></propfind>"
        tree = phone.tree("PROPFIND", "/dav/", body, Depth="0")
        assert tree.find(f".//{D}current-user-principal/{D}href").text == "/dav/rep/"
        body = f"<propfind xmlns='DAV:'><prop><calendar-home-set xmlns='{C[1:-1]}'/></prop></propfind>"
        tree = phone.tree("PROPFIND", "/dav/rep/", body, Depth="0")
        assert tree.find(f".//{C}calendar-home-set/{D}href").text == "/dav/rep/"
        body = (
            "<propfind xmlns='DAV:'><prop><displayname/><resourcetype/><current-user-privilege-set/>"
            f"<supported-calendar-component-set xmlns='{C[1:-1]}'/></prop></propfind>"
        )
        tree = phone.tree("PROPFIND", "/dav/rep/", body, Depth="1")
        found = {}
        for one in tree.iter(f"{D}response"):
            if one.find(f".//{C}calendar") is not None:
                writes = one.find(f".//{D}privilege/{D}write-content") is not None
                found[one.find(f"{D}href").text] = (one.find(f".//{D}displayname").text, writes)
                assert [comp.get("name") for comp in one.iter(f"{C}comp")] == ["VEVENT"]
        assert found == {
            "/dav/rep/calendar/": (str(rep), True),
            f"/dav/rep/person-{outsider.pk}/": (str(outsider), False),
            f"/dav/rep/room-{room.pk}/": ("Amber room", False),
        }

    def test_only_the_right_password_of_somebody_who_works_here_opens(self, rep, teammate):
        phone = Phone(rep)
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 207
        phone.password = phone.password.upper().replace("-", " ")
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 207
        phone.login = rep.email
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 207
        phone.login = teammate.username
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 401
        phone.login, right = rep.username, phone.password
        _feed, secret = add_device(values={"name": "Feed"}, by=rep)
        for wrong in ("demo", "", secret, phone.device.digest):
            phone.password = wrong
            assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 401
        phone.password = right
        assert Client().get(reverse("collab_phones:feed", args=[right])).status_code == 404
        for header in ("Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"nocolon").decode()):
            assert phone.ask("GET", "calendar/", Authorization=header).status_code == 401
        rep.is_active = False
        rep.save()
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 401
        rep.is_active = True
        rep.save()
        revoke_device(device=Device.objects.get(pk=phone.device.pk), by=rep)
        assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 401

    def test_who_guesses_passwords_is_shut_out(self, rep):
        phone = Phone(rep)
        right, phone.password = phone.password, "wrong"
        tries = [phone.ask("PROPFIND", "calendar/").status_code for _number in range(25)]
        assert (tries[0], tries[-1]) == (401, 429)
        phone.password = right
        assert phone.ask("PROPFIND", "calendar/").status_code == 429

    def test_no_path_leads_to_what_others_keep(self, rep, outsider):
        theirs = make_activity(outsider, subject="Foreign")
        phone = Phone(rep)
        for path in (
            "/dav/outsider/", "/dav/outsider/calendar/", f"/dav/outsider/calendar/activity-{theirs.pk}.ics",
            "/dav/rep/../outsider/calendar/", "/dav/rep/%2e%2e/outsider/calendar/", "/dav//outsider/calendar/",
            f"/dav/rep/calendar/activity-{theirs.pk}.ics", "/dav/rep/calendar/..%2f..%2foutsider/calendar/",
            f"/dav/rep/person-{outsider.pk}/", "/dav/rep/room-1/", "/dav/rep/calendar/a/b/c",
            "/dav/.web/",            "/dav/.sharing/", "/dav/rep/calendar/%00.ics", "/dav/rep/%E2%80%AE/",
            "/dav/rep/calendar/activity-99999999999999999999.ics",
        ):  # fmt: skip
            for method in ("GET", "PROPFIND", "REPORT"):
                answer = phone.ask(method, path)
                assert answer.status_code in {404, 400, 405}, (method, path, answer.status_code)
                assert b"Foreign" not in answer.content
            for method in ("PUT", "DELETE", "MOVE", "MKCALENDAR", "PROPPATCH"):
                answer = phone.ask(method, path, vcalendar(*LUNCH), Destination="/dav/rep/calendar/x.ics")
                assert answer.status_code in {400, 403, 404, 405, 409}, (method, path, answer.status_code)
        assert Activity.objects.get(pk=theirs.pk).is_open
        assert Activity.objects.count() == 1


class TestReading:
    def test_what_stands_in_the_calendars(self, rep, outsider):
        call = make_activity(rep, subject="A call")
        invited = make_activity(outsider, subject="Invited", participants=[rep])
        gone = make_activity(rep, subject="Called off")
        services.cancel_activity(activity=gone, by=rep)
        make_activity(outsider, subject="Open", ends_at=in_hours(4))
        secret = make_activity(outsider, subject="Secret", is_private=True, ends_at=in_hours(4))
        grant_calendar(owner=outsider, to=rep, level="view", by=outsider)
        room = Resource.objects.create(name="Amber room")
        book(activity=secret, resources=[room], by=outsider)
        phone = Phone(rep)
        assert phone.names() == {f"activity-{call.pk}.ics", f"activity-{invited.pk}.ics"}
        whole = phone.ask("GET", f"person-{outsider.pk}/").content.decode()
        assert "SUMMARY:Open" in whole
        assert "Secret" not in whole
        taken = phone.ask("GET", f"room-{room.pk}/").content.decode()
        assert str(outsider) in taken
        assert "Secret" not in taken
        answer = phone.ask("GET", f"calendar/activity-{call.pk}.ics")
        [event] = Calendar.from_ical(answer.content).walk("VEVENT")
        assert (str(event["UID"]), str(event["SUMMARY"])) == (call.uid, "A call")
        assert answer["ETag"]
        assert phone.ask("HEAD", f"calendar/activity-{call.pk}.ics").status_code == 200

    def test_reports_by_time_and_by_name(self, rep):
        near = make_activity(rep, subject="Near", hours=2, ends_at=in_hours(3))
        far = make_activity(rep, subject="Far", hours=200, ends_at=in_hours(201))
        phone = Phone(rep)
        start, end = (in_hours(hours).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for hours in (0, 24))
        body = (
            f"<C:calendar-query xmlns:C='{C[1:-1]}' xmlns='DAV:'><prop><getetag/><C:calendar-data/></prop><C:filter>"
            "<C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'>"
            f"<C:time-range start='{start}' end='{end}'/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )
        data = [
            one.text for one in phone.tree("REPORT", "calendar/", body, Depth="1").iter(f"{C}calendar-data")
        ]
        assert [str(Calendar.from_ical(text).walk("VEVENT")[0]["SUMMARY"]) for text in data] == ["Near"]
        hrefs = [f"/dav/rep/calendar/activity-{pk}.ics" for pk in (near.pk, far.pk, far.pk + 99)]
        body = (
            f"<C:calendar-multiget xmlns:C='{C[1:-1]}' xmlns='DAV:'><prop><getetag/><C:calendar-data/></prop>"
            + "".join(f"<href>{href}</href>" for href in hrefs)
            + "</C:calendar-multiget>"
        )
        tree = phone.tree("REPORT", "calendar/", body)
        assert len(list(tree.iter(f"{C}calendar-data"))) == 2
        assert [
            one.find(f"{D}href").text
            for one in tree.iter(f"{D}response")
            if one.find(f"{D}status") is not None
        ] == hrefs[2:]

    def test_many_entries_ask_no_more_than_one(self, rep, outsider):
        grant_calendar(owner=outsider, to=rep, level="view", by=outsider)
        make_activity(outsider, subject="One")
        phone, counts = Phone(rep), []
        phone.names(f"person-{outsider.pk}/")
        for _round in range(2):
            with CaptureQueriesContext(connection) as asked:
                phone.names(f"person-{outsider.pk}/")
            counts.append(len(asked))
            for number in range(5):
                make_activity(outsider, subject=f"More {number}")
        assert counts[0] == counts[1] <= 10

    def test_synchronising_tells_the_difference(self, rep):
        rows = [make_activity(rep, subject=f"Call {number}") for number in range(3)]
        phone = Phone(rep)
        names = [f"activity-{row.pk}.ics" for row in rows]
        token, found = phone.sync()
        assert found == dict.fromkeys(names, True)
        assert phone.sync(token) == (token, {})
        services.edit_activity(activity=rows[0], values={"place": "Kraków"}, version=rows[0].version, by=rep)
        services.cancel_activity(activity=rows[1], by=rep)
        new = make_activity(rep, subject="New")
        later, found = phone.sync(token)
        assert found == {names[0]: True, names[1]: False, f"activity-{new.pk}.ics": True}
        assert phone.sync(later) == (later, {})
        unknown = "<sync-collection xmlns='DAV:'><sync-token>https://contentum/sync/no</sync-token></sync-collection>"
        answer = phone.ask("REPORT", "calendar/", unknown)
        assert (answer.status_code, condition(answer)) == (403, f"{D}valid-sync-token")

    @pytest.mark.parametrize(
        "body",
        ["<", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "x" * 5000, "<a/>", "\x00",
         f"<C:calendar-query xmlns:C='{C[1:-1]}' xmlns='DAV:'><C:filter><C:comp-filter name='VCALENDAR'>"
         "<C:comp-filter name='VEVENT'><C:time-range start='never'/></C:comp-filter></C:comp-filter></C:filter>"
         "</C:calendar-query>"],
    )  # fmt: skip
    def test_nonsense_is_no_error_of_ours(self, rep, body):
        make_activity(rep)
        phone = Phone(rep)
        for method in ("PROPFIND", "REPORT", "PUT"):
            for path in ("calendar/", "calendar/x.ics"):
                assert phone.ask(method, path, body).status_code < 500, (method, path)

    def test_what_is_too_big_is_not_read(self, rep):
        phone = Phone(rep)
        big = vcalendar(*LUNCH, "DESCRIPTION:" + "x" * 10_000_000)
        assert phone.ask("PUT", "calendar/big.ics", big).status_code == 413


class TestWriting:
    def test_a_meeting_made_on_the_phone_is_an_activity_with_a_history(self, rep):
        phone = Phone(rep)
        alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Go", "END:VALARM")
        more = (
            "DESCRIPTION:a\\, b\\nc",
            "LOCATION:Łódź",
            "X-COLOUR:red",
            "PRIORITY:5",
            "CLASS:PRIVATE",
            *alarm,
        )
        answer = phone.put("calendar/ABC.ics", *LUNCH, *more, **{"If-None-Match": "*"})
        assert answer.status_code == 201, answer.content
        assert "ETag" not in answer
        activity = Activity.objects.get()
        assert (activity.kind, activity.subject, activity.place, activity.description, activity.is_private) == (
            "meeting", "Obiad w Łodzi", "Łódź", "a, b\nc", True,
        )  # fmt: skip
        assert (activity.starts_at, activity.ends_at) == (
            datetime(2026, 12, 3, 11, tzinfo=UTC), datetime(2026, 12, 3, 12, tzinfo=UTC),
        )  # fmt: skip
        told = Event.objects.get(subject_kind="collab_calendar.activity", subject_id=activity.pk)
        assert (told.kind, told.via, told.actor) == ("meeting_planned", "changed on a phone", rep)
        back = phone.ask("GET", "calendar/ABC.ics")
        [event] = Calendar.from_ical(back.content).walk("VEVENT")
        assert (str(event["UID"]), str(event["X-COLOUR"]), int(event["PRIORITY"])) == ("phone-1", "red", 5)
        assert [str(alarm["ACTION"]) for alarm in event.walk("VALARM")] == ["DISPLAY"]
        assert phone.names() == {"ABC.ics"}
        assert phone.put("calendar/ABC.ics", *LUNCH, **{"If-None-Match": "*"}).status_code == 412
        assert phone.put("calendar/other.ics", *LUNCH).status_code == 409

    def test_moving_and_renaming_on_the_phone(self, rep, signed_in):
        activity = make_activity(rep, kind="call", subject="Call Anna", ends_at=in_hours(3))
        phone, path = Phone(rep), f"calendar/activity-{activity.pk}.ics"
        answer = phone.ask("GET", path)
        etag, text = answer["ETag"], answer.content.decode()
        start = in_hours(26)
        moved = text.replace(f"DTSTART:{_utc(activity.starts_at)}", f"DTSTART:{_utc(start)}")
        moved = moved.replace(f"DTEND:{_utc(activity.ends_at)}", f"DTEND:{_utc(start + timedelta(hours=2))}")
        assert phone.ask("PUT", path, moved, **{"If-Match": etag}).status_code == 204
        activity.refresh_from_db()
        assert (activity.starts_at, activity.ends_at) == (start, start + timedelta(hours=2))
        assert activity.kind == "call"
        page = signed_in(rep).get(
            reverse("history:card_history", args=["collab_calendar.activity", activity.pk]),
            headers={"HX-Request": "true"},
        )
        assert "changed on a phone" in page.content.decode()
        assert phone.ask("PUT", path, text, **{"If-Match": etag}).status_code == 412
        fresh = phone.ask("GET", path)
        again = phone.ask("PUT", path, fresh.content.decode(), **{"If-Match": fresh["ETag"]})
        assert again.status_code == 204
        activity.refresh_from_db()
        assert Event.objects.filter(kind="call_edited", subject_id=activity.pk).count() == 0
        assert phone.ask("GET", path)["ETag"] == fresh["ETag"]
        alarm = fresh.content.decode().replace(
            "END:VEVENT", "BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
        )
        assert phone.ask("PUT", path, alarm, **{"If-Match": fresh["ETag"]}).status_code == 204
        assert phone.ask("GET", path)["ETag"] != fresh["ETag"]
        assert "ACTION:AUDIO" in phone.ask("GET", path).content.decode()

    def test_whole_days_floating_times_and_lengths(self, rep):
        rep.time_zone = "America/New_York"
        rep.save()
        phone = Phone(rep)
        phone.put(
            "calendar/a.ics",
            "DTSTART;VALUE=DATE:20261203",
            "DTEND;VALUE=DATE:20261205",
            "SUMMARY:Fair",
            uid="a",
        )
        phone.put("calendar/b.ics", "DTSTART:20261203T090000", "DURATION:PT45M", "SUMMARY:Floating", uid="b")
        phone.put("calendar/c.ics", "DTSTART:20261203T090000Z", "CATEGORIES:CALL", uid="c")
        fair, floating, call = Activity.objects.order_by("pk")
        assert (fair.all_day, fair.starts_at, fair.ends_at) == (
            True, datetime(2026, 12, 3, 5, tzinfo=UTC), datetime(2026, 12, 5, 5, tzinfo=UTC),
        )  # fmt: skip
        assert (floating.starts_at, floating.ends_at - floating.starts_at) == (
            datetime(2026, 12, 3, 14, tzinfo=UTC), timedelta(minutes=45),
        )  # fmt: skip
        assert (call.kind, call.subject, call.ends_at) == ("call", "Call", None)
        [event] = Calendar.from_ical(phone.ask("GET", "calendar/a.ics").content).walk("VEVENT")
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2026, 12, 3), date(2026, 12, 5))

    def test_what_a_phone_gives_back_unchanged_changes_nothing(self, rep):
        make_activity(rep, kind="letter", subject="No length", description=" a\n\nb\\;,ł " * 20)
        start = datetime(2026, 12, 2, 23, tzinfo=UTC)
        make_activity(rep, subject="Days", all_day=True, starts_at=start, ends_at=start + timedelta(days=2))
        phone = Phone(rep)
        phone.put(
            "calendar/a.ics",
            "DTSTART:20261203T090000Z",
            "SUMMARY:Bare",
            "STATUS:TENTATIVE",
            "GEO:1;2",
            uid="a",
        )
        for name in phone.names():
            answer = phone.ask("GET", f"calendar/{name}")
            again = phone.ask(
                "PUT", f"calendar/{name}", answer.content.decode(), **{"If-Match": answer["ETag"]}
            )
            assert again.status_code == 204, again.content
            assert phone.ask("GET", f"calendar/{name}")["ETag"] == answer["ETag"], answer.content.decode()
        assert not Event.objects.filter(kind__endswith="_edited").exists()

    def test_deleting_on_the_phone_calls_it_off(self, rep):
        phone = Phone(rep)
        phone.put("calendar/ABC.ics", *LUNCH)
        etag = phone.ask("GET", "calendar/ABC.ics")["ETag"]
        assert phone.ask("DELETE", "calendar/ABC.ics", **{"If-Match": '"old"'}).status_code == 412
        assert phone.ask("DELETE", "calendar/ABC.ics", **{"If-Match": etag}).status_code == 200
        activity = Activity.objects.get()
        assert activity.cancelled_at is not None
        assert Event.objects.filter(kind="meeting_cancelled", via="changed on a phone").count() == 1
        assert phone.ask("GET", "calendar/ABC.ics").status_code == 404
        assert phone.ask("DELETE", "calendar/ABC.ics").status_code == 404
        assert phone.put("calendar/ABC.ics", *LUNCH).status_code == 201
        assert phone.put("calendar/ABC.ics", *LUNCH, "STATUS:CANCELLED").status_code == 204
        assert phone.names() == set()
        assert Activity.objects.open().count() == 0

    @pytest.mark.parametrize(
        ("text", "status", "why"),
        [
            (vcalendar(*LUNCH, "RRULE:FREQ=WEEKLY;COUNT=5"), 403, f"{C}max-instances"),
            (vcalendar("DUE:20261203T090000Z", component="VTODO"), 403, f"{C}supported-calendar-component"),
            (vcalendar("SUMMARY:Never"), 400, None),
            (vcalendar("DTSTART:20261203T090000Z", "DTEND:20261202T090000Z"), 403, f"{C}valid-calendar-data"),
            (vcalendar("DTSTART:00010101T000000Z"), 403, f"{C}valid-calendar-data"),
            (vcalendar(*LUNCH, "X-BIG:" + "x" * 70_000), 403, f"{C}max-resource-size"),
            (vcalendar(*LUNCH, "STATUS:CANCELLED"), 403, f"{C}valid-calendar-data"),
            ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", None, None),
            ("hello", 400, None),
            ("", 400, None),
        ],
    )  # fmt: skip
    def test_what_we_cannot_keep_is_refused_by_name(self, rep, text, status, why):
        phone = Phone(rep)
        answer = phone.ask("PUT", "calendar/x.ics", text)
        assert answer.status_code == status if status else 400 <= answer.status_code < 500, answer.content
        if why:
            assert condition(answer) == why
        assert not Activity.objects.exists()
        assert not PhoneEntry.objects.exists()

    def test_rules_of_pages_are_rules_of_phones(self, rep, outsider):
        invited = make_activity(outsider, subject="Invited", participants=[rep], ends_at=in_hours(3))
        done = make_logged(rep)
        phone = Phone(rep)
        for pk in (invited.pk, done.pk):
            path = f"calendar/activity-{pk}.ics"
            text = phone.ask("GET", path).content.decode().replace("SUMMARY:", "SUMMARY:New ")
            assert phone.ask("PUT", path, text).status_code == 403
            assert phone.ask("DELETE", path).status_code == 403
        assert phone.put(f"calendar/activity-{done.pk + 50}.ics", *LUNCH, uid="x").status_code == 403
        invited.refresh_from_db()
        assert (invited.subject, invited.is_open) == ("Invited", True)

    def test_calendars_of_others_are_written_as_far_as_they_let_one_in(self, rep, outsider):
        theirs = make_activity(outsider, subject="Open", ends_at=in_hours(4))
        grant = grant_calendar(owner=outsider, to=rep, level="view", by=outsider)
        phone, folder = Phone(rep), f"person-{outsider.pk}"
        path = f"{folder}/activity-{theirs.pk}.ics"
        text = phone.ask("GET", path).content.decode().replace("SUMMARY:Open", "SUMMARY:Changed")
        assert phone.ask("PUT", path, text).status_code == 403
        assert phone.put(f"{folder}/new.ics", *LUNCH).status_code == 403
        assert phone.ask("DELETE", path).status_code == 403
        grant_calendar(owner=outsider, to=rep, level="edit", by=outsider)
        assert phone.ask("PUT", path, text).status_code == 204
        assert phone.put(f"{folder}/new.ics", *LUNCH).status_code == 201
        theirs.refresh_from_db()
        assert theirs.subject == "Changed"
        planned = Activity.objects.get(subject="Obiad w Łodzi")
        assert (planned.owner, planned.created_by) == (outsider, rep)
        grant.refresh_from_db()
        grant.delete()
        assert phone.ask("GET", path).status_code == 404

    def test_a_room_that_is_taken_stays_taken(self, rep, outsider):
        room = Resource.objects.create(name="Amber room")
        first = make_activity(outsider, ends_at=in_hours(3))
        book(activity=first, resources=[room], by=outsider)
        mine = make_activity(rep, hours=10, ends_at=in_hours(11))
        book(activity=mine, resources=[room], by=rep)
        phone, path = Phone(rep), f"calendar/activity-{mine.pk}.ics"
        text = phone.ask("GET", path).content.decode()
        moved = text.replace(_utc(mine.starts_at), _utc(first.starts_at)).replace(
            _utc(mine.ends_at), _utc(first.ends_at)
        )
        assert phone.ask("PUT", path, moved).status_code == 403
        was = mine.starts_at
        mine.refresh_from_db()
        assert mine.starts_at == was
        assert phone.put(f"room-{room.pk}/x.ics", *LUNCH).status_code == 403


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def test_an_account_is_added_on_the_page_and_opens_at_once(rep, signed_in, settings):
    settings.CRM_URL = "https://crm.example"
    answer = signed_in(rep).post(reverse("collab_phones:device_list"), {"name": "Moto", "way": "account"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "https://crm.example/dav/" in page
    password = page.split('id="device-password"')[1].split('value="')[1].split('"')[0]
    phone = Phone(rep)
    phone.password = password
    assert phone.ask("PROPFIND", "calendar/", Depth="0").status_code == 207
    device = Device.objects.get(name="Moto")
    assert device.last_used_at is not None
    assert password.replace("-", "") not in device.digest


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL alone works on two writes at a time"
)
def test_of_phones_that_write_at_one_moment_one_succeeds(rep):
    phone, together = Phone(rep), threading.Barrier(3)
    phone.put("calendar/old.ics", *LUNCH, uid="old")
    answer = phone.ask("GET", "calendar/old.ics")
    text, found = answer.content.decode(), []

    def change(number: int) -> None:
        changed = text.replace("SUMMARY:", f"SUMMARY:{number} ")
        together.wait()
        found.append(
            phone.ask("PUT", "calendar/old.ics", changed, **{"If-Match": answer["ETag"]}).status_code
        )
        connection.close()

    def create(_number: int) -> None:
        together.wait()
        found.append(phone.put("calendar/new.ics", *LUNCH, uid="new").status_code)
        connection.close()

    for work, expected in (
        (change, [[204, 412, 412]]),
        (create, [[201, 204, 204], [201, 204, 409], [201, 409, 409]]),
    ):
        found.clear()
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) in expected
    assert Activity.objects.count() == 2
