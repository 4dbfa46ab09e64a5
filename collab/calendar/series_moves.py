"""Where the occurrences of a series go when one of them is moved, the rule changes or the series is cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from collab.calendar.local_time import local_of
from collab.calendar.models import Activity
from collab.calendar.occurrences import COPIED, FOREVER, changeable, fill
from collab.calendar.recurrence import Rule, check_rule, check_span
from collab.calendar.reminders import follow_time
from collab.calendar.resources import Booking, ResourceTaken, book_many
from collab.calendar.series_models import Series, SeriesParticipant
from crm.history.editing import field_changes
from crm.history.services import FieldChange, record_events
from crm.people.many_rows import update_rows
from crm.web.formats import exact


@dataclass(frozen=True)
class Author:
    """Who changes occurrences, and as which kind of event each keeps it."""

    by: object
    kind: str
    via: str

    def note(self, changes: dict[Activity, list[FieldChange]]) -> None:
        found = {row.pk: each for row, each in changes.items()}
        record_events(kind=self.kind, subjects=[*changes], by=self.by, via=self.via, changes=found)


def cut(series: Series, at: datetime) -> None:
    """Nothing happens from `at` on."""
    times = [one for one in series.pattern.times_until(series.start_local, at) if one < at]
    series.version, series.sequence = series.version + 1, series.sequence + 1
    if times:
        series.rule = str(replace(series.pattern, count=None, until=times[-1].date()))
        series.filled_until = FOREVER
    else:
        series.cancelled_at = timezone.now()
    series.save()


def split(series: Series, at: datetime) -> Series:
    """What happens from `at` on becomes a series of its own, the same one where nothing comes before."""
    before = [one for one in series.pattern.times_until(series.start_local, at) if one < at]
    if not before:
        return series
    pattern, reached = series.pattern, series.filled_until
    left = None if pattern.count is None else pattern.count - len(before)
    people = list(series.participants.values_list("user_id", "contact_id"))
    resources = list(series.resources.all())
    following = Series(
        rule=str(replace(pattern, count=left)), time_zone=series.time_zone, start_local=at, duration=series.duration,
        owner_id=series.owner_id, created_by_id=series.created_by_id, remind_before=series.remind_before,
        filled_until=reached, follows=series, skipped=[text for text in series.skipped if text >= at.isoformat()],
        **{name: getattr(series, name) for name in COPIED},
    )  # fmt: skip
    following.save()
    following.resources.set(resources)
    SeriesParticipant.objects.bulk_create(
        SeriesParticipant(series=following, user_id=user, contact_id=contact) for user, contact in people
    )
    Activity.objects.filter(series=series, recurrence_at__gte=at).update(series=following)
    cut(series, at)
    return following


def move(series: Series, pivot: Activity, was: tuple, rule: Rule | None, author: Author) -> None:
    """The series follows where its occurrence `pivot`, which was at `was`, has been put, or another rule."""
    is_moved = (pivot.starts_at, pivot.ends_at, pivot.all_day) != was
    is_new = rule is not None and str(rule) != series.rule
    if not is_moved and not is_new:
        return
    zone, before = series.zone, pivot.recurrence_at
    after = local_of(pivot.starts_at, zone) if pivot.starts_at != was[0] else before
    if is_moved:
        series.duration, series.all_day = length(pivot, zone), pivot.all_day
    if not is_new and before.date() == after.date():
        _set_clock(series, after, author)
        return
    series = split(series, _first_to_move(series, pivot))
    pattern = rule if is_new else series.pattern.moved(before, after)
    start = series.start_local + (after - before)
    if len(pattern.weekdays) > 1:
        start = min(start, datetime.combine(series.start_local.date(), after.time()))
    start = pattern.first_from(start)
    check_rule(pattern)
    check_span(pattern, start, local_of(timezone.now(), zone).date())
    _follow_rule(series, pattern, start, pivot, author)


def _first_to_move(series: Series, pivot: Activity) -> datetime:
    """From where on another day or rule holds: what has passed stays."""
    now = local_of(timezone.now(), series.zone)
    coming = changeable(series).filter(recurrence_at__gte=now).values_list("recurrence_at", flat=True).first()
    return min(pivot.recurrence_at, coming or pivot.recurrence_at)


def _set_clock(series: Series, after: datetime, author: Author) -> None:
    """Another time of the day, or another length; each occurrence stays on its day, the exceptions too."""

    def moved(at: datetime) -> datetime:
        return datetime.combine(at.date(), after.time())

    rows = Activity.objects.filter(series=series, recurrence_at__isnull=False).order_by("recurrence_at")
    series.start_local = moved(series.start_local)
    series.skipped = [moved(one).isoformat() for one in sorted(series.skips())]
    if series.filled_until not in (None, FOREVER):
        series.filled_until = moved(series.filled_until)
    series.save()
    _place(series, {row: moved(row.recurrence_at) for row in rows}, author)


def _follow_rule(series: Series, pattern: Rule, start: datetime, pivot: Activity, author: Author) -> None:
    """The activities that stand take the rule's new times in turn; what is missing is made, what is left over goes."""
    rows = list(Activity.objects.filter(series=series).order_by("recurrence_at"))
    pairs = dict(zip(rows, pattern.times(start), strict=False))
    if pivot not in pairs:
        raise ValidationError(_("The one you are changing would no longer take place."))
    series.rule, series.start_local, series.skipped = str(pattern), start, []
    series.filled_until = max(pairs.values())
    series.save()
    left = changeable(series).exclude(pk__in=[row.pk for row in pairs])
    left.delete()
    Activity.objects.filter(series=series).exclude(pk__in=[row.pk for row in pairs]).update(
        recurrence_at=None
    )
    _place(series, pairs, author)
    fill(series, timezone.now())
    book_again(series)


