from datetime import timedelta

from django.utils import timezone

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.notify.models import LiveRow, Notification

LIVE_KEPT = timedelta(hours=1)
READ_KEPT = timedelta(days=180)


@handler("notify.purge", every=timedelta(minutes=30))
def purge(run: JobRun) -> dict:
    """Forgets live rows after an hour, and notifications that were read half a year ago."""
    now, counts = timezone.now(), {}
    stale = {
        "live": LiveRow.objects.filter(created_at__lt=now - LIVE_KEPT),
        "read": Notification.objects.filter(read_at__isnull=False, created_at__lt=now - READ_KEPT),
    }
    for name, rows in stale.items():
        counts[name] = 0
        while pks := list(rows.order_by("created_at").values_list("pk", flat=True)[:1000]):
            with run.slice():
                counts[name] += rows.model.objects.filter(pk__in=pks).delete()[0]
    return counts
