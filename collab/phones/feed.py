"""What a device that subscribes is given, and the stamp that tells it apart from what it was given before."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from collab.calendar.layers import Mark, calendar_layers
from collab.calendar.models import Activity, ActivityParticipant
from collab.calendar.schedule import in_span
from collab.phones import ical
from collab.phones.models import Device, Scope
from crm.notify.mails import as_reader
from crm.people.company import company

BEHIND, AHEAD = timedelta(days=90), timedelta(days=400)
MOST = 5000
REFRESH = "PT1H"
# Raised when the same activities are written differently, so that devices fetch them anew.
FORM = 1


class Feed:
    """The calendar of one device at one moment: `stamp` is cheap, `text` is not."""

    def __init__(self, device: Device, now: datetime | None = None):
        self.device, self.user = device, device.owner
        self.now = now or timezone.now()
        self.zone = ZoneInfo(self.user.time_zone)
        self.today = self.now.astimezone(self.zone).date()
        self.is_busy = device.scope == Scope.BUSY
        with as_reader(self.user):
            self._marks = self._read_marks()

    @property
    def _bounds(self) -> tuple[datetime, datetime]:
        midnight = datetime.combine(self.today, datetime.min.time(), self.zone)
        return midnight - BEHIND, midnight + AHEAD

    def _shown(self) -> Q:
        start, end = self._bounds
        fresh = Q(cancelled_at=None) | Q(cancelled_at__gte=start)
        return in_span(start, end) & fresh & Q(deleted_at=None)

    def stamp(self) -> str:
        """Changes whenever the text would. One query, and what the layers ask for deadlines."""
        told = [FORM, self.device.pk, self.today, self.user.language, self.user.time_zone, company().name]
        if self.device.with_activities:
            told += [str(self.user), *_sums(self.user, self._shown())]
        told += [(layer, mark.key, mark.at, mark.title) for layer, mark in self._marks]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:40]

    def text(self) -> str:
        """The calendar as subscribers read it."""
        with as_reader(self.user):
            events = self._activities() if self.device.with_activities else []
            events += [
                ical.deadline(f"{layer}-{mark.key}", mark.at, mark.title, mark.url, self.device.created_at)
                for layer, mark in self._marks
            ]
            name = f"{company().name}: {_('Busy') if self.is_busy else self.user}"
            return ical.calendar(events, name=name, refresh=REFRESH)

    def _activities(self) -> list[str]:
        rows = list(_rows(self.user, self._shown()).values_list(*ical.FIELDS, named=True)[:MOST])
        if self.is_busy:
            word = _("Busy")
            return [ical.busy(row, self.zone, word) for row in rows if ical.takes_time(row)]
        return [ical.event(row, self.zone) for row in rows]

    def _read_marks(self) -> list[tuple[str, Mark]]:
        if self.is_busy or not self.device.with_deadlines:
            return []
        start, end = self._bounds
        return [
            (layer.key, mark)
            for layer in calendar_layers()
            for mark in layer.marks(self.user, [self.user.pk], start, end)
        ]


def _sums(user, shown: Q) -> list[tuple]:
    """Numbers that cannot stay the same when one of his activities appears, changes or goes."""
    sums = {"count": Count("pk"), "latest": Max("updated_at"), "versions": Sum("version"), "keys": Sum("pk")}
    own = Activity.objects.filter(shown, owner=user)
    others = Activity.objects.filter(shown, participants__user=user)
    parts = [
        rows.order_by().values(part).annotate(**sums).values_list("count", "latest", "versions", "keys")
        for rows, part in ((own, "owner_id"), (others, "participants__user_id"))
    ]
    return sorted(map(repr, parts[0].union(parts[1], all=True)))


def _rows(user, shown: Q) -> QuerySet:
    """What he owns or takes part in, as far as he may see it, in order."""
    invited = ActivityParticipant.objects.filter(user=user).values_list("activity_id", flat=True)
    named = Q(owner=user) | Q(pk__in=list(invited.order_by("-activity_id")[:MOST]))
    return Activity.objects.visible_to(user).filter(named, shown).order_by("starts_at", "pk")


def file_of(activity: Activity, user) -> str:
    """One activity to be taken into another calendar. The caller has seen to it that `user` may see it."""
    [row] = Activity.objects.filter(pk=activity.pk).values_list(*ical.FIELDS, named=True)
    return ical.calendar([ical.event(row, ZoneInfo(user.time_zone))])
