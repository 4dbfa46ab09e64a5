"""What one person finds in the notification centre."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import QuerySet
from django.utils import timezone

from crm.notify.models import Notification
from crm.people.kinds import visible_pairs

COUNTED = 100
PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some notifications by day, newest first; `next_before` is where the older ones begin, None at the end."""

    days: list[tuple[date, list[Notification]]]
    next_before: int | None

    @property
    def has_unread(self) -> bool:
        return any(not row.read_at for _day, rows in self.days for row in rows)


def seen_by(user, rows: list[Notification]) -> list[Notification]:
    """Without those about records the reader may no longer see."""
    seen = visible_pairs(user, {(row.record_kind, row.record_id) for row in rows if row.record_kind})
    return [row for row in rows if not row.record_kind or (row.record_kind, row.record_id) in seen]


def readable(user, rows: QuerySet, limit: int) -> list[Notification]:
    """The newest `limit` of the rows that stand in the page and that the reader may see."""
    found = rows.filter(user=user, in_page=True).select_related("actor").order_by("-pk")[:limit]
    return seen_by(user, list(found))


def read_page(user, *, unread: bool = False, kind: str = "", before: int | None = None) -> Page:
    """One page of the centre."""
    rows = Notification.objects.filter(user=user, in_page=True).select_related("actor").order_by("-pk")
    if unread:
        rows = rows.filter(read_at=None)
    if kind:
        rows = rows.filter(kind=kind)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    more = len(found) > PAGE
    shown = seen_by(user, found[:PAGE])
    days = groupby(shown, key=lambda row: timezone.localdate(row.created_at))
    return Page([(day, list(group)) for day, group in days], found[PAGE - 1].pk if more else None)


def unread_count(user) -> int:
    """How many unread notifications the bell shows; counts no further than a hundred."""
    return len(readable(user, Notification.objects.filter(read_at=None), COUNTED))
