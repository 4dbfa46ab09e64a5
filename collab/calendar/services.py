"""Planning, logging and completing activities; each verb tells every card the activity stands on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from collab.calendar.grants import granting
from collab.calendar.models import CARDS, Activity, ActivityKind, ActivityParticipant, Series
from collab.calendar.reminders import follow_people, follow_time, remind
from collab.calendar.resources import keep_bookings
from collab.calendar.signals import (
    activity_cancelled,
    activity_completed,
    activity_planned,
    activity_rescheduled,
)
from counterparties.models import Contact
from crm.history.editing import edit_record
from crm.history.kinds import moment
from crm.history.services import record_event
from crm.notify.services import notify, publish
from crm.people.access import kind_label
from crm.people.models import User
from crm.people.visibility import demand
from leads.models import LeadStatus
from leads.services import start_work

LIVE = "collab_calendar.activity"


class ActivityClosed(ValidationError):
    """The activity is already done or cancelled."""


@dataclass(frozen=True)
class NextStep:
    """What follows a completed activity, on the same cards and for the same person."""

    kind: str
    subject: str
    starts_at: datetime
    ends_at: datetime | None = None
    description: str = ""


def may_plan_for(user, owner) -> bool:
    """Whether `user` may put something into the calendar of `owner`: his own, one his roles may assign in, or one
    into which its owner lets him.
    """
    return roles_plan_for(user, owner) or granting(user, "assign").filter(owner_id=owner.pk).exists()


def roles_plan_for(user, owner) -> bool:
    """The same by roles alone; no query."""
    if user.pk == owner.pk:
        return True
    scope = user.access.scope(kind_label(Activity), "assign")
    if scope == "all":
        return True
    if scope == "subordinates":
        return owner.department_id in user.access.headed_departments()
    return scope == "team" and owner.department_id is not None and owner.department_id == user.department_id


@transaction.atomic
def plan_activity(
    *, kind, subject, starts_at, by, owner=None, description="", ends_at=None, all_day=False, place="",
    direction="", is_private=False, lead=None, deal=None, counterparty=None, contact=None, participants=(),
    remind_before: Iterable[int] | None = None, via="",
) -> Activity:  # fmt: skip
    """Puts a call, meeting or letter into a calendar and on its cards; the first one on a new lead starts work on it.

    Whoever sees a card may do so: a colleague who takes the call writes it down. `participants` are users and contacts.
    `remind_before`: minutes before the start at which the owner is reminded; None: as usual for him.
    Raises PermissionDenied for a card `by` does not see or a calendar he may not plan in, ValidationError for values
    that make no sense.
    """
    activity = Activity(
        kind=kind, subject=subject, starts_at=starts_at, ends_at=ends_at, all_day=all_day, description=description,
        place=place, direction=direction, is_private=is_private, lead=lead, deal=deal, counterparty=counterparty,
        contact=contact, owner=owner or by, created_by=by,
    )  # fmt: skip
    _create(activity, by, participants, via)
    remind(activity, remind_before)
    record_event(
        kind=f"{activity.kind}_planned", subject=activity, by=by, cards=activity.cards(), via=via,
        payload={"when": moment(activity.starts_at), "note": activity.description},
    )  # fmt: skip
    activity_planned.send(sender=Activity, activity=activity, by=by)
    _tell_people(activity, by)
    return activity


@transaction.atomic
def log_activity(
    *, kind, subject, result, by, at=None, owner=None, direction="", lead=None, deal=None, counterparty=None,
    contact=None, participants=(), next_step: NextStep | None = None, via="",
) -> Activity:  # fmt: skip
    """Writes down something that has already happened, `at` a moment in the past or now, and plans what follows."""
    at = at or timezone.now()
    if at > timezone.now() + timedelta(minutes=1):
        raise ValidationError({"starts_at": _("What has not happened yet is planned, not logged.")})
    activity = Activity(
        kind=kind, subject=subject, starts_at=at, ends_at=at, done_at=at, result=result, direction=direction,
        lead=lead, deal=deal, counterparty=counterparty, contact=contact, owner=owner or by, created_by=by,
    )  # fmt: skip
    _create(activity, by, participants, via)
    _completed(activity, by, next_step, via)
    return activity


@transaction.atomic
def complete_activity(*, activity, result, by, next_step: NextStep | None = None, via="") -> Activity:
    """A planned activity is done, with its result; plans what follows. Raises ActivityClosed, PermissionDenied."""
    demand(by, "edit", activity)
    _close(activity, done_at=timezone.now(), result=result)
    _completed(activity, by, next_step, via)
    return activity


@transaction.atomic
def cancel_activity(*, activity, by, via="") -> Activity:
    """The activity will not take place; it stays in history. Raises ActivityClosed, PermissionDenied."""
    demand(by, "edit", activity)
    _close(activity, cancelled_at=timezone.now())
    record_event(kind=f"{activity.kind}_cancelled", subject=activity, by=by, cards=activity.cards(), via=via)
    activity_cancelled.send(sender=Activity, activity=activity, by=by)
    tell_pages(activity)
    return activity


@transaction.atomic
def reschedule_activity(*, activity, starts_at, by, ends_at=None, version=None, via="") -> Activity:
    """Moves a planned activity; its length stays unless `ends_at` is given. Raises ActivityClosed, PermissionDenied.

    With `version`, what the mover saw, also EditConflict when somebody else has moved it since.
    """
    activity.refresh_from_db()
    was = activity.starts_at
    if ends_at is None and activity.ends_at is not None:
        ends_at = starts_at + (activity.ends_at - was)
    times = {"starts_at": starts_at, "ends_at": ends_at}
    _edit(activity, times, activity.version if version is None else version, by, "moved", via)
    if activity.starts_at != was:
        activity_rescheduled.send(sender=Activity, activity=activity, by=by, was=was)
    return activity


@transaction.atomic
def edit_activity(*, activity, values, version, by, participants=None, via="") -> Activity:
    """Changes a planned activity, its times included.

    Raises ActivityClosed, EditConflict, PermissionDenied, ValidationError.
    """
    was = activity.starts_at
    _edit(activity, values, version, by, "edited", via)
    if participants is not None:
        follow_people(activity, set_participants(activity, by, participants))
    if activity.starts_at != was:
        activity_rescheduled.send(sender=Activity, activity=activity, by=by, was=was)
    return activity


def _edit(activity: Activity, values: dict, version: int, by, verb: str, via: str = "") -> None:
    demand(by, "edit", activity)
    was, owner = (activity.starts_at, activity.all_day), activity.owner_id
    if not Activity.objects.open().select_for_update().filter(pk=activity.pk).exists():
        raise ActivityClosed(_("This is already done or cancelled."))
    check_times(values.get("starts_at", activity.starts_at), values.get("ends_at", activity.ends_at))
    until = activity.ends_at
    edit_record(
        record=activity, values=values, by=by, version=version, kind=f"{activity.kind}_{verb}", cards=activity.cards(),
        via=via,
    )  # fmt: skip
    if (activity.starts_at, activity.all_day) != was:
        follow_time(activity)
    if (activity.starts_at, activity.ends_at) != (was[0], until):
        keep_bookings(activity)
    if activity.owner_id != owner:
        follow_people(activity, {activity.owner_id})
    if activity.series_id is not None:
        _leave_series(activity, values, owner)
    tell_pages(activity)


def _leave_series(activity: Activity, values: dict, owner: int) -> None:
    """An occurrence changed on its own no longer follows its series; one handed over takes the series along."""
    if activity.owner_id != owner:
        Series.objects.filter(pk=activity.series_id, owner_id=owner).update(owner_id=activity.owner_id)
    if values.keys() - {"owner"} and not activity.is_detached:
        activity.is_detached = True
        Activity.objects.filter(pk=activity.pk).update(is_detached=True)


def _create(activity: Activity, by, participants: Iterable, via: str) -> None:
    if not may_plan_for(by, activity.owner):
        raise PermissionDenied
    for card in activity.cards():
        demand(by, "view", card)
    follow_cards(activity)
    if activity.all_day and activity.ends_at is None:
        activity.ends_at = activity.starts_at + timedelta(days=1)
    activity.subject = activity.subject.strip() or str(ActivityKind(activity.kind).label)
    activity.full_clean(exclude=["owner", "created_by", "lead", "deal", "counterparty", "contact"])
    check_times(activity.starts_at, activity.ends_at)
    activity.save()
    set_participants(activity, by, participants)
    if activity.lead is not None and activity.lead.status == LeadStatus.NEW:
        start_work(lead=activity.lead, by=by, via=via)


def follow_cards(activity: Activity) -> None:
    """A deal's activity stands on the deal's counterparty too, a converted lead's on what it became."""
    if activity.lead is not None:
        activity.deal = activity.deal or activity.lead.deal
        activity.contact = activity.contact or activity.lead.contact
        activity.counterparty = activity.counterparty or activity.lead.counterparty
    if activity.deal is not None:
        activity.counterparty = activity.counterparty or activity.deal.counterparty


