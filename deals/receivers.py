"""Reactions of deals to the ground: what the recycle bin does to them."""

from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils.translation import gettext as _

from counterparties.matching.signals import merge_undone, records_merged
from counterparties.models import Counterparty
from crm.history.signals import record_erasing, record_restored, records_deleted
from crm.jobs.services import enqueue
from crm.money.signals import rates_changed
from deals.models import Deal, StageTransition
from deals.moves import drop_requests, review_request
from deals.numbering import renumber_restored
from deals.searching import moved_deals, rename_counterparty
from deals.signals import deal_changed, deal_file_attached


@receiver(deal_changed, dispatch_uid="deals.review_changed")
@receiver(deal_file_attached, dispatch_uid="deals.review_attached")
def review_waiting_move(deal, by, **_kwargs) -> None:
    """What was typed or attached may be what a move waits for."""
    review_request(deal_id=deal.pk, by=by)


@receiver(records_deleted, sender=Deal, dispatch_uid="deals.drop_requests")
def drop_pending_moves(records, by, **_kwargs) -> None:
    """A deleted deal waits for nothing any more."""
    drop_requests(deals=records, by=by)


@receiver(rates_changed, dispatch_uid="deals.recount_worth")
def recount_worth(currency, since, **_kwargs) -> None:
    """Deals are counted anew in the background."""
    if currency is None:
        enqueue(kind="deals.worths", key="all")
    else:
        args = {"currency": currency, "since": since.isoformat()}
        enqueue(kind="deals.worth", key=f"{currency} {since}", args=args)


@receiver(record_restored, sender=Deal, dispatch_uid="deals.demand_counterparty")
def demand_counterparty(record, **_kwargs) -> None:
    """A deal comes back only to a counterparty that is there."""
    if record.counterparty.deleted_at is not None:
        raise ValidationError(_("The deal's counterparty is deleted as well. Restore it first."))


@receiver(record_restored, sender=Deal, dispatch_uid="deals.number_restored")
def number_restored(record, by, **_kwargs) -> None:
    """Its own number may belong to another deal by now."""
    renumber_restored(deal=record, by=by)


@receiver(record_erasing, sender=Deal, dispatch_uid="deals.erase_ledger")
def erase_ledger(record, **_kwargs) -> None:
    """The ledger of a deal that is erased for good goes with it."""
    StageTransition.objects.erase_of(record)


@receiver(records_merged, sender=Counterparty, dispatch_uid="deals.follow_merge")
def follow_merge(survivor, merged, merge, **_kwargs) -> None:
    """Deals that moved are found by the name of the counterparty they have now. Moves and gates go with the deal."""
    moved = moved_deals(merge)
    for former in merged:
        rename_counterparty(moved.get(former.pk, []), former.name, survivor)


@receiver(merge_undone, sender=Counterparty, dispatch_uid="deals.follow_parting")
def follow_parting(survivor, merged, merge, **_kwargs) -> None:
    moved = moved_deals(merge)
    names = {name: new for name, _label, _old, new in merge.changes}
    for former in merged:
        rename_counterparty(moved.get(former.pk, []), names.get("name", survivor.name), former)
