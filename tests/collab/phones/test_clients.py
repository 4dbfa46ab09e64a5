"""Programs that people use, against a running server: vdirsyncer in its own process, the `caldav` library in ours."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import caldav
import pytest
from django.core.cache import cache
from icalendar import Calendar

from collab.calendar import services
from collab.calendar.models import Activity
from collab.phones.devices import add_device
from tests.factories.collab import in_hours, make_activity

pytestmark = [pytest.mark.django_db(transaction=True)]
VDIRSYNCER = Path(sys.executable).with_name("vdirsyncer")


def one_event(uid: str, start: datetime, summary: str) -> str:
    """An hour of a calendar, as a program would write it."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T100000Z",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}", f"SUMMARY:{summary}",
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


@pytest.fixture
def phone(rep, live_server):
    cache.clear()
    _device, password = add_device(values={"name": "Phone", "way": "account"}, by=rep)
    return {"url": f"{live_server.url}/dav/", "username": rep.username, "password": password}


def test_the_caldav_library_finds_reads_writes_and_deletes(rep, phone):
    make_activity(rep, subject="Planned here", ends_at=in_hours(3))
    with caldav.DAVClient(**phone) as client:
        [calendar] = client.principal().calendars()
        assert [str(one.icalendar_component["SUMMARY"]) for one in calendar.events()] == ["Planned here"]
        start = datetime(2026, 12, 3, 9, tzinfo=UTC)
        event = calendar.save_event(one_event("made-there", start, "Zażółć na telefonie"))
        activity = Activity.objects.get(subject="Zażółć na telefonie")
        assert (activity.starts_at, activity.owner) == (start, rep)
        found = calendar.search(start=start, end=start + timedelta(minutes=5), event=True, expand=False)
        assert [str(one.icalendar_component["SUMMARY"]) for one in found] == ["Zażółć na telefonie"]
        event.icalendar_component["SUMMARY"] = "Renamed"
        event.save()
        activity.refresh_from_db()
        assert activity.subject == "Renamed"
        token = calendar.objects_by_sync_token()
        services.reschedule_activity(activity=activity, starts_at=start + timedelta(days=1), by=rep)
        assert len(list(calendar.objects_by_sync_token(token.sync_token))) == 1
        event.delete()
        activity.refresh_from_db()
        assert activity.cancelled_at is not None


def test_vdirsyncer_synchronises_both_ways(rep, phone, tmp_path):
    here = make_activity(rep, subject="Spotkanie w Łodzi", ends_at=in_hours(3))
    folder = tmp_path / "phone"
    config = tmp_path / "config"
    config.write_text(
        "[general]\n"
        f"status_path = {json.dumps(str(tmp_path / 'status'))}\n"
        "[pair work]\na = \"phone\"\nb = \"crm\"\ncollections = [\"calendar\"]\nconflict_resolution = \"b wins\"\n"
        f"[storage phone]\ntype = \"filesystem\"\npath = {json.dumps(str(folder))}\nfileext = \".ics\"\n"
        f"[storage crm]\ntype = \"caldav\"\nurl = {json.dumps(phone['url'])}\n"
        f"username = {json.dumps(phone['username'])}\npassword = {json.dumps(phone['password'])}\n"
    )  # fmt: skip

    def run(*words: str) -> None:
        environment = {**os.environ, "VDIRSYNCER_CONFIG": str(config)}
        answer = subprocess.run(
            [VDIRSYNCER, *words],
            env=environment,
            input="y\n" * 5,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr

    run("discover")
    run("sync")
    [file] = (folder / "calendar").glob("*.ics")
    text = file.read_text()
    [event] = Calendar.from_ical(text).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Spotkanie w Łodzi"
    file.write_text(text.replace("SUMMARY:Spotkanie", "SUMMARY:Rozmowa"))
    (folder / "calendar" / "new.ics").write_text(
        one_event("new", datetime(2026, 12, 3, 9, tzinfo=UTC), "Made there")
    )
    run("sync")
    here.refresh_from_db()
    assert here.subject == "Rozmowa w Łodzi"
    there = Activity.objects.get(subject="Made there")
    services.cancel_activity(activity=here, by=rep)
    run("sync")
    assert [path.name for path in (folder / "calendar").glob("*.ics")] == ["new.ics"]
    (folder / "calendar" / "new.ics").unlink()
    run("sync", "--force-delete", "work/calendar")
    there.refresh_from_db()
    assert there.cancelled_at is not None
