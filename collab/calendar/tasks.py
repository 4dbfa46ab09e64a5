"""The calendar's jobs."""

from datetime import timedelta

from django.utils import timezone

from collab.calendar import morning, reminders
from collab.calendar.models import ReminderChoice
from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from crm.jobs.services import enqueue
from crm.jobs.worker import PERIODIC
from crm.notify.mails import mail_host
from crm.notify.tasks import deliver
from crm.people.models import User

IN_A_SLICE = 500
MORNING = "collab_calendar.morning"


@handler(reminders.JOB, every=reminders.ROUND)
def remind(run: JobRun) -> dict:
    """Fires what is due, and asks to come again when the next reminder of the coming minute is."""
    told, count = 0, IN_A_SLICE
    while count == IN_A_SLICE:
        with run.slice():
            now = timezone.now()
            rows = list(reminders.due(now).select_related("activity", "activity__owner", "user")[:IN_A_SLICE])
            told, count = told + reminders.fire(rows, now), len(rows)
    if following := reminders.next_due(timezone.now()):
        with run.slice():
            enqueue(kind=reminders.JOB, key=PERIODIC, run_at=following)
    return {"told": told}


@handler("collab_calendar.mornings", every=timedelta(minutes=5))
def ask_for_mornings(run: JobRun) -> dict:
    """Asks for the letters of everybody whose working day begins."""
    due = morning.due_letters(timezone.now())
    for choice, day in due:
        with run.slice():
            ReminderChoice.objects.filter(pk=choice.pk).update(letter_sent_on=day)
            enqueue(kind=MORNING, key=f"{choice.user_id}:{day}", args={"user": choice.user_id})
    return {"letters": len(due)}


@handler(MORNING, external=True)
def send_morning(run: JobRun) -> dict:
    """One person's day, as it stands when the letter is written; nothing to somebody with an empty day."""
    user = User.objects.filter(pk=run.args["user"], is_active=True).exclude(email="").first()
    letter = user and morning.morning_letter(user, timezone.now(), f"<{run.job.uid}@{mail_host()}>")
    if not letter:
        return {"mailed": 0}
    deliver(letter)
    return {"mailed": 1}
