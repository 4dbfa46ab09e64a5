"""Reactions to history: people named in a note are told, and what is erased leaves no notification behind."""

from django.dispatch import receiver
from django.utils.translation import gettext_noop

from crm.history.signals import people_mentioned, record_erasing
from crm.notify.models import Notification
from crm.notify.services import notify

SHOWN = 120


@receiver(people_mentioned, dispatch_uid="notify.tell_mentioned")
def tell_mentioned(comment, record, people, by, **_kwargs) -> None:
    """`notify` asks once more whether each of them may see the card."""
    words = " ".join(comment.text.split())
    excerpt = words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
    for person in people:
        notify(
            user=person, kind="mention", text=gettext_noop("%(who)s mentioned you on “%(card)s”: %(text)s"),
            params={"who": str(by), "card": str(record), "text": excerpt}, record=record, by=by,
        )  # fmt: skip


@receiver(record_erasing, dispatch_uid="notify.forget_record")
def forget_record(record, **_kwargs) -> None:
    label = record._meta.label_lower
    Notification.objects.filter(record_kind=label, record_id=record.pk).delete()
