"""Reading activities: what comes next on a card, and a person's day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone

from collab.calendar.grants import granting
from collab.calendar.models import CARDS, Activity, ActivityParticipant, ActivityQuerySet
from collab.calendar.moments import local_midnight
from crm.people.access import kind_label
from crm.people.models import User

CARD_FIELDS = {kind_label(model): name for name, model in CARDS.items()}
LATER = timedelta(days=14)
SHOWN = 100
OVERDUE_SHOWN = 20


def next_activities(model_label: str, ids: Iterable[int], user=None) -> dict[int, Activity]:
    """The earliest open activity of each card, {card id: activity}, in one query.

    The caller has fetched the cards through `visible_to`. With `user` every activity he may see counts; without,
    only those whose primary card it is and which are not private: whoever sees the card sees these.
    """
    name = CARD_FIELDS[model_label]
    seen = _of_card(name) if user is None else Activity.objects.visible_to(user)
    first = seen.open().filter(**{name: OuterRef(name)}).order_by("starts_at", "pk").values("pk")[:1]
    rows = Activity.objects.open().filter(**{f"{name}__in": list(ids)}, pk=Subquery(first))
    return {getattr(row, f"{name}_id"): row for row in rows.select_related("owner")}


def is_planned(model_label: str) -> Q:
    """The cards of a kind that `next_activities` finds something for."""
    name = CARD_FIELDS[model_label]
    return Q(Exists(_of_card(name).open().filter(**{name: OuterRef("pk")})))


def _of_card(name: str) -> ActivityQuerySet:
    above = list(CARDS)[: list(CARDS).index(name)]
    return Activity.objects.filter(is_private=False, **{f"{higher}__isnull": True for higher in above})


def activities_of(user, record) -> ActivityQuerySet:
    """The activities on a card that `user` may see."""
    name = CARD_FIELDS[kind_label(type(record))]
    return Activity.objects.visible_to(user).filter(**{name: record.pk}).select_related("owner", "series")


def overdue(user) -> ActivityQuerySet:
    """The open activities of `user` whose time has passed."""
    return Activity.objects.open().filter(part_condition("overdue", timezone.now()), owner=user)


def day_bounds(now: datetime) -> tuple[datetime, datetime]:
    """The start and the end of the current day in the reader's zone, whatever its length."""
    return local_midnight(now), local_midnight(now, days=1)


# The parts of a person's plan, each a condition on the open activities.
PARTS = ("overdue", "now", "today", "later")


def part_condition(part: str, now: datetime) -> Q:
    """The open activities that belong to one of PARTS; they do not overlap. `part_of` says the same of one row."""
    end = day_bounds(now)[1]
    running = Q(starts_at__lte=now, ends_at__gt=now)
    return {
        "overdue": Q(ends_at__lte=now) | Q(ends_at=None, starts_at__lte=now),
        "now": running & Q(all_day=False),
        "today": running & Q(all_day=True) | Q(starts_at__gt=now, starts_at__lt=end),
        "later": Q(starts_at__gte=end, starts_at__gt=now),
    }[part]


def part_of(activity: Activity, now: datetime) -> str:
    """Which of PARTS an open activity belongs to."""
    if (activity.ends_at or activity.starts_at) <= now:
        return "overdue"
    if activity.starts_at <= now:
        return "today" if activity.all_day else "now"
    return "today" if activity.starts_at < day_bounds(now)[1] else "later"


@dataclass
class Day:
    """The open activities of one person by PARTS; `later` reaches two weeks, `overdue` holds OVERDUE_SHOWN at most."""

    overdue: list[Activity] = field(default_factory=list)
    now: list[Activity] = field(default_factory=list)
    today: list[Activity] = field(default_factory=list)
    later: list[Activity] = field(default_factory=list)
    has_more_overdue: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.overdue or self.now or self.today or self.later)


def involving(user) -> ActivityQuerySet:
    """The activities `user` owns or takes part in."""
    named = Exists(ActivityParticipant.objects.filter(activity_id=OuterRef("pk"), user_id=user.pk))
    return Activity.objects.filter(Q(owner=user) | Q(named), deleted_at=None)


def my_day(user, now: datetime | None = None) -> Day:
    """The plan of `user`, and of what is overdue the latest: two queries, and one to name the cards."""
    now = now or timezone.now()
    late, day = part_condition("overdue", now), Day()
    rows = involving(user).open().select_related("owner", "series")
    missed = list(rows.filter(late).order_by("-starts_at", "-pk")[: OVERDUE_SHOWN + 1])
    day.has_more_overdue = len(missed) > OVERDUE_SHOWN
    end = day_bounds(now)[1]
    coming = rows.exclude(late).filter(starts_at__lt=end + LATER).order_by("starts_at", "pk")
    planned = coming.nearest(end)
    for activity in with_cards(user, [*reversed(missed[:OVERDUE_SHOWN]), *planned[:SHOWN]]):
        getattr(day, part_of(activity, now)).append(activity)
    return day


def calendars_open_to(user):
    """The active people whose calendars the roles of `user` reach or who let him in, himself among them."""
    people = User.objects.filter(is_active=True).only("username", "first_name", "last_name")
    scope = user.access.scope(kind_label(Activity), "view")
    if scope == "all":
        return people
    reach = Q(pk=user.pk) | Q(pk__in=granting(user, "view"))
    if scope == "subordinates":
        reach |= Q(department_id__in=user.access.headed_departments())
    if scope == "team" and user.department_id:
        reach |= Q(department_id=user.department_id)
    return people.filter(reach)


@dataclass(frozen=True)
class CardName:
    """A card as a line about an activity names it."""

    kind: str
    pk: int
    text: str


def with_cards(user, rows: Iterable[Activity]) -> list[Activity]:
    """The activities, each with `seen_cards`: a CardName for every card `user` may see, the primary one first."""
    found = list(rows)
    names = _card_names(user, {key for activity in found for key in activity.card_keys()})
    for activity in found:
        activity.seen_cards = [names[key] for key in activity.card_keys() if key in names]
    return found


def _card_names(user, keys: set[tuple[str, int]]) -> dict[tuple[str, int], CardName]:
    """One query, however many kinds of cards there are."""
    parts = []
    for label, name in CARD_FIELDS.items():
        pks = {pk for kind, pk in keys if kind == label}
        if pks:
            text = Concat("first_name", Value(" "), "last_name") if name == "contact" else F("name")
            rows = CARDS[name].objects.visible_to(user).filter(pk__in=pks).order_by()
            parts.append(rows.values_list(Value(label), "pk", text))
    if not parts:
        return {}
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return {(label, pk): CardName(label, pk, text.strip()) for label, pk, text in rows}


def planned_on(card) -> ActivityQuerySet:
    """What is planned on a card and on none that comes before it: it has no purpose without the card."""
    here = CARD_FIELDS[kind_label(type(card))]
    above = list(CARDS)[: list(CARDS).index(here)]
    return Activity.objects.open().filter(**{here: card}, **{f"{name}__isnull": True for name in above})
