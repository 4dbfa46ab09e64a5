"""Reminders of activities: setting, moving with the activity, firing, snoozing.

One job fires them (`tasks.remind`); `wake` brings it forward when something is due before its next round.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from collab.calendar.leads_of_time import MOST, STANDARD
from collab.calendar.models import Activity
from collab.calendar.reminder_models import Reminder, ReminderChoice, check_leads
from crm.jobs.services import enqueue
from crm.jobs.worker import PERIODIC
from crm.notify.mails import as_reader
from crm.notify.services import Draft, notify_many, publish
from crm.people.models import User
from crm.people.visibility import demand

JOB = "collab_calendar.remind"
ROUND = timedelta(minutes=1)
LIVE = "collab_calendar.reminder"
# Of a whole day one is reminded as if it began when people come to work.
MORNING = time(9)
ON_SCREEN = timedelta(hours=12)
SNOOZES = (5, 15, 60)


def usual_minutes(user, kind: str) -> list[int]:
    """How long before an activity of this kind `user` wants to be reminded, unless he says otherwise."""
    return _usual([user.pk], kind)[user.pk]


def _usual(users: Iterable[int], kind: str) -> dict[int, list[int]]:
    pks = list(users)
    chosen = dict(ReminderChoice.objects.filter(user__in=pks).values_list("user_id", "minutes"))
    return {pk: chosen.get(pk, {}).get(kind, list(STANDARD[kind])) for pk in pks}


@transaction.atomic
def choose_reminders(*, user, minutes: dict[str, list[int]], morning_letter: bool) -> None:
    """What is usual for `user` from now on, by kind of activity. Raises ValidationError for what is not offered."""
    check_leads(minutes)
    ReminderChoice.objects.update_or_create(
        user=user, defaults={"minutes": minutes, "morning_letter": morning_letter}
    )


@transaction.atomic(savepoint=False)
def remind(activity: Activity, minutes: Iterable[int] | None = None) -> None:
    """Reminders of a new activity: what was asked for (or is usual) for its owner, what is usual for colleagues."""
    colleagues = activity.participants.exclude(user=None).values_list("user_id", flat=True)
    usual = _usual([activity.owner_id, *colleagues], activity.kind)
    if minutes is not None:
        usual[activity.owner_id] = list(minutes)
    _add((activity, user, each, None) for user, wanted in usual.items() for each in wanted)


@transaction.atomic(savepoint=False)
def remind_of_many(
    activities: list[Activity], colleagues: Iterable[int], minutes: Iterable[int] | None
) -> None:
    """`remind` for occurrences of one series: those of one owner, of one kind, with the same colleagues."""
    for first in activities[:1]:
        usual = _usual([first.owner_id, *colleagues], first.kind)
        if minutes is not None:
            usual[first.owner_id] = list(minutes)
        _add(
            (activity, user, each, None)
            for activity in activities
            for user, wanted in usual.items()
            for each in wanted
        )


def remind_of_plans(activities: list[Activity], minutes: Iterable[int] | None) -> None:
    """`remind` for new activities of one kind in the calendars of several people, without colleagues."""
    wanted = None if minutes is None else list(minutes)
    owners = {activity.owner_id for activity in activities}
    usual = _usual(owners, activities[0].kind) if wanted is None and activities else {}
    _add(
        (activity, activity.owner_id, each, None)
        for activity in activities
        for each in (usual[activity.owner_id] if wanted is None else wanted)
    )


@transaction.atomic
def set_reminders(
    *, activity: Activity, by, minutes: Iterable[int], moments: Iterable[datetime] = ()
) -> None:
    """The reminders of `by` become exactly these; what stays keeps what became of it.

    Raises ValidationError for too many of them, PermissionDenied for an activity he does not see.
    """
    demand(by, "view", activity)
    wanted = {(each, None) for each in minutes} | {(None, each) for each in moments}
    if len(wanted) > MOST:
        raise ValidationError(_("At most %(count)s reminders.") % {"count": MOST})
    mine = activity.reminders.filter(user=by)
    known = {(row.minutes_before, row.at): row for row in mine}
    mine.filter(pk__in=[row.pk for key, row in known.items() if key not in wanted]).delete()
    _add((activity, by.pk, *key) for key in wanted - known.keys())


def follow_people(activity: Activity, newcomers: set[int]) -> None:
    """Who no longer takes part is not reminded; who has come to it is, as usual for him."""
    colleagues = set(activity.participants.exclude(user=None).values_list("user_id", flat=True))
    follow_people_of_many([activity], colleagues, newcomers)


def follow_people_of_many(activities: list[Activity], colleagues: set[int], newcomers: set[int]) -> None:
    """The same for occurrences of one series, in which these colleagues take part from now on."""
    for first in activities[:1]:
        rows = Reminder.objects.filter(activity__in=activities)
        rows.exclude(user_id__in=colleagues | {first.owner_id}).delete()
        usual = _usual(newcomers, first.kind)
        _add(
            (activity, user, each, None)
            for activity in activities
            for user, wanted in usual.items()
            for each in wanted
        )


def follow_time(*activities: Activity) -> None:
    """Activities that moved take their reminders along; one that was told already comes again at the new time."""
    now, known = timezone.now(), {activity.pk: activity for activity in activities}
    rows = list(Reminder.objects.filter(activity__in=known, at=None).select_related("user"))
    for row in rows:
        row.due_at = _due(known[row.activity_id], row.user, row.minutes_before)
        row.fired_at, row.dismissed_at = (None, None) if row.due_at > now else (row.fired_at or now, now)
    Reminder.objects.bulk_update(rows, ["due_at", "fired_at", "dismissed_at"], batch_size=500)
    wake(rows)


Wish = tuple[Activity, int, int | None, datetime | None]


def _add(asked: Iterable[Wish]) -> None:
    """Of what lies in the past already nobody is told."""
    wishes = list(asked)
    people = User.objects.in_bulk({user for _activity, user, _minutes, _at in wishes})
    now, rows = timezone.now(), []
    for activity, user, minutes, at in wishes:
        due = at or _due(activity, people[user], minutes)
        late = now if due <= now else None
        rows.append(
            Reminder(
                activity=activity, user_id=user, minutes_before=minutes, at=at, due_at=due, fired_at=late,
                dismissed_at=late,
            )
        )  # fmt: skip
    Reminder.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    wake(rows)


def _due(activity: Activity, user, minutes: int) -> datetime:
    start = activity.starts_at
    if activity.all_day:
        zone = ZoneInfo(user.time_zone)
        start = datetime.combine(start.astimezone(zone).date(), MORNING, zone)
    return start - timedelta(minutes=minutes)


def wake(rows: Iterable[Reminder]) -> None:
    """Brings the job forward to the first of these, unless its next round is early enough."""
    first = min((row.due_at for row in rows if row.fired_at is None), default=None)
    if first is not None and first < timezone.now() + ROUND:
        enqueue(kind=JOB, key=PERIODIC, run_at=first)


def due(now: datetime) -> QuerySet[Reminder]:
    """What is to be told by now, the first that came due first."""
    return Reminder.objects.filter(fired_at=None, due_at__lte=now).order_by("due_at", "user_id", "pk")


def next_due(now: datetime) -> datetime | None:
    """When the next one is due, within the job's round."""
    coming = Reminder.objects.filter(fired_at=None, due_at__gt=now, due_at__lt=now + ROUND)
    return coming.order_by("due_at").values_list("due_at", flat=True).first()


