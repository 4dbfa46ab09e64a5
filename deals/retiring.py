"""A stage goes out of use: its open deals go to another one. Closed deals stay where they were won or lost."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from crm.history.kinds import named
from crm.history.services import record_events
from crm.notify.models import LiveRow
from deals.ledger import ledger_row, write_rows
from deals.models import Deal, DealType, RequestStatus, StageRequest, StageTransition, TransitionCause
from deals.moves import drop_requests, place_deals
from deals.signals import deal_stage_changed
from funnel.models import Funnel, Stage
from funnel.uses import StageUse, register_stage_use

MOST = 500
"""So many deals go along with a stage; more are moved first, by those who know them."""
DEAL = "deals.deal"


def open_counts(stage_ids: list[int]) -> dict[int, int]:
    """{stage id: deals that stand there and are not closed, those in the bin included}; one query."""
    rows = Deal.objects.open().filter(stage_id__in=stage_ids).order_by().values_list("stage_id")
    return dict(rows.annotate(Count("pk")))


def is_known(stage: Stage) -> bool:
    """Whether a deal, a request or the ledger names the stage."""
    return (
        Deal.objects.filter(Q(stage=stage) | Q(proven_stage=stage)).exists()
        or StageRequest.objects.filter(Q(from_stage=stage) | Q(to_stage=stage)).exists()
        or StageTransition.objects.filter(Q(from_stage=stage) | Q(to_stage=stage)).exists()
    )


def demand_free(funnel: Funnel) -> None:
    """Raises ValidationError while deals run along the funnel, or a type of deals begins there."""
    if DealType.objects.filter(funnel=funnel, is_active=True).exists():
        raise ValidationError(_("A type of deals uses this funnel. Give the type another funnel first."))
    if Deal.objects.open().filter(funnel=funnel, deleted_at=None).exists():
        raise ValidationError(_("There are open deals in this funnel. Close them first."))


@transaction.atomic
def relocate_deals(*, stage: Stage, to: Stage | None, by) -> int:
    """Moves the open deals of a stage to `to`, past all gates, on record. Returns how many.

    Moves that wait to come here or to leave are withdrawn. Raises ValidationError for too many deals at once.
    """
    ids = list(
        Deal.objects.open().filter(stage=stage).order_by("pk").values_list("pk", flat=True)[: MOST + 1]
    )
    if len(ids) > MOST:
        raise ValidationError(
            _("More than %(most)s deals stand here. Move some of them first.") % {"most": MOST}
        )
    _withdraw(stage, by)
    deals = list(Deal.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)))
    deals = [deal for deal in deals if deal.stage_id == stage.pk and deal.is_open]
    if not deals:
        return 0
    place_deals(deals=deals, to=to)
    moved = list(
        Deal.objects.filter(pk__in=[deal.pk for deal in deals]).select_related("counterparty").order_by("pk")
    )
    rows = [
        ledger_row(
            deal=deal, cause=TransitionCause.REMOVED, by=by, from_stage_id=stage.pk, from_status=deal.status,
            is_proven=deal.is_proven,
        )
        for deal in moved
    ]  # fmt: skip
    write_rows(rows)
    _record(moved, stage, to, by)
    for deal, row in zip(moved, rows, strict=True):
        deal_stage_changed.send(Deal, deal=deal, transition=row, by=by, calls_off=False)
    LiveRow.objects.bulk_create(LiveRow(kind=DEAL, record_kind=DEAL, record_id=deal.pk) for deal in moved)
    return len(moved)


def _withdraw(stage: Stage, by) -> None:
    waiting = StageRequest.objects.filter(
        Q(from_stage=stage) | Q(to_stage=stage), status=RequestStatus.PENDING
    ).values("deal")
    drop_requests(deals=list(Deal.objects.filter(pk__in=waiting)), by=by)


def _record(deals: list[Deal], stage: Stage, to: Stage, by) -> None:
    """One event a deal, on its own card and its counterparty's."""
    record_events(
        kind="deal_stage_retired", subjects=deals, by=by, payload={"from": named(stage), "to": named(to)},
        cards={deal.pk: [deal.counterparty] for deal in deals},
    )  # fmt: skip


def register_retiring() -> None:
    register_stage_use(
        StageUse(open_counts=open_counts, is_known=is_known, relocate=relocate_deals, demand_free=demand_free)
    )
