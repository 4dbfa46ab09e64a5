"""What a phone writes becomes an activity, through the services that every page uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop
from icalendar import Calendar
from icalendar import Event as VEvent

from collab.calendar import services
from collab.calendar.models import Activity, ActivityKind
from collab.phones import ical
from collab.phones.calendars import ActivityCalendar, Entry, is_ours
from collab.phones.models import PhoneEntry
from crm.history.editing import EditConflict

VIA = gettext_noop("changed on a phone")
LONGEST_EXTRA = 60_000
# What an activity says itself; everything else of a phone's event is kept as it came.
KNOWN = {
    "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "SUMMARY", "DESCRIPTION", "LOCATION", "SEQUENCE", "CREATED",
    "LAST-MODIFIED",
}  # fmt: skip
REPEATING = {"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}


class Refused(Exception):
    """`condition`: the element of RFC 4918 and 4791 that says why; `status` 403 or 412."""

    def __init__(self, condition: str, status: int = 403):
        super().__init__(condition)
        self.condition, self.status = condition, status


@dataclass(frozen=True)
class Incoming:
    """One event as a phone gives it. `extra`: content lines that are kept and given back."""

    uid: str
    values: dict
    kind: str
    extra: str
    is_cancelled: bool


def read_event(text: str, zone: ZoneInfo) -> Incoming:
    """Raises Refused for anything but one event that does not repeat and makes sense."""
    try:
        found = Calendar.from_ical(text)
        [event] = [part for part in found.subcomponents if part.name != "VTIMEZONE"]
    except (ValueError, IndexError, KeyError):
        raise Refused("C:valid-calendar-object-resource")
    if event.name != "VEVENT":
        raise Refused("C:supported-calendar-component")
    if REPEATING & set(event):
        raise Refused("C:max-instances")
    uid = str(event.get("UID", ""))
    if not 0 < len(uid) <= 255:
        raise Refused("C:valid-calendar-data")
    words = {"subject": ("SUMMARY", 200), "place": ("LOCATION", 200), "description": ("DESCRIPTION", 100_000)}
    values = {name: _text(event, prop, most) for name, (prop, most) in words.items()}
    try:
        values |= _times(event, zone)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
        raise Refused("C:valid-calendar-data")
    values["is_private"] = str(event.get("CLASS", "PUBLIC")).upper() not in ("PUBLIC", "")
    kind, extra = _kind(event), _extra(event, values)
    return Incoming(uid, values, kind, extra, str(event.get("STATUS", "")).upper() == "CANCELLED")


def _text(event: VEvent, prop: str, most: int) -> str:
    value = event.get(prop, "")
    value = value[0] if isinstance(value, list) else value
    clean = str(value).replace("\x00", "").strip()
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _times(event: VEvent, zone: ZoneInfo) -> dict:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else None
    if end is None and "DURATION" in event:
        end = start + event["DURATION"].dt
    if isinstance(start, datetime):
        starts, ends = _moment(start, zone), None if end is None else _moment(end, zone)
    else:
        end = end or start + timedelta(days=1)
        starts, ends = _midnight(start, zone), _midnight(max(end, start + timedelta(days=1)), zone)
    if not 1971 <= starts.year <= 2100 or (ends and not starts <= ends <= starts + timedelta(days=3660)):
        raise ValueError("no time of a calendar")
    return {"starts_at": starts, "ends_at": ends, "all_day": not isinstance(start, datetime)}


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    """A time without a zone is meant by the owner's clock."""
    if not isinstance(value, datetime):
        return _midnight(value, zone)
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _categories(event: VEvent) -> list[str]:
    found = event.get("CATEGORIES", [])
    found = found if isinstance(found, list) else [found]
    return [str(word) for one in found for word in getattr(one, "cats", [one])]


def _kind(event: VEvent) -> str:
    [*words] = [word.lower() for word in _categories(event)]
    return words[0] if len(words) == 1 and words[0] in ActivityKind.values else ""


