"""Starting processes outside the gates of stages."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from bpm import gates
from bpm.effects import PRIORITY
from bpm.models import ProcessDefinition, ProcessInstance
from crm.jobs.services import enqueue
from crm.people.access import kind_label
from crm.people.visibility import may


@transaction.atomic
def start_run(
    *, definition: ProcessDefinition, record, by, start_key: str | None = None, variables: dict | None = None
) -> ProcessInstance:
    """Starts a process on a card; its first step is taken by a worker. With a `start_key` at most once.

    Raises PermissionDenied when `by` may not view the card, ValidationError when the process does not run on it.
    """
    if not may(by, "view", record):
        raise PermissionDenied
    version = definition.published() if definition.is_active else None
    if version is None or definition.record_kind != kind_label(type(record)):
        raise ValidationError(_("This process cannot be started here."))
    fields = {
        "version": version, "record_kind": definition.record_kind, "record_id": record.pk, "started_by": by,
        "variables": variables or {},
    }  # fmt: skip
    if start_key is None:
        instance, is_new = ProcessInstance.objects.create(**fields), True
    else:
        instance, is_new = ProcessInstance.objects.get_or_create(start_key=start_key[:120], defaults=fields)
    if is_new:
        enqueue(kind=gates.START, key=str(instance.pk), args={"instance": instance.pk}, priority=PRIORITY)
    return instance
