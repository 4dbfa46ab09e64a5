"""What one person finds in the notification centre."""

from django.db.models import QuerySet

from crm.notify.models import Notification
from crm.people.kinds import visible_pairs

COUNTED = 100


def readable(user, rows: QuerySet, limit: int) -> list[Notification]:
    """The newest `limit` of the rows, without those about records the reader may no longer see."""
    found = list(rows.filter(user=user).select_related("actor").order_by("-pk")[:limit])
    seen = visible_pairs(user, {(row.record_kind, row.record_id) for row in found if row.record_kind})
    return [row for row in found if not row.record_kind or (row.record_kind, row.record_id) in seen]


def unread_count(user) -> int:
    """How many unread notifications the bell shows; counts no further than a hundred."""
    return len(readable(user, Notification.objects.filter(read_at=None), COUNTED))
