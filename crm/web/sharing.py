"""Sharing one record with a colleague: the share itself, its place in history, and telling the colleague."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_noop

from crm.history.services import record_event
from crm.notify.services import notify, publish
from crm.people import visibility
from crm.people.kinds import kind_of

TEXTS = {
    "view": gettext_noop("%(actor)s shared “%(record)s” with you: you may look at it"),
    "edit": gettext_noop("%(actor)s shared “%(record)s” with you: you may edit it"),
}


@transaction.atomic
def share_record(*, record, user, action: str = "view", by) -> bool:
    """Shares a record and says so in its history and to `user`; False when he had just that already.

    `action`: view, or edit (which includes viewing). Raises PermissionDenied unless `by` may edit the record,
    ValidationError for oneself, its owner, or somebody dismissed.
    """
    if not visibility.share(record=record, user=user, action=action, by=by):
        return False
    record_event(kind=f"shared_{action}", subject=record, by=by, payload={"user": str(user)})
    params = {"actor": str(by), "record": str(record)[:120]}
    notify(user=user, kind="record_shared", text=TEXTS[action], params=params, record=record, by=by)
    publish(kind=kind_of(record).label, record=record)
    return True


@transaction.atomic
def withdraw_share(*, record, user, by) -> bool:
    """Takes a share back; False when there was none. Raises PermissionDenied unless `by` may edit the record."""
    if not visibility.withdraw_share(record=record, user=user, by=by):
        return False
    record_event(kind="share_withdrawn", subject=record, by=by, payload={"user": str(user)})
    publish(kind=kind_of(record).label, record=record)
    return True
