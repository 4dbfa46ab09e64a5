"""Keys follow their records, and merges end when the surviving record is erased for good."""

from django.dispatch import receiver

from counterparties.matching.models import MatchKey, MatchPair, Merge
from counterparties.matching.reading import index_many, index_record
from counterparties.matching.registry import merge_kind
from counterparties.matching.scanning import INDEX_JOB
from counterparties.matching.signals import merge_undone, records_merged
from counterparties.signals import (
    contact_changed,
    contact_created,
    contacts_written,
    counterparties_written,
    counterparty_changed,
    counterparty_created,
)
from crm.attributes.models import AttributeValue
from crm.history.signals import record_erasing, record_restored, records_deleted
from crm.jobs.services import enqueue
from crm.jobs.signals import job_ended
from crm.people.access import kind_label
from crm.people.kinds import kind_named

WRITING_MANY = {"listing.bulk_run", "listing.bulk_undo"}


@receiver(record_erasing, dispatch_uid="matching.erase_merged")
def erase_merged(record, **_kwargs) -> None:
    """What was merged into it is erased with it; its keys and pairs go too."""
    label = kind_label(type(record))
    for merge in Merge.objects.filter(kind=label, survivor_id=record.pk):
        pks = list(merge.records.filter(is_active=True).values_list("record_id", flat=True))
        AttributeValue.objects.filter(record_kind=label, record_id__in=pks).delete()
        kind_named(label).model._base_manager.filter(pk__in=pks, deleted_at__isnull=False).delete()
        merge.delete()
    MatchKey.objects.filter(kind=label, record_id=record.pk).delete()
    MatchPair.objects.filter(first_kind=label, first_id=record.pk).delete()
    MatchPair.objects.filter(second_kind=label, second_id=record.pk).delete()


@receiver([counterparty_created, counterparty_changed], dispatch_uid="matching.index_counterparty")
def index_counterparty(counterparty, **_kwargs) -> None:
    index_record(counterparty)


@receiver([contact_created, contact_changed], dispatch_uid="matching.index_contact")
def index_contact(contact, **_kwargs) -> None:
    index_record(contact)


@receiver(counterparties_written, dispatch_uid="matching.index_counterparties")
def index_counterparties(counterparties, **_kwargs) -> None:
    index_many(counterparties)


@receiver(contacts_written, dispatch_uid="matching.index_contacts")
def index_contacts(contacts, **_kwargs) -> None:
    index_many(contacts)


@receiver([records_merged, merge_undone], dispatch_uid="matching.index_merged")
def index_merged(signal, survivor, merged, **_kwargs) -> None:
    for record in [survivor, *(merged if signal is merge_undone else [])]:
        index_record(record)


@receiver(record_restored, dispatch_uid="matching.index_restored")
def index_restored(record, **_kwargs) -> None:
    if merge_kind(kind_label(type(record))):
        index_record(record)


@receiver(records_deleted, dispatch_uid="matching.forget_deleted")
def forget_deleted(sender, records, **_kwargs) -> None:
    MatchKey.objects.filter(kind=kind_label(sender), record_id__in=[one.pk for one in records]).delete()


@receiver(job_ended, dispatch_uid="matching.catch_up")
def catch_up(job, **_kwargs) -> None:
    """Bulk work writes many records in few statements and sends no signal for each."""
    if job.kind in WRITING_MANY:
        enqueue(kind=INDEX_JOB, key="catch-up", args={"minutes": 60}, by=job.by)