def _extra(event: VEvent, values: dict) -> str:
    """The content lines that an activity does not say itself."""
    takes_time = values["ends_at"] is not None and values["ends_at"] > values["starts_at"]
    ours = {
        "CATEGORIES": bool(_kind(event)),
        "CLASS": True,
        "STATUS": str(event.get("STATUS", "")).upper() in ("CONFIRMED", "CANCELLED"),
        "TRANSP": str(event.get("TRANSP", "")).upper() == ("OPAQUE" if takes_time else "TRANSPARENT"),
        "URL": ical.is_address(str(event.get("URL", ""))),
    }
    kept = VEvent()
    for name, value in event.items():
        if name not in KNOWN and not ours.get(name, False):
            kept[name] = value
    for part in event.subcomponents:
        kept.add_component(part)
    text = "\r\n".join(kept.to_ical().decode().split("\r\n")[1:-2])
    if len(text) > LONGEST_EXTRA:
        raise Refused("C:max-resource-size")
    return text


@transaction.atomic
def put(*, calendar: ActivityCalendar, name: str, text: str, entry: Entry | None, by) -> None:
    """Creates the event of that name, or changes `entry`. Raises Refused; then nothing is written."""
    given = read_event(text, calendar.zone)
    try:
        if entry is None:
            _create(calendar, name, given, by)
        else:
            _change(entry, given, by)
    except PermissionDenied:
        raise Refused("D:need-privileges")
    except EditConflict:
        raise Refused("C:valid-calendar-data", status=412)
    except ValidationError:
        raise Refused("C:valid-calendar-data")


def _create(calendar: ActivityCalendar, name: str, given: Incoming, by) -> None:
    if is_ours(name) or len(name) > 255:
        raise Refused("D:need-privileges")
    if given.is_cancelled:
        raise Refused("C:valid-calendar-data")
    taken = PhoneEntry.objects.filter(Q(name=name) | Q(uid=given.uid), owner=calendar.owner)
    taken.filter(Q(activity__cancelled_at__isnull=False) | Q(activity__deleted_at__isnull=False)).delete()
    if taken.exists():
        raise Refused("D:need-privileges")
    activity = services.plan_activity(
        kind=given.kind or ActivityKind.MEETING, by=by, owner=calendar.owner, via=VIA, **given.values
    )
    PhoneEntry.objects.create(
        activity=activity, owner=calendar.owner, name=name, uid=given.uid, extra=given.extra
    )


def _change(entry: Entry, given: Incoming, by) -> None:
    activity = Activity.objects.visible_to(by, "edit").filter(pk=entry.row.pk).first()
    if activity is None:
        raise PermissionDenied
    if given.is_cancelled:
        services.cancel_activity(activity=activity, by=by, via=VIA)
        return
    changed = {
        field: value for field, value in given.values.items() if _differs(getattr(activity, field), value)
    }
    if "subject" in changed and not changed["subject"]:
        del changed["subject"]
    if changed:
        _write(activity, changed, entry.row.version, by)
    kept = entry.row.phone_entry__extra or ""
    if given.extra != kept:
        names = {"name": entry.name, "uid": entry.uid, "owner_id": activity.owner_id}
        PhoneEntry.objects.update_or_create(
            activity=activity, create_defaults={**names, "extra": given.extra},
            defaults={"extra": given.extra, "revised_at": timezone.now()},
        )  # fmt: skip


def _differs(before, after) -> bool:
    return (before.strip() if isinstance(before, str) else before) != after


def _write(activity: Activity, changed: dict, version: int, by) -> None:
    if set(changed) <= {"starts_at", "ends_at"} and "starts_at" in changed:
        ends = changed.get("ends_at", activity.ends_at)
        services.reschedule_activity(
            activity=activity, starts_at=changed["starts_at"], ends_at=ends, version=version, by=by, via=VIA
        )
    else:
        services.edit_activity(activity=activity, values=changed, version=version, by=by, via=VIA)


@transaction.atomic
def remove(*, entry: Entry, by) -> None:
    """What is deleted on a phone will not take place; it stays in history. Raises Refused."""
    activity = Activity.objects.visible_to(by, "edit").filter(pk=entry.row.pk).first()
    if activity is None:
        raise Refused("D:need-privileges")
    try:
        services.cancel_activity(activity=activity, by=by, via=VIA)
    except ValidationError:
        raise Refused("D:need-privileges")
