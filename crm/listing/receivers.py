"""When the job of an import ends badly, so does the import; what is erased loses its tags."""

from django.dispatch import receiver
from django.utils import timezone

from crm.history.signals import record_erasing
from crm.jobs.models import Job
from crm.jobs.signals import job_ended
from crm.listing.imports.services import count_rows
from crm.listing.models import Import, Tagging
from crm.people.access import kind_label

PREFIX = "listing.import_"


@receiver(job_ended, dispatch_uid="listing.follow_job")
def follow_job(sender, *, job: Job, **kwargs) -> None:
    """Notes on the import that its job failed or was cancelled. A cancelled check can be started again."""
    if not job.kind.startswith(PREFIX) or job.status == Job.Status.DONE:
        return
    working = Import.objects.filter(pk=job.arguments.get("run"), status__in=Import.WORKING)
    for run in working:
        if job.status == Job.Status.CANCELLED and run.status == Import.Status.CHECKING:
            run.status = Import.Status.UPLOADED
        else:
            cancelled = job.status == Job.Status.CANCELLED
            run.status = Import.Status.CANCELLED if cancelled else Import.Status.FAILED
            run.finished_at = timezone.now()
        run.counts = count_rows(run)
        run.save(update_fields=["status", "finished_at", "counts"])


@receiver(record_erasing, dispatch_uid="listing.erase_tags")
def erase_tags(sender, *, record, **kwargs) -> None:
    """An erased record leaves no tag behind."""
    Tagging.objects.filter(record_kind=kind_label(type(record)), record_id=record.pk).delete()
