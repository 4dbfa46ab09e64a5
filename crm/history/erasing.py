"""Erasing deleted records for good: an administrator's act, after a month in the bin, done by a job."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.attributes.models import AttributeValue
from crm.files.models import StoredFile
from crm.history.bin import deletable_kinds
from crm.history.models import Deletion, Event, EventLink
from crm.history.signals import record_erasing
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.people.kinds import kind_named

KEPT_FOR = timedelta(days=30)
JOB = "history.erase"
STILL_USED = gettext_noop("Other records still refer to it.")


def erasable_kinds(user) -> list[str]:
    """The kinds whose deleted records the user may erase: an administrator who may delete everybody's."""
    if not (user.is_active and user.is_staff):
        return []
    return [kind.label for kind in deletable_kinds() if user.access.scope(kind.label, "delete") == "all"]


def erasable(user, now=None) -> QuerySet[Deletion]:
    """What the user may erase now: a month in the bin or longer; what went along goes along."""
    until = (now or timezone.now()) - KEPT_FOR
    return Deletion.objects.filter(kind__in=erasable_kinds(user), deleted_at__lt=until, along_with=None)


@transaction.atomic
def erase_bin(*, by) -> Job:
    """Has all that may be erased now erased. Raises PermissionDenied."""
    if not erasable_kinds(by):
        raise PermissionDenied
    return enqueue(kind=JOB, key="bin", by=by, total=erasable(by).count())


@transaction.atomic
def erase_record(*, deletion: Deletion, by) -> bool:
    """Erases one deleted record with its history, files and followers; False when others still refer to it.

    Raises PermissionDenied before its month is over.
    """
    if not erasable(by).filter(pk=deletion.pk).exists():
        raise PermissionDenied
    try:
        with transaction.atomic():
            for row in [*deletion.followers.order_by("-id"), deletion]:
                _erase(row)
    except ProtectedError:
        Deletion.objects.filter(pk=deletion.pk).update(kept=STILL_USED)
        return False
    return True


@transaction.atomic
def erase_now(*, kind: str, record_id: int) -> None:
    """Erases what stands in the bin without waiting a month: for records nobody ever worked on.

    The caller has asked for the right. Raises ProtectedError when others still refer to it.
    """
    for deletion in Deletion.objects.filter(kind=kind, record_id=record_id):
        for row in [*deletion.followers.order_by("-id"), deletion]:
            _erase(row)


def _erase(deletion: Deletion) -> None:
    model = kind_named(deletion.kind).model
    named = {"record_kind": deletion.kind, "record_id": deletion.record_id}
    record = model._base_manager.filter(pk=deletion.record_id, deleted_at__isnull=False).first()
    if record is not None:
        record_erasing.send(model, record=record)
        AttributeValue.objects.filter(**named).delete()
        for stored in StoredFile.objects.filter(**named):
            name, storage = stored.content.name, stored.content.storage
            stored.delete()
            transaction.on_commit(lambda name=name, storage=storage: storage.delete(name))
        Event.objects.filter(subject_kind=deletion.kind, subject_id=deletion.record_id).delete()
        EventLink.objects.filter(kind=deletion.kind, record_id=deletion.record_id).delete()
        model._base_manager.filter(pk=record.pk).delete()
    deletion.delete()
