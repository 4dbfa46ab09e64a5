"""Inviting guests from outside: who may be, what they are told when something changes, and their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from collab.calendar.letters import Addressee
from collab.calendar.models import Activity
from collab.calendar.services import LIVE, ActivityClosed
from collab.phones.guest_models import Answer, Guest, GuestLetter, seal_of
from crm.history.services import record_event
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.notify.notices import mail_is_set_up
from crm.notify.services import notify, publish
from crm.operations.reach import may_be_reached
from crm.people.visibility import demand

MAIL_JOB = "collab_phones.guest_mail"
ANSWERED = "collab_phones.guest_answered"
INVITED = "guests_invited"
MOST = 30
ANSWERS = {
    Answer.ACCEPTED: gettext_noop("%(who)s comes: %(what)s"),
    Answer.TENTATIVE: gettext_noop("%(who)s perhaps comes: %(what)s"),
    Answer.DECLINED: gettext_noop("%(who)s does not come: %(what)s"),
}


def guests_of(activity: Activity):
    """Who is invited, in the order of the invitations."""
    return Guest.objects.filter(letter__activity=activity, withdrawn_at=None)


@transaction.atomic
def invite_guests(
    *,
    activity: Activity,
    addresses: Iterable[str],
    known: Iterable[Addressee],
    title: str,
    text: str,
    language: str,
    by,
) -> list[Guest]:
    """Each of the addresses gets an invitation as a job, and from now on every change of time and place.

    `known`: addresses with the names they belong to. Raises ActivityClosed, PermissionDenied, ValidationError: no mail
    server, a wrong address, somebody who does not wish to get e-mails, somebody invited already, a meeting in the past.
    """
    demand(by, "edit", activity)
    if not Activity.objects.open().select_for_update().filter(pk=activity.pk).exists():
        raise ActivityClosed(_("This is already done or cancelled."))
    if (activity.ends_at or activity.starts_at) <= timezone.now():
        raise ValidationError(_("Its time has passed."))
    if not mail_is_set_up():
        raise ValidationError(_("No mail server is set up yet. An administrator sets it with EMAIL_URL."))
    wanted = _checked(activity, addresses)
    letter, _is_new = GuestLetter.objects.update_or_create(
        activity=activity,
        defaults={"title": " ".join(title.split()), "text": text, "language": language, "by": by},
    )
    letter.full_clean(exclude=["activity", "by"])
    names = {one.address.lower(): one.name for one in known}
    found = []
    for address in wanted:
        guest = Guest(letter=letter, email=address, name=names.get(address.lower(), "")[:200])
        guest.told, guest.seen_version = told_of(activity), activity.version
        guest.save()
        _send(guest, "REQUEST", by)
        found.append(guest)
    stand_alone()
    record_event(
        kind=INVITED, subject=activity, by=by, cards=activity.cards(),
        payload={"names": ", ".join(str(guest) for guest in found)},
    )  # fmt: skip
    publish(kind=LIVE, record=activity)
    return found


def stand_alone() -> None:
    """What guests are invited to follows no series: it is not moved or dropped with the others, unknown to them."""
    invited = Guest.objects.filter(withdrawn_at=None).values("letter__activity_id")
    Activity.objects.filter(pk__in=invited, series__isnull=False, is_detached=False).update(is_detached=True)


def _checked(activity: Activity, addresses: Iterable[str]) -> list[str]:
    wanted = list({one.lower(): one for one in (each.strip() for each in addresses) if one}.values())
    invited = {guest.email.lower() for guest in guests_of(activity)}
    if not wanted:
        raise ValidationError(_("Say who is invited."))
    if len(wanted) + len(invited) > MOST:
        raise ValidationError(_("At most %(count)s addresses.") % {"count": MOST})
    for address in wanted:
        values = {"address": address[:100]}
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(_("“%(address)s” is no e-mail address.") % values)
        if address.lower() in invited:
            raise ValidationError(_("%(address)s is invited already.") % values)
        if not may_be_reached("email", address):
            raise ValidationError(
                _("%(address)s belongs to somebody who does not wish to get e-mails.") % values
            )
    return wanted


@transaction.atomic
def withdraw_guest(*, guest: Guest, by) -> None:
    """The guest is told that he is not expected any more. Raises PermissionDenied."""
    demand(by, "edit", guest.letter.activity)
    _withdraw(guest, by)
    publish(kind=LIVE, record=guest.letter.activity)


@transaction.atomic
def send_again(*, guest: Guest, by) -> None:
    """Another letter, where the last was not sent or nobody knows. Raises PermissionDenied, ValidationError."""
    demand(by, "edit", guest.letter.activity)
    again = Guest.objects.filter(pk=guest.pk, withdrawn_at=None, state__in=["failed", "doubtful"])
    if not again.update(sequence=F("sequence") + 1, state=Guest.State.WAITING):
        raise ValidationError(_("This letter is on its way already."))
    guest.refresh_from_db()
    _send(guest, "REQUEST", by)
    publish(kind=LIVE, record=guest.letter.activity)


def _withdraw(guest: Guest, by) -> None:
    gone = Guest.objects.filter(pk=guest.pk, withdrawn_at=None)
    if gone.update(withdrawn_at=timezone.now(), sequence=F("sequence") + 1, state=Guest.State.WAITING):
        guest.refresh_from_db()
        _send(guest, "CANCEL", by)


def _send(guest: Guest, method: str, by) -> None:
    args = {"guest": guest.pk, "sequence": guest.sequence, "method": method}
    enqueue(kind=MAIL_JOB, key=f"{guest.pk}:{guest.sequence}", args=args, by=by)


def told_of(activity: Activity) -> str:
    """A fingerprint of what guests are told of it."""
    told = (activity.starts_at, activity.ends_at, activity.all_day, activity.place)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:40]


def changed_guests(limit: int) -> list[Guest]:
    """Those whose activity was changed since it was looked at for them."""
    rows = Guest.objects.filter(withdrawn_at=None).exclude(seen_version=F("letter__activity__version"))
    return list(rows.select_related("letter__activity", "letter__by").order_by("pk")[:limit])


@transaction.atomic(savepoint=False)
def tell_of_change(guest: Guest) -> bool:
    """An update where time or place differ from what he was told, a cancellation where it does not take place."""
    activity, now = guest.letter.activity, timezone.now()
    is_over = activity.done_at is not None or (activity.ends_at or activity.starts_at) <= now
    Guest.objects.filter(pk=guest.pk).update(seen_version=activity.version)
    if (activity.cancelled_at or activity.deleted_at) and not is_over:
        _withdraw(guest, guest.letter.by)
        return True
    told = told_of(activity)
    if is_over or told == guest.told:
        return False
    Guest.objects.filter(pk=guest.pk).update(
        told=told, sequence=F("sequence") + 1, state=Guest.State.WAITING, answer=Answer.NONE, answered_at=None
    )
    guest.refresh_from_db()
    _send(guest, "REQUEST", guest.letter.by)
    publish(kind=LIVE, record=activity)
    return True


def guest_of(token: str) -> Guest | None:
    """The guest whose link it is; None for a wrong one."""
    number, _dash, seal = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    found = Guest.objects.select_related("letter__activity", "letter__by").filter(pk=int(number)).first()
    return found if found and constant_time_compare(seal, seal_of(found)) else None


def may_answer(guest: Guest) -> bool:
    """Whether the meeting is still to come and he is expected."""
    activity = guest.letter.activity
    is_coming = activity.is_open and activity.deleted_at is None
    return (
        guest.withdrawn_at is None and is_coming and (activity.ends_at or activity.starts_at) > timezone.now()
    )


@transaction.atomic
def take_answer(*, guest: Guest, given: str) -> None:
    """The guest comes, perhaps comes or does not; whoever invited him and whose calendar it is hear of it.

    Raises ValidationError when there is nothing to answer any more.
    """
    if given not in ANSWERS or not may_answer(guest):
        raise ValidationError(_("There is nothing to answer any more."))
    changed = Guest.objects.filter(pk=guest.pk, withdrawn_at=None).exclude(answer=given)
    if not changed.update(answer=given, answered_at=timezone.now()):
        return
    guest.answer = given
    activity = guest.letter.activity
    for person in {guest.letter.by, activity.owner}:
        params = {"who": str(guest), "what": activity.subject}
        notify(user=person, kind=ANSWERED, text=ANSWERS[Answer(given)], params=params, record=activity)
    publish(kind=LIVE, record=activity)


@transaction.atomic(savepoint=False)
def follow_job(job: Job) -> None:
    """A letter that could not be sent says so beside its guest."""
    states = {
        Job.Status.FAILED: Guest.State.FAILED,
        Job.Status.CANCELLED: Guest.State.FAILED,
        Job.Status.DOUBTFUL: Guest.State.DOUBTFUL,
    }
    rows = Guest.objects.filter(
        pk=job.arguments["guest"], sequence=job.arguments["sequence"], state=Guest.State.WAITING
    )
    if job.status in states and rows.update(state=states[job.status]):
        guest = Guest.objects.select_related("letter__activity").get(pk=job.arguments["guest"])
        publish(kind=LIVE, record=guest.letter.activity)
