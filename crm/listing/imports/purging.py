"""What imports leave behind, and when it goes: files with people's data are not kept for ever."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.jobs.run import JobRun
from crm.listing.models import Import

# A file nobody went on with; and, for a report and an undo, one that was imported.
UNFINISHED = timedelta(days=14)
FINISHED = timedelta(days=90)
ROWS = 2_000


def expired_imports() -> QuerySet[Import]:
    """Imports whose file and rows are to go. A working one is left alone."""
    now = timezone.now()
    old = Q(finished_at__lt=now - FINISHED)
    idle = Q(finished_at=None, created_at__lt=now - UNFINISHED)
    return (
        Import.objects.filter(old | idle, expired_at=None).exclude(status__in=Import.WORKING).order_by("pk")
    )


def forget_rows(run: JobRun, found: Import) -> bool:
    """Removes some rows in a slice of its own; whether there were any."""
    pks = list(found.rows.values_list("pk", flat=True)[:ROWS])
    if pks:
        with run.slice():
            found.rows.filter(pk__in=pks).delete()
    return bool(pks)


def expire(found: Import) -> None:
    """The import stays on record with its counts; its file and its texts do not."""
    now = timezone.now()
    if not found.is_ended:
        found.status, found.finished_at = Import.Status.CANCELLED, now
    found.head, found.corrections, found.unknown, found.expired_at = [], {}, {}, now
    found.save()
    found.file.content.delete(save=False)
