"""The calendars a person finds on his phone: his own, those he is let into, and the rooms; what stands in each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from collab.calendar.grants import granting
from collab.calendar.models import Activity, ActivityParticipant, Booking, Resource
from collab.calendar.resources import bookable
from collab.phones import ical
from crm.people.models import User

OWN = "calendar"
BEHIND = timedelta(days=365)
MOST = 10_000
LONGEST_KEY = 18
_NAME = re.compile(r"activity-([0-9]+)\.ics")


@dataclass(frozen=True)
class Entry:
    """One line of a calendar: under which name and revision a phone knows it, and the row it is written from."""

    name: str
    uid: str
    etag: str
    row: Any
    starts_at: datetime
    ends_at: datetime | None
    changed_at: datetime


class PhoneCalendar:
    """A calendar as `reader` sees it. `key` stands in its address."""

    may_write = False

    def __init__(self, reader: User, key: str, name: str):
        self.reader, self.key, self.name = reader, key, name

    def entries(self) -> list[Entry]:
        """All that a phone keeps: what is open, and what was in the last year; nothing that was called off."""
        raise NotImplementedError

    def named(self, names: Iterable[str]) -> list[Entry]:
        """Those of these names, however old."""
        wanted = set(names)
        return [entry for entry in self.entries() if entry.name in wanted]

    def has_uid(self, uid: str) -> bool:
        """Whether an entry of this identifier stands here."""
        return any(entry.uid == uid for entry in self.entries())

    def text(self, entry: Entry) -> str:
        """The entry as a VCALENDAR."""
        raise NotImplementedError


class ActivityCalendar(PhoneCalendar):
    """The activities of `owner`; in one's own also those one is invited to, which one may not change."""

    def __init__(self, reader: User, owner: User, may_write: bool):
        is_own = reader.pk == owner.pk
        super().__init__(reader, OWN if is_own else f"person-{owner.pk}", str(owner))
        self.owner, self.is_own, self.may_write = owner, is_own, may_write
        self.zone = ZoneInfo(owner.time_zone)

    def rows(self) -> QuerySet[Activity]:
        whose = Q(owner=self.owner)
        if self.is_own:
            invited = ActivityParticipant.objects.filter(user=self.owner).order_by("-activity_id")
            whose |= Q(pk__in=list(invited.values_list("activity_id", flat=True)[:MOST]))
        return Activity.objects.visible_to(self.reader).filter(whose, cancelled_at=None)

    def entries(self) -> list[Entry]:
        kept = Q(done_at=None) | Q(starts_at__gte=timezone.now() - BEHIND)
        return self._entries(self.rows().filter(kept).order_by("-starts_at", "-pk")[:MOST])

    def named(self, names: Iterable[str]) -> list[Entry]:
        wanted, found = sorted(set(names)), []
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            pks = [
                int(match[1])
                for match in map(_NAME.fullmatch, part)
                if match and len(match[1]) <= LONGEST_KEY
            ]
            chosen = Q(phone_entry__name__in=part, owner=self.owner) | Q(pk__in=pks)
            found += [one for one in self._entries(self.rows().filter(chosen)) if one.name in part]
        return found

    def has_uid(self, uid: str) -> bool:
        return any(entry.uid == uid for entry in self._entries(
            self.rows().filter(Q(phone_entry__uid=uid) | Q(uid=uid, phone_entry=None))
        ))  # fmt: skip

    def _entries(self, rows: QuerySet) -> list[Entry]:
        return [self._entry(row) for row in rows.values_list(*ical.FIELDS, named=True)]

    def _entry(self, row) -> Entry:
        is_named = row.phone_entry__name and row.owner_id == self.owner.pk
        name = row.phone_entry__name if is_named else f"activity-{row.pk}.ics"
        revised = row.phone_entry__revised_at
        parts = (row.pk, row.version, _micros(row.updated_at), _micros(revised) if revised else 0)
        etag = '"{}-{}-{:x}-{:x}"'.format(*parts)
        changed = max(row.updated_at, revised) if revised else row.updated_at
        return Entry(name, ical.uid_of(row), etag, row, row.starts_at, row.ends_at, changed)

    def text(self, entry: Entry) -> str:
        return ical.calendar([ical.event(entry.row, self.zone, for_phone=True)])


class RoomCalendar(PhoneCalendar):
    """When a room is taken and by whom, never what for."""

    def __init__(self, reader: User, room: Resource):
        super().__init__(reader, f"room-{room.pk}", str(room))
        self.room, self.zone = room, ZoneInfo(reader.time_zone)

    def entries(self) -> list[Entry]:
        rows = Booking.objects.filter(
            resource=self.room, activity__starts_at__gte=timezone.now() - BEHIND, activity__cancelled_at=None,
            activity__deleted_at=None,
        ).select_related("activity__owner").order_by("-activity__starts_at", "-pk")[:MOST]  # fmt: skip
        return [self._entry(row) for row in rows]

    def _entry(self, row: Booking) -> Entry:
        held = row.activity
        etag = f'"{row.pk}-{held.version}-{_micros(held.updated_at):x}"'
        name = f"booking-{row.pk}.ics"
        uid = f"booking-{row.pk}@contentum"
        return Entry(name, uid, etag, row, held.starts_at, held.ends_at, held.updated_at)

    def text(self, entry: Entry) -> str:
        held = entry.row.activity
        return ical.calendar(
            [ical.taken(held, self.zone, entry.uid, _("Taken: %(who)s") % {"who": held.owner})]
        )


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def calendars_of(user: User) -> list[PhoneCalendar]:
    """What the person finds on his phone, his own first."""
    found: list[PhoneCalendar] = [ActivityCalendar(user, user, True)]
    let_in = set(granting(user, "edit").values_list("owner_id", flat=True))
    for owner in User.objects.filter(is_active=True, pk__in=granting(user, "view")):
        found.append(ActivityCalendar(user, owner, owner.pk in let_in))
    found += [RoomCalendar(user, room) for room in bookable(user).distinct()]
    return found


def calendar_of(user: User, key: str) -> PhoneCalendar | None:
    """The calendar of that key, if the person finds it."""
    if key == OWN:
        return ActivityCalendar(user, user, True)
    return next((one for one in calendars_of(user) if one.key == key), None)


def is_ours(name: str) -> bool:
    """Whether a name is one we give: no phone may choose it."""
    return _NAME.fullmatch(name) is not None
