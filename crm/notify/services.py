"""Telling people and their open pages that something happened."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from crm.jobs.services import enqueue
from crm.notify.models import Cadence, LiveRow, Notification
from crm.notify.notices import mail_is_set_up, way_of
from crm.people.kinds import RecordKind, kind_of

NOTIFICATION = "notification"
MAIL_JOB = "notify.mail"


def _named(record) -> tuple[RecordKind | None, dict]:
    """The record as rows store it. Raises KeyError for a model that no area registered as a kind."""
    if record is None:
        return None, {"record_kind": "", "record_id": None}
    kind = kind_of(record)
    return kind, {"record_kind": kind.label, "record_id": record.pk}


@transaction.atomic(savepoint=False)
def notify(
    *, user, kind: str, text: str, params: dict | None = None, url: str = "", record=None, by=None
) -> Notification | None:
    """Leaves `user` a notification and wakes his bell.

    `text` is an English msgid marked with `gettext_noop`, filled with `params` when it is read. Nothing is left for
    the one who acted (`by`), for people who no longer work here, for those who may not see `record`, or who chose not
    to hear of `kind`. Whether it stands in the page and goes by mail is the reader's choice: see `notices`.
    """
    if user == by or not user.is_active:
        return None
    record_kind, named = _named(record)
    if record_kind and not record_kind.visible(user).filter(pk=record.pk).exists():
        return None
    way = way_of(user, kind)
    mail = way.mail if way.mail != Cadence.NEVER and user.email and mail_is_set_up() else ""
    if not way.page and not mail:
        return None
    row = Notification.objects.create(
        user=user,
        kind=kind,
        text=text,
        params=params or {},
        url=url or _address(record_kind, record),
        actor=by,
        in_page=way.page,
        mail=mail,
        **named,
    )
    if way.page:
        publish(kind=NOTIFICATION, users=[user])
    if mail == Cadence.NOW:
        enqueue(kind=MAIL_JOB, args={"user": user.pk, "notification": row.pk})
    return row


def _address(kind: RecordKind | None, record) -> str:
    return kind.url(record.pk) if kind else ""


@transaction.atomic(savepoint=False)
def publish(*, kind: str, record=None, users: Iterable | None = None) -> None:
    """Tells open pages, once this transaction commits, that something of `kind` changed.

    With `users` only they hear of it, else everybody who may see `record`; without either, everybody signed in.
    """
    _, named = _named(record)
    readers = [None] if users is None else list(users)
    LiveRow.objects.bulk_create(LiveRow(user=reader, kind=kind, **named) for reader in readers)


@transaction.atomic
def mark_read(*, user, pks: Iterable[int] | None = None) -> int:
    """Marks these notifications of `user` as read, or all of them. How many were unread."""
    unread = Notification.objects.filter(user=user, read_at=None)
    if pks is not None:
        unread = unread.filter(pk__in=pks)
    count = unread.update(read_at=timezone.now())
    if count:
        publish(kind=NOTIFICATION, users=[user])
    return count