def _place(series: Series, times: dict[Activity, datetime], author: Author) -> None:
    """Gives occurrences their new times by the rule; those that follow the series move there."""
    following = set(changeable(series).values_list("pk", flat=True))
    moved = {}
    for row, at in times.items():
        row.recurrence_at = at
        starts_at, ends_at = series.span_of(at)
        span = {"starts_at": starts_at, "ends_at": ends_at, "all_day": series.all_day}
        if row.pk in following and (changes := field_changes(row, span)):
            moved[row] = changes
            row.starts_at, row.ends_at, row.all_day = span.values()
            row.version, row.updated_at = row.version + 1, timezone.now()
    # One after another they would meet each other's old times.
    Activity.objects.filter(pk__in=[row.pk for row in times]).update(recurrence_at=None)
    names = ("recurrence_at", "starts_at", "ends_at", "all_day", "version", "updated_at")
    update_rows(Activity, names, {row.pk: tuple(getattr(row, name) for name in names) for row in times})
    author.note(moved)
    follow_time(*moved)
    book_again(series)


def book_again(series: Series) -> None:
    """Every occurrence that follows the series holds exactly its rooms. Raises ResourceTaken."""
    rows, wanted = list(changeable(series)), set(series.resources.values_list("pk", flat=True))
    Booking.objects.filter(activity__in=rows).exclude(resource__in=wanted).delete()
    if refused := book_many(activities=rows, resources=wanted):
        raise _taken(refused)


def _taken(missing: list[Activity]) -> ResourceTaken:
    days = ", ".join(exact(one.starts_at) for one in missing[:3])
    text = _("A room is taken at %(count)s of the times: %(days)s")
    more = "…" if len(missing) > 3 else "."
    return ResourceTaken(text % {"count": len(missing), "days": days + more})


def length(activity: Activity, zone: ZoneInfo) -> timedelta | None:
    """How long it takes; of whole days by the wall clock."""
    if activity.ends_at is None:
        return None
    if activity.all_day:
        return local_of(activity.ends_at, zone) - local_of(activity.starts_at, zone)
    return activity.ends_at - activity.starts_at
