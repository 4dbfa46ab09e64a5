"""Deals that want somebody to look at them: stuck, or standing past their gate. Filters and pages ask here."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.utils import timezone

from deals.models import Deal, DealStatus, RequestStatus, StageRequest
from funnel.models import Stage


def late_requests(now: datetime | None = None):
    """The moves that have waited past their due."""
    return StageRequest.objects.filter(status=RequestStatus.PENDING, due_at__lte=now or timezone.now())


def stuck(now: datetime | None = None) -> Q:
    """Deals at a stage for longer than it allows, or with a move that waits past its due. One query."""
    now = now or timezone.now()
    stages = defaultdict(list)
    for pk, days in Stage.objects.exclude(rot_days=None).order_by().values_list("pk", "rot_days"):
        stages[days].append(pk)
    rotten = Q(pk__in=[])
    for days, ids in stages.items():
        rotten |= Q(stage__in=ids, stage_since__lte=now - timedelta(days=days + 1))
    return (Q(status=DealStatus.ACTIVE) & rotten) | Q(pk__in=late_requests(now).values("deal_id"))


def overridden() -> Q:
    """Running deals whose stage is ahead of the one their gates have proven."""
    ahead = Q(proven_stage=None) | Q(stage__position__gt=F("proven_stage__position"))
    return Q(status=DealStatus.ACTIVE) & ahead


def waits_for(user_ids: set[int]) -> Q:
    """Deals with a move that waits for one of these people. One query, of all that wait."""
    rows = StageRequest.objects.filter(status=RequestStatus.PENDING).values_list("deal_id", "waits")
    return Q(
        pk__in=[deal for deal, waits in rows if any(wait.get("holder_id") in user_ids for wait in waits)]
    )


# As filters and columns of the list


def ask_stuck(operator: str, values: tuple) -> Q:
    return stuck() if operator == "yes" else ~stuck()


def ask_overridden(operator: str, values: tuple) -> Q:
    return overridden() if operator == "yes" else ~overridden()


def ask_waits_for(operator: str, values: tuple) -> Q:
    """`values` are ids of people."""
    pending = Q(Exists(StageRequest.objects.filter(deal=OuterRef("pk"), status=RequestStatus.PENDING)))
    if operator in {"empty", "filled"}:
        return pending if operator == "filled" else ~pending
    found = waits_for(set(values))
    return found if operator == "any" else ~found


def with_moves(deals):
    """Rows that know the move they wait for, for `is_stuck` and `holder_names`. One query more."""
    pending = StageRequest.objects.filter(status=RequestStatus.PENDING)
    return deals.prefetch_related(Prefetch("stage_requests", pending, to_attr="pending_moves"))


def is_stuck(deal: Deal) -> bool:
    """Of a row of `with_moves` that has its stage."""
    now = timezone.now()
    late = any(move.due_at is not None and move.due_at <= now for move in deal.pending_moves)
    return late or deal.is_rotting(deal.stage.rot_days)


def holder_names(deal: Deal) -> str:
    """Whom a row of `with_moves` waits for."""
    names = [wait.get("holder") for move in deal.pending_moves for wait in move.waits]
    return ", ".join(dict.fromkeys(name for name in names if name))