def check_times(starts_at: datetime, ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at < starts_at:
        raise ValidationError({"ends_at": _("The end lies before the start.")})


def set_participants(activity: Activity, by, participants: Iterable) -> set[int]:
    """The ids of the colleagues who did not take part before."""
    people = list(dict.fromkeys(participants))
    contacts = {person.pk for person in people if isinstance(person, Contact)}
    before = set(activity.participants.exclude(contact=None).values_list("contact_id", flat=True))
    added = contacts - before
    if Contact.objects.visible_to(by).filter(pk__in=added).count() != len(added):
        raise PermissionDenied
    users = {person.pk for person in people if isinstance(person, User)} - {activity.owner_id}
    activity.participants.exclude(user_id__in=users, contact=None).exclude(
        contact_id__in=contacts, user=None
    ).delete()
    known = set(activity.participants.exclude(user=None).values_list("user_id", flat=True))
    ActivityParticipant.objects.bulk_create(
        [ActivityParticipant(activity=activity, user_id=pk) for pk in sorted(users - known)]
        + [ActivityParticipant(activity=activity, contact_id=pk) for pk in sorted(added)]
    )
    return users - known


def _close(activity: Activity, **values) -> None:
    """A conditional write: of two people who complete the same activity only one succeeds."""
    for name, value in values.items():
        setattr(activity, name, value)
    activity.refresh_search()
    values |= {
        "search_text": activity.search_text,
        "updated_at": timezone.now(),
        "version": activity.version + 1,
    }
    if not Activity.objects.open().filter(pk=activity.pk).update(**values):
        raise ActivityClosed(_("This is already done or cancelled."))
    activity.refresh_from_db()


def _completed(activity: Activity, by, next_step: NextStep | None, via: str) -> None:
    record_event(
        kind=f"{activity.kind}_completed", subject=activity, by=by, cards=activity.cards(), via=via,
        payload={"note": activity.result}, at=activity.done_at,
    )  # fmt: skip
    following = _plan_next(activity, by, next_step, via) if next_step else None
    activity_completed.send(sender=Activity, activity=activity, by=by, next_activity=following)
    tell_pages(activity)


def _plan_next(activity: Activity, by, step: NextStep, via: str) -> Activity:
    cards = {name: getattr(activity, name) for name in CARDS}
    owner = activity.owner if may_plan_for(by, activity.owner) else by
    return plan_activity(
        kind=step.kind, subject=step.subject, starts_at=step.starts_at, ends_at=step.ends_at, by=by, owner=owner,
        description=step.description, via=via, **cards,
    )  # fmt: skip


def _tell_people(activity: Activity, by) -> None:
    invited = [row.user for row in activity.participants.exclude(user=None).select_related("user")]
    params = {"who": str(by), "what": activity.subject}
    for person, text in [
        (activity.owner, gettext_noop("%(who)s put “%(what)s” into your calendar.")),
        *((person, gettext_noop("%(who)s invited you: %(what)s")) for person in invited),
    ]:
        notify(user=person, kind="collab_calendar.planned", text=text, params=params, record=activity, by=by)
    tell_pages(activity)


def tell_pages(activity: Activity) -> None:
    """Open pages refetch the activity, and its primary card with the next step that stands there."""
    publish(kind=LIVE, record=activity)
    for card in activity.cards()[:1]:
        publish(kind=kind_label(type(card)), record=card)
