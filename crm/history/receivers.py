"""Facts of lower rooms that belong on a card's history."""

from __future__ import annotations

from django.dispatch import receiver

from crm.attributes.signals import values_lost
from crm.history.services import FieldChange, record_events


@receiver(values_lost, dispatch_uid="history.values_lost")
def keep_lost_values(sender, attribute, lost, by, **kwargs) -> None:
    """A value that did not survive its attribute's change of kind can still be read on the card."""
    changes = {
        record.pk: [FieldChange(attribute.field_name, attribute.name, old, None, text, "")]
        for record, old, text in lost
    }
    subjects = [record for record, _old, _text in lost]
    record_events(
        kind="attribute_value_lost",
        subjects=subjects,
        by=by,
        changes=changes,
        payload={"attribute": {"name": attribute.name, "name_pl": attribute.name_pl}},
    )
