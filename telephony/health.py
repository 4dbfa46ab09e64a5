"""How connections are: the last event, how late events come, what was refused, who listens, what nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from telephony.adapters.base import adapter_named
from telephony.models import Call, CallEvent, Connection, Refusal
from telephony.models.calls import CARDS

DAY, WEEK = timedelta(days=1), timedelta(days=7)
SAMPLE = 50
SILENT_LISTENER = timedelta(seconds=60)
KEPT = timedelta(days=30)
# Further back an event is told again after a downtime, and says nothing of clocks.
CAUGHT_UP = timedelta(hours=12)
# What is worth a word, in seconds.
SKEWED, LATE = 5, 10


@dataclass(frozen=True)
class Delay:
    """Seconds by which events come after they happened: `skew` of the quickest one, `lag` of the usual beyond it."""

    skew: float
    lag: float

    @property
    def is_skewed(self) -> bool:
        return abs(self.skew) > SKEWED

    @property
    def is_late(self) -> bool:
        return self.lag > LATE


def with_health(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    """The connections with `last_event`, `refused` (a day), `unmatched` (calls of a week that stand nowhere) and
    `phones`; one query for them all.
    """
    now = timezone.now()
    events = CallEvent.objects.filter(connection=OuterRef("pk")).order_by("-pk")
    refused = Refusal.objects.filter(connection=OuterRef("pk"), hour__gt=now - DAY).order_by()
    nowhere = Call.objects.filter(
        connection=OuterRef("pk"), started_at__gt=now - WEEK, is_internal=False, deleted_at=None,
        **dict.fromkeys(CARDS),
    ).order_by()  # fmt: skip
    return rows.annotate(
        last_event=Subquery(events.values("received_at")[:1]),
        refused=Coalesce(Subquery(refused.values("connection").annotate(sum=Sum("count")).values("sum")), 0),
        unmatched=Coalesce(Subquery(nowhere.values("connection").annotate(sum=Count("pk")).values("sum")), 0),
        phones=Count("extensions"),
    )


def delay_of(connection: Connection) -> Delay | None:
    """By its latest events; None where there are none."""
    rows = CallEvent.objects.filter(connection=connection).order_by("-pk")[:SAMPLE]
    gaps = [got - at for at, got in rows.values_list("occurred_at", "received_at")]
    late = [gap.total_seconds() for gap in gaps if abs(gap) < CAUGHT_UP]
    if not late:
        return None
    skew = min(late)
    return Delay(skew, median(late) - skew)


def state_of(connection: Connection) -> tuple[str, str, str, str]:
    """(colour, word, icon, what is wrong) of a connection that `with_health` has read."""
    adapter = adapter_named(connection.provider)
    if not connection.is_active:
        return "grey", _("switched off"), "pause-circle", ""
    if adapter is None:
        return "red", _("not offered any more"), "x-octagon", ""
    if adapter.needs_listener:
        error = connection.health.get("error", "")
        heard: datetime | None = connection.listener_at
        if heard is None or timezone.now() - heard > SILENT_LISTENER:
            return (
                "red",
                _("nobody listens"),
                "x-octagon",
                _("Start the listener: manage.py telephony listen"),
            )
        if error:
            return "red", _("not connected"), "x-octagon", _(error)
        return "green", _("listening"), "check2", ""
    if connection.last_event is None:
        return "blue", _("waits for its first event"), "hourglass-split", ""
    return "green", _("receives"), "check2", ""


# What the hook refused


@transaction.atomic
def note_refusal(connection: Connection, kind: str) -> None:
    """Counts a post that was refused, by the hour: however many come, the rows stay few."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = Refusal.objects.filter(connection=connection, hour=hour, kind=kind)
    if not rows.update(count=F("count") + 1):
        Refusal.objects.bulk_create(
            [Refusal(connection=connection, hour=hour, kind=kind, count=0)], ignore_conflicts=True
        )
        rows.update(count=F("count") + 1)


def refusals_of(connection: Connection) -> list[tuple[str, int]]:
    """(what was wrong, how often) within a day."""
    rows = Refusal.objects.filter(connection=connection, hour__gt=timezone.now() - DAY).order_by("kind")
    counted = rows.values("kind").annotate(sum=Sum("count")).values_list("kind", "sum")
    return [(str(Refusal.Kind(kind).label), count) for kind, count in counted]


def forget_refusals() -> int:
    """Drops the counts that nobody looks at any more."""
    count, _rows = Refusal.objects.filter(hour__lt=timezone.now() - KEPT).delete()
    return count
