"""Reactions of leads: what the recycle bin does to what they became; scores and duplicate keys after every change."""

from django.dispatch import receiver

from counterparties.matching.reading import index_record
from counterparties.models import Contact
from crm.history.signals import record_erasing
from deals.models import Deal
from leads.models import Lead
from leads.scoring import watch_scores
from leads.signals import lead_changed, lead_created, lead_status_changed


@receiver(record_erasing, sender=Deal, dispatch_uid="leads.let_go_of_deal")
def let_go_of_deal(record, **_kwargs) -> None:
    """A converted lead keeps its counterparty; that one cannot be erased before the lead."""
    Lead.objects.filter(deal=record).update(deal=None)


@receiver(record_erasing, sender=Contact, dispatch_uid="leads.let_go_of_contact")
def let_go_of_contact(record, **_kwargs) -> None:
    Lead.objects.filter(contact=record).update(contact=None)


@receiver([lead_created, lead_changed], dispatch_uid="leads.index_for_duplicates")
def index_for_duplicates(lead, **_kwargs) -> None:
    index_record(lead)


@receiver([lead_created, lead_changed, lead_status_changed], dispatch_uid="leads.score_again")
def score_again(lead, **_kwargs) -> None:
    watch_scores(f"lead:{lead.pk}", lead=lead.pk)
