"""History by the hundred thousand: the rows that `crm.history.services.record_event` would have written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from crm.history.models import Change, Event, EventLink
from crm.web.scale.bulk import Bulk, moment_text

Card = tuple[str, int]
"""(kind label, id)"""


class Chronicle:
    def __init__(self, bulk: Bulk) -> None:
        self._events = bulk.table(Event, "kind at actor_id subject_kind subject_id version payload")
        self._links = bulk.table(EventLink, "event_id kind record_id at")
        self._changes = bulk.table(Change, "event_id field label old new old_text new_text")

    def tell(
        self, kind: str, subject: Card, *, at: datetime | str, actor: int, cards: Iterable[Card] = (),
        payload: dict | None = None, version: int | None = None, changes: Iterable[tuple] = (),
    ) -> None:  # fmt: skip
        """One event on the subject's card and on `cards`; `changes`: (field, label, old, new, old text, new text)."""
        stamp = moment_text(at)
        event = self._events.add(kind, stamp, actor, *subject, version, payload or {})
        for label, pk in dict.fromkeys((subject, *cards)):
            self._links.add(event, label, pk, stamp)
        for change in changes:
            self._changes.add(event, *change)
