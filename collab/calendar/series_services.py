"""Making, changing and ending what repeats: one occurrence, it and those after it, or all of them.

What is done, and what was changed on its own, is never written over. Changing "this and following" cuts the series in
two, and so does a change of the rule or of the day for all: what has passed stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, override

from collab.calendar.local_time import local_of, moment_of, zone_named
from collab.calendar.models import CARDS, Activity, ActivityParticipant
from collab.calendar.occurrences import COPIED, add_participants, changeable, fill
from collab.calendar.recurrence import Rule, check_rule, check_span
from collab.calendar.reminders import follow_people_of_many
from collab.calendar.resources import Resource, bookable
from collab.calendar.rule_words import in_words
from collab.calendar.series_models import Series, SeriesParticipant
from collab.calendar.series_moves import Author, book_again, cut, length, move, split
from collab.calendar.services import (
    ActivityClosed,
    check_times,
    edit_activity,
    plan_activity,
    set_participants,
    tell_pages,
)
from collab.calendar.signals import activity_rescheduled
from crm.history.bin import delete_record, delete_records
from crm.history.editing import edit_record, field_changes
from crm.history.models import Change, Deletion
from crm.history.services import FieldChange, record_event
from crm.people.visibility import demand

TEXTS = ("subject", "description", "place", "is_private")


class Scope(models.TextChoices):
    """Which occurrences a change is meant for."""

    ONE = "one", gettext_lazy("Only this one")
    FOLLOWING = "following", gettext_lazy("This and the following")
    ALL = "all", gettext_lazy("All of them")


@transaction.atomic
def plan_series(
    *, rule: Rule, time_zone: str, starts_at: datetime, by, ends_at=None, resources: Iterable[Resource] = (),
    participants: Iterable = (), remind_before: Iterable[int] | None = None, via="", **values,
) -> Activity:  # fmt: skip
    """Plans something that repeats; the first occurrence, at the first time from `starts_at` on that fits the rule.

    `time_zone` (IANA) is that of the wall clock by which it repeats; `values` are those of `plan_activity`. Raises what
    that raises, ValidationError for a rule that makes no sense, ResourceTaken when a room is taken at one of the times.
    """
    zone = zone_named(time_zone)
    local = local_of(starts_at, zone)
    check_rule(rule)
    check_span(rule, local, local_of(timezone.now(), zone).date())
    first = moment_of(rule.first_from(local), zone)
    if ends_at is not None and values.get("all_day"):
        ends_at = moment_of(rule.first_from(local) + (local_of(ends_at, zone) - local), zone)
    elif ends_at is not None:
        ends_at = first + (ends_at - starts_at)
    activity = plan_activity(
        starts_at=first, ends_at=ends_at, by=by, participants=participants, remind_before=remind_before, via=via,
        **values,
    )  # fmt: skip
    return repeat_activity(
        activity=activity, rule=rule, time_zone=zone.key, by=by, resources=resources,
        remind_before=remind_before, via=via,
    )  # fmt: skip


@transaction.atomic
def repeat_activity(
    *, activity: Activity, rule: Rule, time_zone: str, by, resources: Iterable[Resource] = (),
    remind_before: Iterable[int] | None = None, via="",
) -> Activity:  # fmt: skip
    """A planned activity becomes the first of a series; its time has to fit the rule.

    Raises PermissionDenied, ActivityClosed, ValidationError, ResourceTaken.
    """
    demand(by, "edit", activity)
    check_rule(rule)
    zone = zone_named(time_zone)
    start = local_of(activity.starts_at, zone)
    check_span(rule, start, local_of(timezone.now(), zone).date())
    if activity.series_id is not None or rule.first_from(start) != start:
        raise ValidationError(_("The day does not fit how often it repeats."))
    series = Series(
        rule=str(rule), time_zone=zone.key, start_local=start, duration=length(activity, zone), owner=activity.owner,
        created_by=by, remind_before=None if remind_before is None else list(remind_before),
        **{name: getattr(activity, name) for name in COPIED},
    )  # fmt: skip
    series.full_clean(exclude=["owner", "created_by", *CARDS])
    series.save()
    joined = Activity.objects.open().filter(pk=activity.pk, series=None)
    if not joined.update(series=series, recurrence_at=start):
        raise ActivityClosed(_("This is already done or cancelled."))
    activity.refresh_from_db()
    _take_participants(series, activity)
    _take_resources(series, resources, by)
    fill(series, timezone.now())
    book_again(series)
    record_event(
        kind=f"{activity.kind}_repeated", subject=activity, by=by, cards=activity.cards(), via=via,
        payload={"rule": _both(rule, start)},
    )  # fmt: skip
    return activity


@transaction.atomic
def edit_series(
    *, activity: Activity, scope: str, values: dict, version: int, by, rule: Rule | None = None,
    participants: Iterable | None = None, resources: Iterable[Resource] | None = None, via="",
) -> Activity:  # fmt: skip
    """Changes an occurrence, and by `scope` those after it or all of its series, times and rule included.

    `values` as of `edit_activity`; without `rule` it repeats as before. Raises what `edit_activity` raises, and
    ResourceTaken when a room is taken at one of the new times.
    """
    if scope == Scope.ONE or activity.series_id is None:
        edit_activity(
            activity=activity, values=values, version=version, by=by, participants=participants, via=via
        )
        return activity
    demand(by, "edit", activity)
    series = _locked(activity)
    check_times(values.get("starts_at", activity.starts_at), values.get("ends_at", activity.ends_at))
    if scope == Scope.FOLLOWING:
        series = split(series, activity.recurrence_at)
    # Whoever changes one of them meanwhile waits, or has taken it out of these.
    standing = changeable(series).select_for_update(of=("self",))
    others = [row for row in standing if row.pk != activity.pk]
    old_rule, was = series.pattern, (activity.starts_at, activity.ends_at, activity.all_day)
    author = Author(by, f"{activity.kind}_series_edited", via)
    event = edit_record(
        record=activity, values=values, by=by, version=version, kind=author.kind, cards=activity.cards(), via=via,
    )  # fmt: skip
    _write_texts(series, others, values, author)
    move(series, activity, was, rule, author)
    activity.refresh_from_db()
    if rule is not None and str(rule) != str(old_rule):
        _tell_rule(activity, event, old_rule, author)
    if participants is not None:
        _spread_participants(activity, participants, by)
    if resources is not None:
        _take_resources(activity.series, resources, by)
        book_again(activity.series)
    if activity.starts_at != was[0]:
        activity_rescheduled.send(sender=Activity, activity=activity, by=by, was=was[0])
    tell_pages(activity)
    return activity


@transaction.atomic
def end_series(*, activity: Activity, scope: str, by, via="") -> Deletion:
    """Deletes an occurrence, and by `scope` those after it or all that is open; it comes back from the bin with them.

    What is done stays. Raises PermissionDenied, ActivityClosed.
    """
    if scope == Scope.ONE or activity.series_id is None:
        return delete_record(record=activity, by=by, via=via)
    demand(by, "delete", activity)
    series = _locked(activity)
    first = series.start_local if scope == Scope.ALL else activity.recurrence_at
    kept = {"activity": activity.pk, "rule": series.rule, "from": first.isoformat()}
    gone = Activity.objects.open().filter(series=series, recurrence_at__gte=first).exclude(pk=activity.pk)
    delete_records(records=list(gone.exclude(pk__in=changeable(series).values("pk"))), by=by, via=via)
    changeable(series).filter(recurrence_at__gte=first).exclude(pk=activity.pk).delete()
    cut(series, first)
    series.before_deletion = kept
    series.save()
    return delete_record(record=activity, by=by, via=via)


def bring_back(activity: Activity) -> None:
    """An occurrence that was deleted with others has come back from the bin: so do they."""
    series = Series.objects.select_for_update().filter(pk=activity.series_id).first()
    if series is None or not series.before_deletion or series.before_deletion["activity"] != activity.pk:
        return
    series.rule, series.cancelled_at = series.before_deletion["rule"], None
    series.filled_until = datetime.fromisoformat(series.before_deletion["from"]) - timedelta(seconds=1)
    series.before_deletion = None
    series.save()
    fill(series, timezone.now())


def _locked(activity: Activity) -> Series:
    """The series, for this transaction alone; of two people who change all the second sees what the first wrote."""
    series = Series.objects.select_for_update().get(pk=activity.series_id)
    activity.refresh_from_db(
        fields=["series", "recurrence_at", "is_detached", "starts_at", "ends_at", "all_day"]
    )
    if activity.series_id != series.pk:
        series = Series.objects.select_for_update().get(pk=activity.series_id)
    if not Activity.objects.open().select_for_update().filter(pk=activity.pk).exists():
        raise ActivityClosed(_("This is already done or cancelled."))
    return series


def _write_texts(series: Series, others: list[Activity], values: dict, author: Author) -> None:
    """What is the same for all: each keeps in its own history what was changed."""
    texts = {name: value for name, value in values.items() if name in TEXTS}
    for name, value in texts.items():
        setattr(series, name, value)
    series.version, series.sequence, series.before_deletion = series.version + 1, series.sequence + 1, None
    series.save()
    changes = {row: found for row in others if (found := field_changes(row, texts))}
    for row in changes:
        for name, value in texts.items():
            setattr(row, name, value)
        row.refresh_search()
        row.version, row.updated_at = row.version + 1, timezone.now()
    names = [*texts, "search_text", "sort_key", "version", "updated_at"]
    Activity.objects.bulk_update([*changes], names, batch_size=500)
    author.note(changes)


def _take_participants(series: Series, activity: Activity) -> None:
    series.participants.all().delete()
    SeriesParticipant.objects.bulk_create(
        SeriesParticipant(series=series, user_id=user, contact_id=contact)
        for user, contact in activity.participants.values_list("user_id", "contact_id")
    )


def _spread_participants(activity: Activity, participants: Iterable, by) -> None:
    """The same people take part in every occurrence that follows the series."""
    set_participants(activity, by, participants)
    series = activity.series
    known = set(series.participants.exclude(user=None).values_list("user_id", flat=True))
    _take_participants(series, activity)
    people = list(series.participants.values_list("user_id", "contact_id"))
    colleagues = {user for user, _contact in people if user}
    rows = list(changeable(series))
    stale = models.Q(user__isnull=False) & ~models.Q(user__in=colleagues)
    stale |= models.Q(contact__isnull=False) & ~models.Q(contact__in=[pk for _user, pk in people if pk])
    ActivityParticipant.objects.filter(stale, activity__in=rows).delete()
    add_participants(rows, people)
    follow_people_of_many(rows, colleagues, colleagues - known)


def _take_resources(series: Series, resources: Iterable[Resource], by) -> None:
    wanted = {one.pk for one in resources}
    added = wanted - set(series.resources.values_list("pk", flat=True))
    if bookable(by).filter(pk__in=added).count() != len(added):
        raise PermissionDenied
    series.resources.set(wanted)


def _tell_rule(activity: Activity, event, old: Rule, author: Author) -> None:
    """Beside what else the event tells, which rule was changed into which."""
    series = activity.series
    with override("en"):
        texts = in_words(old, series.start_local), series.sentence
    change = FieldChange("rule", gettext_noop("repeats"), str(old), series.rule, *texts)
    if event is None:
        record_event(
            kind=author.kind, subject=activity, by=author.by, cards=activity.cards(), via=author.via,
            changes=[change], version=activity.version,
        )  # fmt: skip
        return
    Change.objects.create(
        event=event, field=change.field, label=change.label, old=change.old, new=change.new,
        old_text=change.old_text[:300], new_text=change.new_text[:300],
    )  # fmt: skip


def _both(rule: Rule, start: datetime) -> dict[str, str]:
    """The rule in words as a payload that reads in either language."""
    found = {}
    for key, language in (("name", "en"), ("name_pl", "pl")):
        with override(language):
            found[key] = in_words(rule, start)
    return found
