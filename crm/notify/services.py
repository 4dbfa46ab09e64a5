"""Telling people and their open pages that something happened."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from crm.notify.models import LiveRow, Notification
from crm.people.kinds import RecordKind, kind_of

NOTIFICATION = "notification"


def _named(record) -> tuple[RecordKind | None, dict]:
    """The record as rows store it. Raises KeyError for a model that no area registered as a kind."""
    if record is None:
        return None, {"record_kind": "", "record_id": None}
    kind = kind_of(record)
    return kind, {"record_kind": kind.label, "record_id": record.pk}


@transaction.atomic
def notify(
    *, user, kind: str, text: str, params: dict | None = None, url: str = "", record=None, by=None
) -> Notification | None:
    """Leaves `user` a notification and wakes his bell.

    `text` is an English msgid marked with `gettext_noop`, filled with `params` when it is read. Nothing is left for
    the one who acted (`by`), for people who no longer work here, or for those who may not see `record`.
    """
    if user == by or not user.is_active:
        return None
    record_kind, named = _named(record)
    if record_kind and not record_kind.visible(user).filter(pk=record.pk).exists():
        return None
    row = Notification.objects.create(
        user=user,
        kind=kind,
        text=text,
        params=params or {},
        url=url or _address(record_kind, record),
        actor=by,
        **named,
    )
    publish(kind=NOTIFICATION, users=[user])
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
