"""What the head of a team wants to know in the morning: whose turn it is, what went wrong, what is being forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.moments import local_midnight
from crm.people.models import User
from crm.people.visibility import sees
from deals.attention import overridden, stuck
from deals.models import (
    OPEN_STATUSES,
    Deal,
    DealStatus,
    Payment,
    RequestStatus,
    StageRequest,
    StageTransition,
    TransitionCause,
)
from deals.payments import PAYMENTS
from deals.selectors import Wait, destination, person_to_ask, waits_of

SHOWN = 8
READ = 300
"""So many waiting moves are looked through."""


@dataclass(frozen=True)
class WaitingMove:
    request: StageRequest
    waits: list[Wait]

    @property
    def destination(self) -> str:
        return destination(self.request)


@dataclass(frozen=True)
class StuckDeal:
    """A deal that stands too long at its stage, or whose move waits too long; `may_ask`: somebody else has the ball."""

    deal: Deal
    move: WaitingMove | None
    may_ask: bool

    @property
    def missing(self) -> Wait | None:
        """What can be supplied or looked at for the move to go on."""
        return next((wait for wait in self.move.waits if wait.target), None) if self.move else None


@dataclass(frozen=True)
class Load:
    """One person's open work, and how it compares with the most loaded one (`most`)."""

    person: User
    deals: int
    late: int
    most: int


@dataclass(frozen=True)
class Morning:
    """Each list holds at most SHOWN lines, the most urgent first; `load` everybody with deals."""

    since: datetime
    mine: list[WaitingMove]
    stuck: list[StuckDeal]
    setbacks: list[StageTransition]
    idle: list[Deal]
    late_payments: list[Payment]
    late_deals: list[Deal]
    unproven: list[Deal]
    load: list[Load]


def read_morning(user, now: datetime | None = None) -> Morning:
    """The morning of `user`, of deals he may see. Nine queries."""
    now = now or timezone.now()
    since = _since(now)
    moves = _waiting(user)
    mine = [move for move in moves if any(wait.is_mine for wait in move.waits)]
    active = Deal.objects.visible_to(user).filter(status=DealStatus.ACTIVE)
    named = active.select_related("counterparty", "owner", "stage", "proven_stage").with_rights(user, "edit")
    today = timezone.localdate(now)
    return Morning(
        since=since,
        mine=mine[:SHOWN],
        stuck=_stuck(user, now, moves, mine),
        setbacks=_setbacks(user, since),
        idle=_idle(named, by_amount="amount" not in user.access.hidden_fields(Deal)),
        late_payments=_late_payments(user, today),
        late_deals=list(named.filter(close_date__lt=today).order_by("close_date", "pk")[:SHOWN]),
        unproven=list(named.filter(overridden()).order_by("-stage_since")[:SHOWN]),
        load=_load(active, now),
    )


def _since(now: datetime) -> datetime:
    """The midnight before the last working day but today: on Monday what happened on Friday counts as well."""
    days = {0: 3, 6: 2}.get(timezone.localtime(now).weekday(), 1)
    return local_midnight(now, days=-days)


def _waiting(user) -> list[WaitingMove]:
    rows = StageRequest.objects.filter(sees(user, Deal, "deal_id"), status=RequestStatus.PENDING)
    joined = rows.select_related("deal__counterparty", "deal__owner", "to_stage", "requested_by")
    return [WaitingMove(row, waits_of(row, user)) for row in joined.order_by("requested_at")[:READ]]


def _stuck(user, now: datetime, moves: list[WaitingMove], mine: list[WaitingMove]) -> list[StuckDeal]:
    """Deals that are stuck and wait for somebody else, those that stand longest first."""
    deals = Deal.objects.visible_to(user).filter(stuck(now))
    joined = deals.select_related("counterparty", "owner", "stage").with_rights(user, "edit")
    others = joined.exclude(pk__in=[move.request.deal_id for move in mine])
    waiting = {move.request.deal_id: move for move in moves}
    found = []
    for deal in others.order_by("stage_since", "pk")[:SHOWN]:
        move = waiting.get(deal.pk)
        asked = person_to_ask(deal, move.request if move else None, user)
        found.append(StuckDeal(deal, move, asked is not None))
    return found


def _setbacks(user, since: datetime) -> list[StageTransition]:
    """Deals lost, moved back or moved past their gate."""
    bad = (
        Q(to_status=DealStatus.LOST, from_status__in=OPEN_STATUSES)
        | Q(to_stage__position__lt=F("from_stage__position"))
        | Q(cause=TransitionCause.OVERRIDE)
    )
    rows = StageTransition.objects.filter(bad, sees(user, Deal, "deal_id"), at__gte=since)
    return list(
        rows.select_related("deal__counterparty", "from_stage", "to_stage", "actor").order_by("-at", "-pk")[
            :SHOWN
        ]
    )


def _idle(active, *, by_amount: bool) -> list[Deal]:
    """Deals nobody has planned anything for, the largest first; the newest for a reader who must not see amounts."""
    planned = Activity.objects.open().filter(deal_id=OuterRef("pk"))
    order = [F("amount").desc(nulls_last=True), "-pk"] if by_amount else ["-pk"]
    return list(active.filter(~Exists(planned)).order_by(*order)[:SHOWN])


def _late_payments(user, today) -> list[Payment]:
    if PAYMENTS.is_hidden(user):
        return []
    still_open = Q(received_amount=None) | Q(received_amount__lt=F("amount"))
    rows = Payment.objects.filter(still_open, sees(user, Deal, "deal_id"), planned_date__lt=today)
    rows = rows.exclude(deal__status=DealStatus.LOST).select_related("deal__counterparty", "deal__owner")
    return list(rows.order_by("planned_date", "pk")[:SHOWN])


def _load(active, now: datetime) -> list[Load]:
    deals = dict(
        active.exclude(owner=None)
        .order_by()
        .values_list("owner")
        .annotate(Count("pk"))
        .values_list("owner", "pk__count")
    )
    late = dict(
        Activity.objects.open()
        .filter(owner__in=list(deals), starts_at__lt=now)
        .order_by()
        .values_list("owner")
        .annotate(Count("pk"))
        .values_list("owner", "pk__count")
    )
    people = {person.pk: person for person in User.objects.filter(pk__in=list(deals))}
    most = max(deals.values(), default=0)
    rows = [Load(people[pk], count, late.get(pk, 0), most) for pk, count in deals.items() if pk in people]
    return sorted(rows, key=lambda row: (-row.late, -row.deals, str(row.person)))


def has_morning(user) -> bool:
    """Whoever answers for others."""
    return user.access.scope("deals.deal", "view") in {"subordinates", "all"}
