"""What becomes of merges when the surviving record is erased for good."""

from django.dispatch import receiver

from counterparties.matching.models import MatchKey, MatchPair, Merge
from crm.attributes.models import AttributeValue
from crm.history.signals import record_erasing
from crm.people.access import kind_label
from crm.people.kinds import kind_named


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
