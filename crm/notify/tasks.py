import smtplib
from datetime import timedelta

from django.core.mail import get_connection
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.jobs.registry import handler
from crm.jobs.run import JobDoubtful, JobRefused, JobRun
from crm.jobs.services import enqueue
from crm.notify.mails import due_digests, letter, message_id
from crm.notify.models import Browser, Cadence, LiveRow, Notification
from crm.notify.notices import way_of
from crm.notify.push import Gone, NotTaken, push, seconds_left
from crm.notify.reading import seen_by
from crm.notify.services import MAIL_JOB, PUSH_JOB
from crm.operations.http import AddressRefused
from crm.people.models import User

IN_A_LETTER = 100
LOST = gettext_noop("The mail server fell silent; the letter may have been sent or not")
NOT_PUBLIC = gettext_noop("The push service of the browser has an address that is not used here")
NOT_TAKEN = gettext_noop("The push service answered with status %(status)s")
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


@handler("notify.digests", every=timedelta(minutes=5))
def ask_for_digests(run: JobRun) -> dict:
    """Asks for the letters of everybody whose hour has come."""
    due = due_digests(timezone.now())
    for user, cadence in due:
        with run.slice():
            enqueue(kind=MAIL_JOB, key=f"{user}:{cadence}", args={"user": user, "cadence": cadence})
    return {"digests": len(due)}


@handler(MAIL_JOB, external=True)
def send_letter(run: JobRun) -> dict:
    """Writes one person about one notification, or about all that wait for the digest.

    What goes into the letter is settled before it is sent, so that another attempt sends the same and no other letter
    repeats it; a worker that dies in between leaves a doubtful job behind, never a second letter.
    """
    user = User.objects.filter(pk=run.args["user"], is_active=True).first()
    pks = run.checkpoint["rows"] if run.checkpoint else _take(run)
    rows = _worth_writing(user, pks) if user and user.email else []
    if not rows:
        return {"mailed": 0}
    deliver(letter(user, rows, message_id(run.job, rows)))
    return {"mailed": len(rows)}


def _take(run: JobRun) -> list[int]:
    rows = Notification.objects.filter(user_id=run.args["user"]).exclude(mail="")
    if "notification" in run.args:
        rows = rows.filter(pk=run.args["notification"])
    else:
        rows = rows.filter(mail=run.args["cadence"])
    with run.slice():
        pks = list(rows.order_by("pk").values_list("pk", flat=True)[:IN_A_LETTER])
        Notification.objects.filter(pk__in=pks).update(mail="", mailed_at=timezone.now())
        run.save(checkpoint={"rows": pks})
    return pks


def _worth_writing(user: User, pks: list[int]) -> list[Notification]:
    """Not what was read in the page meanwhile, nor what the reader may no longer see or no longer wants by mail."""
    rows = Notification.objects.filter(pk__in=pks, read_at=None).select_related("actor").order_by("pk")
    unwanted = {kind for kind in {row.kind for row in rows} if way_of(user, kind).mail == Cadence.NEVER}
    return seen_by(user, [row for row in rows if row.kind not in unwanted])


def deliver(message) -> None:
    """A refusal is an answer, and worth another attempt; silence once the talk has begun leaves doubt."""
    with get_connection() as connection:
        try:
            connection.send_messages([message])
        except smtplib.SMTPServerDisconnected as silence:
            raise JobDoubtful(LOST) from silence
        except smtplib.SMTPException:
            raise
        except OSError as silence:
            raise JobDoubtful(LOST) from silence


@handler(PUSH_JOB)
def push_to_browser(run: JobRun) -> dict:
    """Pushes one notification to one browser, if its reader still may and wants to know and has not read it.

    May be repeated after a crash: a message that arrives twice is shown once.
    """
    browser = Browser.objects.filter(pk=run.args["browser"], user__is_active=True).first()
    row = _worth_pushing(browser, run.args["notification"]) if browser else None
    seconds = seconds_left(row, timezone.now()) if row else 0
    if not (browser and row and seconds):
        return {"pushed": 0}
    try:
        push(browser, row, seconds)
    except Gone:
        with run.slice():
            Browser.objects.filter(pk=browser.pk, endpoint=browser.endpoint).delete()
        return {"pushed": 0}
    except AddressRefused:
        raise JobRefused(NOT_PUBLIC) from None
    except NotTaken as refusal:
        raise JobRefused(NOT_TAKEN, status=str(refusal)) from None
    with run.slice():
        Browser.objects.filter(pk=browser.pk).update(last_used_at=timezone.now())
    return {"pushed": 1}


def _worth_pushing(browser: Browser, pk: int) -> Notification | None:
    """Of the person whose browser it is now: another may have turned it on for himself meanwhile."""
    row = (
        Notification.objects.filter(pk=pk, user=browser.user_id, read_at=None).select_related("user").first()
    )
    if row is None or not way_of(row.user, row.kind).push or not seen_by(row.user, [row]):
        return None
    return row
