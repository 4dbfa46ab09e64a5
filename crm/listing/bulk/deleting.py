"""Putting a record away and bringing it back."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.attributes.models import AttributeValue
from crm.attributes.services import attributes_of, demand_unique, write_derived
from crm.history.models import Event
from crm.history.services import record_event
from crm.notify.services import publish
from crm.people.access import kind_label
from crm.people.visibility import OwnedRecord, demand

STILL_NEEDED = gettext_noop("Other records still hang on it.")
STANDS_AGAIN = gettext_noop("It is not deleted any more.")


def _is_needed(record: OwnedRecord) -> bool:
    """Whether a living record points here and must not lose it."""
    for relation in record._meta.related_objects:
        model = relation.related_model
        if relation.on_delete is not models.PROTECT or not issubclass(model, OwnedRecord):
            continue
        if model._base_manager.filter(**{relation.field.name: record.pk, "deleted_at": None}).exists():
            return True
    return False


@transaction.atomic
def put_away(*, record: OwnedRecord, by) -> Event:
    """Deletes a record softly. Raises PermissionDenied, and ValidationError while living records hang on it."""
    demand(by, "delete", record)
    if _is_needed(record):
        raise ValidationError(STILL_NEEDED)
    model, now = type(record), timezone.now()
    model._base_manager.filter(pk=record.pk, deleted_at=None).update(
        deleted_at=now, updated_at=now, version=F("version") + 1
    )
    # An indexed value would keep a unique one taken.
    AttributeValue.objects.filter(record_kind=kind_label(model), record_id=record.pk).delete()
    record.refresh_from_db()
    publish(kind=kind_label(model), record=record)
    return record_event(kind="record_deleted", subject=record, by=by, version=record.version)


@transaction.atomic
def bring_back(*, model: type[OwnedRecord], pk: int, by) -> Event:
    """Takes the deletion back. Raises PermissionDenied, and ValidationError for a record that stands already."""
    record = model._base_manager.filter(pk=pk).exclude(deleted_at=None).first()
    if record is None:
        raise ValidationError(STANDS_AGAIN)
    attributes = attributes_of(record.get_attribute_set_id())
    demand_unique(record, attributes, record.attributes)
    model._base_manager.filter(pk=pk).update(
        deleted_at=None, updated_at=timezone.now(), version=F("version") + 1
    )
    record.refresh_from_db()
    demand(by, "delete", record)
    write_derived(record, attributes)
    publish(kind=kind_label(model), record=record)
    return record_event(kind="record_restored", subject=record, by=by, version=record.version)
