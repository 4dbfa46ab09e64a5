"""Handing a portfolio over when somebody leaves: a preview, one bulk edit per kind and successor, and the way back."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.models import Counterparty, HandOver
from counterparties.splitting import Split, divide, rules_for
from crm.jobs.services import enqueue
from crm.listing.assigning import people_to_assign
from crm.listing.bulk.services import MOST_RECORDS, NotUndoable, request_undo
from crm.listing.lists import list_of
from crm.listing.models import BulkRun
from crm.listing.portfolio import PortfolioKind, portfolio_kinds
from crm.people.access import kind_label
from crm.people.models import User


def may_hand_over(user: User) -> bool:
    """Whoever may assign more than his own counterparties."""
    return user.access.scope(kind_label(Counterparty), "assign") in {"team", "subordinates", "all"}


def preview_handover(*, source: User, by: User, closed_too: bool = False) -> list[tuple[PortfolioKind, int]]:
    """(kind, number of records) of all that `source` has and `by` may assign; one query a kind."""
    return [
        (kind, kind.records(source, by, closed_too=closed_too).order_by().count())
        for kind in portfolio_kinds(by)
    ]


@transaction.atomic
def hand_over(
    *,
    source: User,
    successors: list[User],
    kinds: list[str],
    closed_too: bool = False,
    split: Split | None = None,
    by: User,
) -> HandOver:
    """Begins the hand-over of all records of `kinds`; several successors share them by `split`, else in turn.

    Raises PermissionDenied for a kind `by` may not assign, ValidationError for a successor out of reach or no records.
    """
    offered = {kind.kind: kind for kind in portfolio_kinds(by)}
    if not kinds or set(kinds) - set(offered):
        raise PermissionDenied
    if not successors or source in successors:
        raise ValidationError({"successors": _("Choose somebody else.")})
    split = split or Split()
    if split.rule not in rules_for(by):
        raise PermissionDenied
    made = HandOver.objects.create(source=source, made_by=by, rule=split.rule)
    for label in kinds:
        _demand_reachable(label, successors, by)
        rows = offered[label].records(source, by, closed_too=closed_too)
        if rows.order_by()[: MOST_RECORDS + 1].count() > MOST_RECORDS:
            raise ValidationError(_("That is more than 50,000 records. Hand them over in parts."))
        for successor, share in divide(rows, offered[label], split, successors, by):
            if share:
                made.runs.add(_start(label, share, successor, by))
    if not made.runs.exists():
        raise ValidationError(_("There is nothing to hand over."))
    return made


def _demand_reachable(label: str, successors: list[User], by: User) -> None:
    reachable = people_to_assign(by, list_of(label).model)
    wanted = {one.pk for one in successors}
    if reachable.filter(pk__in=wanted).count() != len(wanted):
        raise ValidationError({"successors": _("You may not hand it to this person.")})


def _start(label: str, ids: list[int], successor: User, by: User) -> BulkRun:
    run = BulkRun.objects.create(
        kind=label,
        action=BulkRun.Action.ASSIGN,
        query="view=0",
        ids=ids,
        value=str(successor.pk),
        value_text=str(successor)[:200],
        made_by=by,
    )
    run.job = enqueue(kind="listing.bulk_run", key=f"bulk:{run.pk}", args={"run": run.pk}, by=by)
    run.save(update_fields=["job"])
    return run


@transaction.atomic
def undo_handover(*, made: HandOver, by: User) -> None:
    """Has every ended part taken back. Raises PermissionDenied for another's, NotUndoable when nothing is left."""
    if made.made_by_id != by.pk:
        raise PermissionDenied
    undone = 0
    for run in made.runs.select_related("job"):
        try:
            request_undo(run=run, by=by)
        except NotUndoable:
            continue
        undone += 1
    if not undone:
        raise NotUndoable
