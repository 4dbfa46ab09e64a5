"""Reactions of deals to the ground: what the recycle bin does to them."""

from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils.translation import gettext as _

from crm.history.signals import record_deleted, record_erasing, record_restored
from deals.models import Deal, StageTransition
from deals.moves import drop_request


@receiver(record_deleted, sender=Deal, dispatch_uid="deals.drop_request")
def drop_pending_move(record, by, **_kwargs) -> None:
    """A deleted deal waits for nothing any more."""
    drop_request(deal=record, by=by)


@receiver(record_restored, sender=Deal, dispatch_uid="deals.demand_counterparty")
def demand_counterparty(record, **_kwargs) -> None:
    """A deal comes back only to a counterparty that is there."""
    if record.counterparty.deleted_at is not None:
        raise ValidationError(_("The deal's counterparty is deleted as well. Restore it first."))


@receiver(record_erasing, sender=Deal, dispatch_uid="deals.erase_ledger")
def erase_ledger(record, **_kwargs) -> None:
    """The ledger of a deal that is erased for good goes with it."""
    StageTransition.objects.erase_of(record)
