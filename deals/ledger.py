"""Writing the ledger of transitions: the one place that adds rows to it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from deals.models import Deal, StageRequest, StageTransition, TransitionCause
from deals.worth import refresh_worth


def write_transition(
    *, deal: Deal, cause: str, by, from_stage_id: int | None = None, from_status: str = "",
    request: StageRequest | None = None, via: str = "", is_proven: bool = True, at=None,
) -> StageTransition:  # fmt: skip
    """One row with the deal's present place and worth. Inside the caller's transaction, after the deal is written."""
    row = ledger_row(
        deal=deal, cause=cause, by=by, from_stage_id=from_stage_id, from_status=from_status, request=request, via=via,
        is_proven=is_proven, at=at,
    )  # fmt: skip
    row.save()
    return row


def ledger_row(
    *, deal: Deal, cause: str, by, from_stage_id: int | None = None, from_status: str = "",
    request: StageRequest | None = None, via: str = "", is_proven: bool = True, at=None,
) -> StageTransition:  # fmt: skip
    """The same, unsaved."""
    return StageTransition(
        deal=deal,
        at=at or timezone.now(),
        cause=cause,
        from_stage_id=from_stage_id,
        to_stage_id=deal.stage_id,
        from_status=from_status,
        to_status=deal.status,
        amount=deal.amount,
        currency_id=deal.currency_id,
        worth=deal.worth,
        close_date=deal.close_date,
        owner_id=deal.owner_id,
        department_id=deal.department_id,
        actor=by,
        via=via,
        request=request,
        is_proven=is_proven,
    )


_WORTH = {
    "owner": TransitionCause.OWNER,
    "amount": TransitionCause.AMOUNT,
    "currency": TransitionCause.AMOUNT,
    "close_date": TransitionCause.CLOSE_DATE,
}


def ledger_rows(*, deal: Deal, fields: list[str], by, via: str = "") -> list[StageTransition]:
    """An unsaved row for each of amount, close date and owner among the changed `fields`."""
    return [
        ledger_row(
            deal=deal, cause=cause, by=by, from_stage_id=deal.stage_id, from_status=deal.status, via=via
        )
        for cause in dict.fromkeys(_WORTH[name] for name in fields if name in _WORTH)
    ]


def write_worth(*, deal: Deal, fields: list[str], by, via: str = "") -> None:
    """Saves them: no past day is lost in money. What the deal is worth in the company's currency is counted anew."""
    if _is_money(fields):
        refresh_worth([deal])
    for row in ledger_rows(deal=deal, fields=fields, by=by, via=via):
        row.save()


def _is_money(fields: Iterable[str]) -> bool:
    return not {"amount", "currency"}.isdisjoint(fields)


def write_worth_of_many(*, deals: list[Deal], field: str, by, via: str = "") -> None:
    """The same for one changed field of many deals, in one statement."""
    if _is_money([field]):
        refresh_worth(deals)
    write_rows([row for deal in deals for row in ledger_rows(deal=deal, fields=[field], by=by, via=via)])


def write_rows(rows: list[StageTransition]) -> None:
    """Saves rows made by `ledger_row` and `ledger_rows`, many in one statement."""
    StageTransition.objects.bulk_create(rows, batch_size=500)
