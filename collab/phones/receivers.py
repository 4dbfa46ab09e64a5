"""What becomes of guests when their activity is moved or called off, and when a letter was not sent."""

from django.dispatch import receiver

from collab.calendar.signals import activity_cancelled, activity_rescheduled
from collab.phones import guests
from collab.phones.guest_models import Guest
from collab.phones.tasks import ROUND
from counterparties.models import Contact
from crm.history.signals import record_erasing
from crm.jobs.services import enqueue
from crm.jobs.signals import job_ended
from crm.jobs.worker import PERIODIC


@receiver([activity_rescheduled, activity_cancelled], dispatch_uid="collab_phones.tell_guests")
def tell_guests(sender, activity, by, **kwargs) -> None:
    """At once; other changes are found by the round of every minute."""
    if Guest.objects.filter(letter__activity=activity, withdrawn_at=None).exists():
        enqueue(kind=ROUND, key=PERIODIC)


@receiver(record_erasing, sender=Contact, dispatch_uid="collab_phones.forget_guest")
def forget_guest(record, **kwargs) -> None:
    """An erased contact leaves no address among the guests."""
    addresses = {row["email"] for row in record.emails} | {record.email} - {""}
    Guest.objects.filter(email__in=addresses).delete()


@receiver(job_ended, dispatch_uid="collab_phones.follow_invitation")
def follow_invitation(sender, job, **kwargs) -> None:
    if job.kind == guests.MAIL_JOB:
        guests.follow_job(job)
