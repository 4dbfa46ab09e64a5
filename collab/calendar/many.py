"""Planning the same for many records: one activity each, in few statements, one after another in working hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from collab.calendar.grants import granting
from collab.calendar.leads_of_time import MOST
from collab.calendar.models import CARDS, Activity, ActivityKind
from collab.calendar.reminders import remind_of_plans
from collab.calendar.services import LIVE, follow_cards, roles_plan_for
from collab.calendar.signals import activity_planned
from crm.history.bin import delete_records
from crm.history.kinds import moment
from crm.history.models import Event
from crm.history.services import record_events
from crm.notify.models import LiveRow
from crm.notify.services import notify, publish
from crm.people.access import kind_label
from crm.people.calendar import add_working_time, working_calendar
from crm.people.models import User
from leads.models import LeadStatus
from leads.services import start_work

OWNER_GONE = gettext_noop("Its owner does not work here any more.")
NOT_IN_HIS_CALENDAR = gettext_noop("You may not plan in the calendar of its owner.")
NO_TIME_LEFT = gettext_noop("There is no working time left for it within ten years.")
GONE = gettext_noop("It is not there any more.")
GONE_ON_WITH = gettext_noop("Somebody has gone on with it since.")
MOST_MINUTES = 24 * 60
MOST_BETWEEN = 8 * 60
MOST_DESCRIPTION = 10_000
_RELATED = {
    "deal": ("owner", "counterparty"),
    "lead": ("owner", "deal__counterparty", "contact", "counterparty"),
    "counterparty": ("owner",),
    "contact": ("owner",),
}


@dataclass(frozen=True)
class Plan:
    """What is planned for each record.

    `minutes`: its length, 0 for none. `every`: so many working minutes lie between two of one calendar, 0 for all at
    `starts_at`. `for_owner`: into the calendar of each record's owner, else of who plans. `remind`: minutes before,
    None for what is usual.
    """

    kind: str
    subject: str
    starts_at: datetime
    minutes: int = 0
    every: int = 0
    for_owner: bool = True
    description: str = ""
    remind: list[int] | None = None

    def value(self) -> dict:
        """As JSON keeps it."""
        return {**vars(self), "starts_at": self.starts_at.isoformat()}


def read_plan(value: dict) -> Plan:
    """The plan that `value()` has kept. Raises ValidationError for what makes no sense."""
    try:
        plan = Plan(**{**value, "starts_at": datetime.fromisoformat(value["starts_at"])})
        label = str(ActivityKind(plan.kind).label)
        plan = replace(plan, subject=plan.subject.strip() or label)
        leads = [] if plan.remind is None else plan.remind
        fits = (
            timezone.is_aware(plan.starts_at)
            and 0 <= plan.minutes <= MOST_MINUTES
            and 0 <= plan.every <= MOST_BETWEEN
            and len(plan.description) <= MOST_DESCRIPTION
            and len(leads) <= MOST
            and all(isinstance(each, int) and each >= 0 for each in leads)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ValidationError(_("Choose one of the offered values."))
    Activity(kind=plan.kind, subject=plan.subject, starts_at=plan.starts_at).clean_fields(
        exclude=["owner", "created_by", "uid"]
    )
    return plan


class PlanForMany:
    """The work of a bulk run: see `crm.listing.bulk.deeds.Work`."""

    def __init__(self, value: dict, by: User) -> None:
        self.plan, self.by = read_plan(value), by
        self._next: dict[int, datetime | None] = {}
        when = date_format(timezone.localtime(self.plan.starts_at), "SHORT_DATETIME_FORMAT")
        self.text = f"{self.plan.subject[:150]}, {when}"

    def resume(self, events: QuerySet[Event]) -> None:
        """Goes on behind the last of each calendar."""
        self._calendar = working_calendar()
        for owner, count in self._counts(events) if self.plan.every else ():
            for _number in range(count):
                self._slot(owner)

    def do(self, records: list) -> dict[int, Event | str]:
        if not records:
            return {}
        card = next(name for name, model in CARDS.items() if isinstance(records[0], model))
        prefetch_related_objects(records, *_RELATED[card])
        let_in = set(granting(self.by, "assign").values_list("owner_id", flat=True))
        found: dict[int, Event | str] = {}
        made: dict[int, Activity] = {}
        for record in records:
            owner = record.owner if self.plan.for_owner and record.owner_id else self.by
            reason = self._refuses(owner, let_in)
            at = None if reason else self._slot(owner.pk)
            if at is None:
                found[record.pk] = reason or NO_TIME_LEFT
            else:
                made[record.pk] = self._activity(card, record, owner, at)
        events = plan_many(activities=list(made.values()), by=self.by, remind_before=self.plan.remind)
        return found | {pk: events[activity.pk] for pk, activity in made.items()}

    def finish(self, events: QuerySet[Event]) -> None:
        """One notification for each calendar, however many activities came into it."""
        counts = dict(self._counts(events))
        for owner in User.objects.filter(pk__in=counts).exclude(pk=self.by.pk).order_by("pk"):
            notify(
                user=owner, kind="collab_calendar.planned", by=self.by, url=reverse("collab_calendar:activity_list"),
                text=gettext_noop("%(who)s put “%(what)s” into your calendar for many records: %(count)s."),
                params={"who": str(self.by), "what": self.plan.subject, "count": counts[owner.pk]},
            )  # fmt: skip

    def _counts(self, events: QuerySet[Event]):
        rows = Activity.objects.filter(pk__in=events.values("subject_id")).order_by()
        return rows.values_list("owner_id").annotate(Count("pk"))

    def _refuses(self, owner: User, let_in: set[int]) -> str:
        if not owner.is_active:
            return OWNER_GONE
        may_plan = roles_plan_for(self.by, owner) or owner.pk in let_in
        return "" if may_plan else NOT_IN_HIS_CALENDAR

    def _slot(self, owner: int) -> datetime | None:
        """The next free one of these in a calendar; None once there is no working time left."""
        if not self.plan.every:
            return self.plan.starts_at
        last = self._next.get(owner, self.plan.starts_at)
        if last is None:
            return None
        step = timedelta(minutes=self.plan.every if owner in self._next else 0)
        try:
            at = add_working_time(last, step, self._calendar)
            if not self._calendar.is_working(at):
                at = add_working_time(at, timedelta(), self._calendar)
        except ValueError:
            self._next[owner] = None
            return None
        self._next[owner] = at
        return at

    def _activity(self, card: str, record, owner: User, at: datetime) -> Activity:
        plan = self.plan
        return Activity(
            kind=plan.kind, subject=plan.subject, description=plan.description, starts_at=at, owner=owner,
            ends_at=at + timedelta(minutes=plan.minutes) if plan.minutes else None, created_by=self.by,
            **{card: record},
        )  # fmt: skip


@transaction.atomic
def plan_many(
    *, activities: list[Activity], by, remind_before: Iterable[int] | None = None, via=""
) -> dict[int, Event]:
    """Puts new activities of one kind, each on one card, into calendars; the event of each by its id.

    The caller has asked whether `by` sees the cards and may plan in the calendars, and has read what the cards point
    at. Owners are told by the caller: once, not for each.
    """
    if not activities:
        return {}
    for activity in activities:
        follow_cards(activity)
        activity.department_id = activity.owner.department_id
        activity.refresh_search()
    Activity.objects.bulk_create(activities, batch_size=500)
    remind_of_plans(activities, remind_before)
    events = record_events(
        kind=f"{activities[0].kind}_planned", subjects=[*activities], by=by, via=via,
        payload={"note": activities[0].description},
        cards={activity.pk: [*activity.cards()] for activity in activities},
        details={activity.pk: {"when": moment(activity.starts_at)} for activity in activities},
    )  # fmt: skip
    for activity in activities:
        if activity.lead is not None and activity.lead.status == LeadStatus.NEW:
            start_work(lead=activity.lead, by=by, via=via)
        activity_planned.send(sender=Activity, activity=activity, by=by)
    _tell_pages(activities, by)
    return events


def take_back(events: Iterable[Event], by) -> dict[int, str]:
    """What was planned for many records goes into the bin, as far as nobody has gone on with it.

    Also where it stands in another's calendar: who put it there may take it out again. By event, why one stays.
    """
    wanted = {event.subject_id: event.pk for event in events}
    found = list(Activity.objects.filter(pk__in=wanted, deleted_at=None).select_related(*CARDS))
    fresh = Activity.objects.open().filter(pk__in=wanted, version=1, series=None, created_by=by)
    untouched = set(fresh.exclude(letters__isnull=False).values_list("pk", flat=True))
    with by.access.lending(kind_label(Activity), sorted(untouched)):
        gone = set(delete_records(records=[row for row in found if row.pk in untouched], by=by))
    _tell_pages([row for row in found if row.pk in gone], by)
    standing = {row.pk for row in found}
    return {event: GONE_ON_WITH if pk in standing else GONE for pk, event in wanted.items() if pk not in gone}


def _tell_pages(activities: list[Activity], by) -> None:
    """The open calendars of those whose time it is, and the cards."""
    people = {activity.owner_id for activity in activities} | {by.pk}
    publish(kind=LIVE, users=User.objects.filter(pk__in=people) if activities else [])
    cards = [key for activity in activities for key in activity.card_keys()[:1]]
    LiveRow.objects.bulk_create(LiveRow(kind=kind, record_kind=kind, record_id=pk) for kind, pk in cards)
