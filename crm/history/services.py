"""Writing history: always inside the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from crm.history.models import Change, Event, EventLink
from crm.people.access import kind_label
from crm.people.many_rows import insert_rows


@dataclass(frozen=True)
class FieldChange:
    """One changed field: JSON values for machines, texts for people."""

    field: str
    label: str
    old: object
    new: object
    old_text: str
    new_text: str


@transaction.atomic(savepoint=False)
def record_event(
    *,
    kind: str,
    subject: models.Model,
    by,
    cards: Iterable[models.Model] = (),
    changes: Iterable[FieldChange] = (),
    payload: dict | None = None,
    via: str = "",
    version: int | None = None,
    at=None,
) -> Event:
    """Writes one event on the subject's own card and on `cards` (None entries are skipped)."""
    at = at or timezone.now()
    event = Event.objects.create(
        kind=kind,
        at=at,
        actor=by,
        via=via,
        subject_kind=kind_label(type(subject)),
        subject_id=subject.pk,
        version=version,
        payload=payload or {},
    )
    rows = Change.objects.bulk_create(_change_row(event, change) for change in changes)
    # Services ask the event at once which fields differ: as if prefetched, they need not be read again.
    known = event.changes.all()
    known._result_cache = rows
    event._prefetched_objects_cache = {"changes": known}
    keys = dict.fromkeys((kind_label(type(card)), card.pk) for card in [subject, *cards] if card is not None)
    EventLink.objects.bulk_create(
        EventLink(event=event, kind=label, record_id=pk, at=at) for label, pk in keys
    )
    return event


def _change_row(event: Event, change: FieldChange) -> Change:
    return Change(
        event=event,
        field=change.field,
        label=change.label,
        old=change.old,
        new=change.new,
        old_text=change.old_text[:300],
        new_text=change.new_text[:300],
    )


@transaction.atomic
def record_events(
    *,
    kind: str,
    subjects: list[models.Model],
    by,
    payload: dict | None = None,
    via: str = "",
    changes: dict[int, list[FieldChange]] | None = None,
    cards: dict[int, list[models.Model]] | None = None,
    details: dict[int, dict] | None = None,
    moments: dict[int, datetime] | None = None,
) -> dict[int, Event]:
    """The same event for many records at once, each on its own card: for imports and bulk work.

    By the subject's id: `changes` are the changed fields, `cards` the further cards, `details` what its payload holds
    beside the common one, `moments` when it happened if not now. Returns the events by it.
    """
    if not subjects:
        return {}
    at, label = timezone.now(), kind_label(type(subjects[0]))
    events = Event.objects.bulk_create(
        [
            Event(
                kind=kind, at=(moments or {}).get(subject.pk, at), actor=by, via=via, subject_kind=label,
                subject_id=subject.pk, payload={**(payload or {}), **(details or {}).get(subject.pk, {})},
                version=getattr(subject, "version", None),
            )
            for subject in subjects
        ],
        batch_size=1000,
    )  # fmt: skip
    links = [(event.pk, label, event.subject_id, event.at) for event in events]
    links += [
        (event.pk, kind_label(type(card)), card.pk, event.at)
        for event in events
        for card in (cards or {}).get(event.subject_id, ())
    ]
    insert_rows(EventLink, ("event", "kind", "record_id", "at"), links)
    found = changes or {}
    rows = [_change_row(event, change) for event in events for change in found.get(event.subject_id, ())]
    Change.objects.bulk_create(rows, batch_size=1000)
    return {event.subject_id: event for event in events}


@transaction.atomic
def carry_history(*, source: models.Model, targets: Iterable[models.Model]) -> int:
    """Lets all that stands on the source's card stand on the targets' too, uncopied. Returns the rows added."""
    links = list(EventLink.objects.filter(kind=kind_label(type(source)), record_id=source.pk))
    rows = [
        EventLink(event_id=link.event_id, kind=kind_label(type(target)), record_id=target.pk, at=link.at)
        for target in targets
        if target is not None
        for link in links
    ]
    EventLink.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return len(rows)
