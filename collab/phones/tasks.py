"""The jobs of guests: looking for what changed, and one letter each."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_noop

from collab.phones import guest_mails, guests
from collab.phones.guest_models import Guest
from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun
from crm.notify.tasks import deliver
from crm.operations.reach import may_be_reached

ROUND = "collab_phones.guests"
IN_A_SLICE = 100


@handler(ROUND, every=timedelta(minutes=1))
def tell_guests(run: JobRun) -> dict:
    """Whoever is invited hears of another time or place, and that something does not take place."""
    told, found = 0, IN_A_SLICE
    with run.slice():
        guests.stand_alone()
    while found == IN_A_SLICE:
        with run.slice():
            rows = guests.changed_guests(IN_A_SLICE)
            found = len(rows)
            told += sum(guests.tell_of_change(guest) for guest in rows)
    return {"told": told}


@handler(guests.MAIL_JOB, external=True)
def send_invitation(run: JobRun) -> dict:
    """One letter to one guest; what a later one says already is not sent."""
    rows = Guest.objects.select_related("letter__activity__owner", "letter__by")
    guest = rows.filter(
        pk=run.args["guest"], sequence=run.args["sequence"], state=Guest.State.WAITING
    ).first()
    if guest is None:
        return {"mailed": 0}
    if not may_be_reached("email", guest.email):
        raise JobRefused(gettext_noop("Somebody it goes to does not wish to get e-mails any more."))
    deliver(guest_mails.message_of(guest, run.args["method"], str(run.job.uid)))
    with run.slice():
        Guest.objects.filter(pk=guest.pk, sequence=guest.sequence).update(state=Guest.State.SENT)
    return {"mailed": 1}
