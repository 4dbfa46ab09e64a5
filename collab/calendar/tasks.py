"""The calendar's jobs."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from collab.calendar import letters, morning, occurrences, reminders
from collab.calendar.models import Activity, Letter, ReminderChoice
from crm.jobs.registry import handler
from crm.jobs.run import JobRefused, JobRun
from crm.jobs.services import enqueue
from crm.jobs.worker import PERIODIC
from crm.notify.mails import mail_host
from crm.notify.tasks import deliver
from crm.operations.reach import may_be_reached
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


@handler("collab_calendar.repeat", every=timedelta(hours=6))
def top_up(run: JobRun) -> dict:
    """Makes the activities of what repeats, so that about a year of them stands."""
    now, made = timezone.now(), 0
    for series in list(occurrences.to_fill(now).select_related("owner")):
        with run.slice():
            made += len(occurrences.fill(series, now))
    return {"made": made}


@handler(MORNING, external=True)
def send_morning(run: JobRun) -> dict:
    """One person's day, as it stands when the letter is written; nothing to somebody with an empty day."""
    user = User.objects.filter(pk=run.args["user"], is_active=True).exclude(email="").first()
    letter = user and morning.morning_letter(user, timezone.now(), f"<{run.job.uid}@{mail_host()}>")
    if not letter:
        return {"mailed": 0}
    deliver(letter)
    return {"mailed": 1}


@handler(letters.JOB, external=True)
def send_letter(run: JobRun) -> dict:
    """Hands one letter over to the mail server and completes its activity; once, or a person is asked."""
    letter = Letter.objects.select_related("activity", "by").get(pk=run.args["letter"])
    if letter.state != Letter.State.WAITING:
        return {"mailed": 0}
    if not Activity.objects.visible_to(letter.by, "edit").open().filter(pk=letter.activity_id).exists():
        raise JobRefused(
            gettext_noop("The activity is closed, or whoever wrote the letter may not change it any more.")
        )
    if not all(may_be_reached("email", address) for address in letter.to):
        raise JobRefused(gettext_noop("Somebody it goes to does not wish to get e-mails any more."))
    deliver(letters.message_of(letter, str(run.job.uid)))
    with run.slice():
        letters.mark_sent(letter)
    return {"mailed": len(letter.to)}