def fire(rows: list[Reminder], now: datetime) -> int:
    """Tells people of these and marks them, in the caller's transaction. Done, cancelled and hidden ones are passed."""
    alive = [row for row in rows if row.activity.is_open and row.activity.deleted_at is None]
    told = notify_many(
        kind=LIVE,
        text=gettext_noop("Reminder: %(what)s, %(when)s"),
        drafts=[
            Draft(row.user, row.activity, {"what": row.activity.subject, "when": _when(row)}) for row in alive
        ],
    )
    reached = {(user, record) for user, record in told}
    shown = [row for row in rows if (row.user_id, row.activity_id) in reached]
    fired = Reminder.objects.filter(pk__in=[row.pk for row in rows])
    fired.update(fired_at=now, dismissed_at=now)
    fired.filter(pk__in=[row.pk for row in shown]).update(dismissed_at=None)
    publish(kind=LIVE, users={row.user_id: row.user for row in shown}.values())
    return len(told)


def _when(row: Reminder) -> str:
    with as_reader(row.user):
        if row.activity.all_day:
            return date_format(timezone.localtime(row.activity.starts_at), "SHORT_DATE_FORMAT")
        return date_format(timezone.localtime(row.activity.starts_at), "SHORT_DATETIME_FORMAT")


def on_screen(user, now: datetime) -> list[Reminder]:
    """What was told and not put away yet, of activities that `user` still sees and that are open; newest first."""
    rows = Reminder.objects.filter(user=user, fired_at__gte=now - ON_SCREEN, dismissed_at=None)
    seen = Activity.objects.visible_to(user).open()
    rows = rows.filter(activity__in=seen).select_related("activity", "activity__owner")
    # Several reminders of one activity are one card.
    return list({row.activity_id: row for row in rows.order_by("fired_at")}.values())[::-1]


@transaction.atomic
def snooze(*, activity: Activity, by, minutes: int) -> datetime:
    """What stands on the screen of `by` about this activity comes again after one of SNOOZES; when that is.

    Raises ValidationError for another number of minutes.
    """
    if minutes not in SNOOZES:
        raise ValidationError(_("Choose one of the offered times."))
    until = timezone.now() + timedelta(minutes=minutes)
    shown = list(_shown(activity, by).order_by("-fired_at", "-pk"))
    if shown:
        _shown(activity, by).exclude(pk=shown[0].pk).update(dismissed_at=timezone.now())
        shown[0].due_at, shown[0].fired_at = until, None
        shown[0].save(update_fields=["due_at", "fired_at"])
        wake(shown[:1])
    publish(kind=LIVE, users=[by])
    return until


@transaction.atomic
def dismiss(*, activity: Activity, by) -> None:
    """Puts away what stands on the screen of `by` about this activity."""
    _shown(activity, by).update(dismissed_at=timezone.now())
    publish(kind=LIVE, users=[by])


def _shown(activity: Activity, user) -> QuerySet[Reminder]:
    return Reminder.objects.filter(activity=activity, user=user, fired_at__isnull=False, dismissed_at=None)
