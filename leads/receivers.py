"""Reactions of leads to the ground: what the recycle bin does to what they became."""

from django.dispatch import receiver

from counterparties.models import Contact
from crm.history.signals import record_erasing
from deals.models import Deal
from leads.models import Lead


@receiver(record_erasing, sender=Deal, dispatch_uid="leads.let_go_of_deal")
def let_go_of_deal(record, **_kwargs) -> None:
    """A converted lead keeps its counterparty; that one cannot be erased before the lead."""
    Lead.objects.filter(deal=record).update(deal=None)


@receiver(record_erasing, sender=Contact, dispatch_uid="leads.let_go_of_contact")
def let_go_of_contact(record, **_kwargs) -> None:
    Lead.objects.filter(contact=record).update(contact=None)
