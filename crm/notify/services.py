"""Telling people and their open pages that something happened."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from crm.jobs.services import enqueue
from crm.notify.browsers import browsers_by_user
from crm.notify.models import Cadence, LiveRow, Notification
from crm.notify.notices import Way, mail_is_set_up, way_of, ways_for
from crm.people.kinds import RecordKind, kind_of, visible_pairs
from crm.people.many_rows import insert_rows
from crm.people.models import User

NOTIFICATION = "notification"
MAIL_JOB, PUSH_JOB = "notify.mail", "notify.push"


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
    to hear of `kind`. Whether it stands in the page, goes by mail and is pushed is the reader's choice: see `notices`.
    """
    if user == by or not user.is_active:
        return None
    record_kind, named = _named(record)
    if record_kind and not record_kind.visible(user).filter(pk=record.pk).exists():
        return None
    way = way_of(user, kind)
    browsers = _browsers({user.pk: way})
    row = _row(user, way, browsers, kind=kind, text=text, params=params or {},
               url=url or _address(record_kind, record), actor=by, **named)  # fmt: skip
    if row is None:
        return None
    row.save()
    _ring([row], browsers)
    return row


@dataclass(frozen=True)
class Draft:
    """What one of many people is to be told about one record."""

    user: User
    record: Model
    params: dict = field(default_factory=dict)


@transaction.atomic(savepoint=False)
def notify_many(*, kind: str, text: str, drafts: list[Draft]) -> list[tuple[int, int]]:
    """`notify` for hundreds at once: a few queries and two for each reader. (user id, record id) of who may know.

    A reader who may see the record but chose to hear nothing counts as reached.
    """
    wanted: dict[User, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.user.is_active:
            wanted[draft.user].append(draft)
    ways = ways_for(wanted, kind)
    browsers = _browsers(ways)
    reached, rows = [], []
    for user, mine in wanted.items():
        seen = visible_pairs(user, {(kind_of(draft.record).label, draft.record.pk) for draft in mine})
        for draft in mine:
            record_kind, named = _named(draft.record)
            if (named["record_kind"], named["record_id"]) not in seen:
                continue
            reached.append((user.pk, draft.record.pk))
            rows.append(
                _row(user, ways[user.pk], browsers, kind=kind, text=text, params=draft.params,
                     url=_address(record_kind, draft.record), **named)
            )  # fmt: skip
    _ring(Notification.objects.bulk_create([row for row in rows if row is not None]), browsers)
    return reached


def _browsers(ways: dict[int, Way]) -> dict[int, list[int]]:
    """The browsers of those who want it pushed, by user."""
    pushed = [pk for pk, way in ways.items() if way.push]
    return browsers_by_user(pushed) if pushed else {}


def _row(user, way: Way, browsers: dict[int, list[int]], **fields) -> Notification | None:
    """The notification as this reader wants it; none where he wants to hear nothing."""
    mail = way.mail if way.mail != Cadence.NEVER and user.email and mail_is_set_up() else ""
    if not way.page and not mail and user.pk not in browsers:
        return None
    return Notification(user=user, in_page=way.page, mail=mail, **fields)


def _ring(rows: Iterable[Notification], browsers: dict[int, list[int]]) -> None:
    """Wakes the bells of the readers, and asks for the letters and the pushes that go out at once."""
    fresh = list(rows)
    bells = {row.user_id: row.user for row in fresh if row.in_page}
    if bells:
        publish(kind=NOTIFICATION, users=bells.values())
    for row in fresh:
        if row.mail == Cadence.NOW:
            enqueue(kind=MAIL_JOB, args={"user": row.user_id, "notification": row.pk})
        for browser in browsers.get(row.user_id, ()):
            args = {"notification": row.pk, "browser": browser}
            enqueue(kind=PUSH_JOB, key=f"{row.pk}:{browser}", args=args)


def _address(kind: RecordKind | None, record) -> str:
    return kind.url(record.pk) if kind else ""


@transaction.atomic(savepoint=False)
def publish(*, kind: str, record=None, users: Iterable | None = None) -> None:
    """Tells open pages, once this transaction commits, that something of `kind` changed.

    With `users` (or their ids) only they hear of it, else everybody who may see `record`; without either, everybody
    signed in.
    """
    _, named = _named(record)
    readers = [None] if users is None else [getattr(user, "pk", user) for user in users]
    told = (kind, named["record_kind"], named["record_id"], timezone.now())
    names = ("user", "kind", "record_kind", "record_id", "created_at")
    insert_rows(LiveRow, names, [(reader, *told) for reader in readers])


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
