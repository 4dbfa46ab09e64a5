"""Letters by e-mail: to whom one may write, sending as a job, and what becomes of the activity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from collab.calendar.letter_models import Letter
from collab.calendar.models import CARDS, Activity, ActivityKind
from collab.calendar.services import ActivityClosed, complete_activity
from counterparties.models import Contact
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.notify.mails import mail_host
from crm.notify.notices import mail_is_set_up
from crm.notify.services import publish
from crm.operations.reach import may_be_reached
from crm.people.fields import mask
from crm.people.visibility import demand

JOB = "collab_calendar.letter"
MOST = 20
LONGEST = 20_000


@dataclass(frozen=True)
class Addressee:
    """An address of somebody the letter may concern; `refuses`: he does not wish to get e-mails."""

    name: str
    address: str
    refuses: bool


def addressees(activity: Activity, user) -> list[Addressee]:
    """The addresses `user` may see of those who take part, then of the cards, each once."""
    people = Contact.objects.visible_to(user).filter(participations__activity=activity)
    records: list = [*people.distinct()]
    for name in ("contact", "lead", "counterparty"):
        pk = getattr(activity, f"{name}_id")
        records += CARDS[name].objects.visible_to(user).filter(pk=pk) if pk else []
    mask(user, records)
    found = {}
    for record in records:
        rows = getattr(record, "emails", None) or [{"email": record.email}]
        for address in (row["email"] for row in rows if row["email"]):
            found.setdefault(
                address.lower(), Addressee(str(record), address, not may_be_reached("email", address))
            )
    return list(found.values())


@transaction.atomic
def send_letter(*, activity: Activity, to: Iterable[str], subject: str, text: str, by) -> Letter:
    """The letter goes out as a job; the activity is done once it has been handed over.

    Raises ActivityClosed, PermissionDenied, ValidationError: no mail server, a wrong address, somebody who does not
    wish to get e-mails, a letter that is on its way already.
    """
    demand(by, "edit", activity)
    if activity.kind != ActivityKind.LETTER:
        raise ValidationError(_("Only letters are sent by e-mail."))
    if not Activity.objects.open().select_for_update().filter(pk=activity.pk).exists():
        raise ActivityClosed(_("This is already done or cancelled."))
    if not mail_is_set_up():
        raise ValidationError(_("No mail server is set up yet. An administrator sets it with EMAIL_URL."))
    letter = Letter(activity=activity, to=_checked(to), subject=" ".join(subject.split()), text=text, by=by)
    if on_its_way(activity):
        raise ValidationError(_("This letter is on its way already."))
    letter.full_clean()
    letter.save()
    enqueue(kind=JOB, key=str(letter.pk), args={"letter": letter.pk}, by=by)
    return letter


def on_its_way(activity: Activity) -> Letter | None:
    """The letter of the activity that is being sent, was sent or may have been."""
    return activity.letters.exclude(state=Letter.State.FAILED).first()


def _checked(to: Iterable[str]) -> list[str]:
    addresses = list(
        {address.lower(): address for address in (each.strip() for each in to) if address}.values()
    )
    if not addresses:
        raise ValidationError({"to": _("Say to whom the letter goes.")})
    if len(addresses) > MOST:
        raise ValidationError({"to": _("At most %(count)s addresses.") % {"count": MOST}})
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                {"to": _("“%(address)s” is no e-mail address.") % {"address": address[:100]}}
            )
        if not may_be_reached("email", address):
            raise ValidationError(
                {"to": _("%(address)s belongs to somebody who does not wish to get e-mails.") % {"address": address}}
            )  # fmt: skip
    return addresses


def message_of(letter: Letter, key: str) -> EmailMessage:
    """The letter as it leaves: from our address in the name of whoever wrote it, answers go to him."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return EmailMessage(
        subject=letter.subject,
        body=letter.text,
        from_email=formataddr((letter.by.get_full_name() or letter.by.username, sender)),
        to=letter.to,
        reply_to=[letter.by.email] if letter.by.email else None,
        headers={"Message-ID": f"<{key}@{mail_host()}>"},
    )


@transaction.atomic(savepoint=False)
def mark_sent(letter: Letter) -> None:
    """It has been handed over: the activity is done, its result is what was written."""
    moved = Letter.objects.filter(pk=letter.pk).exclude(state=Letter.State.SENT)
    if not moved.update(state=Letter.State.SENT, sent_at=timezone.now()):
        return
    with override(letter.by.language):
        head = _("Sent to %(addresses)s") % {"addresses": ", ".join(letter.to)}
    result = f"{head}\n{letter.subject}\n\n{letter.text}"
    activity = Activity.objects.filter(pk=letter.activity_id).first()
    if activity is not None and activity.is_open:
        complete_activity(activity=activity, result=result, by=letter.by)


@transaction.atomic(savepoint=False)
def follow_job(job: Job) -> None:
    """A job that gave up leaves a letter that may be sent again; one nobody knows of leaves a doubtful one."""
    states = {
        Job.Status.FAILED: Letter.State.FAILED,
        Job.Status.CANCELLED: Letter.State.FAILED,
        Job.Status.DOUBTFUL: Letter.State.DOUBTFUL,
    }
    rows = Letter.objects.filter(pk=job.arguments["letter"], state=Letter.State.WAITING)
    if job.status in states and rows.update(state=states[job.status]):
        letter = rows.model.objects.select_related("activity").get(pk=job.arguments["letter"])
        publish(kind="collab_calendar.activity", record=letter.activity)


@transaction.atomic
def settle(*, letter: Letter, was_sent: bool, by) -> None:
    """A person knows what became of a doubtful letter. Raises PermissionDenied, ValidationError."""
    demand(by, "edit", letter.activity)
    if not Letter.objects.filter(pk=letter.pk, state=Letter.State.DOUBTFUL).exists():
        raise ValidationError(_("What became of this letter is known already."))
    if was_sent:
        mark_sent(letter)
    else:
        Letter.objects.filter(pk=letter.pk).update(state=Letter.State.FAILED)
