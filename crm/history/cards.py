"""Reading a card's history: one index range scan, then each event only if the reader sees its subject."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext

from crm.history.kinds import describe, event_kind, keys_in, show_via
from crm.history.models import Change, Event, EventLink
from crm.people.access import kind_label
from crm.people.kinds import kind_named, visible_pairs

PAGE = 20


@dataclass(frozen=True)
class Line:
    """One row of a card's history, ready to show. `subject` is None when the event is about the card itself."""

    event: Event
    icon: str
    tone: str
    sentence: str
    note: str
    changes: list[Change]
    subject: object
    subject_url: str
    via: str


@dataclass(frozen=True)
class Page:
    """`next_cursor` is empty on the last page."""

    lines: list[Line]
    next_cursor: str


def card_history(*, user, record, group: str = "", actor_id: int | None = None, cursor: str = "") -> Page:
    """The latest events of a card the reader may see, newest first, `PAGE` at a time.

    The caller has checked that the reader sees the card. `group` is a `crm.history.kinds.Group`.
    """
    links = EventLink.objects.filter(kind=kind_label(type(record)), record_id=record.pk)
    if group:
        links = links.filter(event__kind__in=keys_in(group))
    if actor_id:
        links = links.filter(event__actor_id=actor_id)
    links = _after(links, cursor).order_by("-at", "-event_id")
    events = _events(list(links.values_list("event_id", flat=True)[: PAGE + 1]))
    last = events[PAGE - 1] if len(events) > PAGE else None
    lines = _lines(user, record, events[:PAGE])
    return Page(lines, f"{last.at.isoformat()}_{last.pk}" if last else "")


def _after(links, cursor: str):
    at, _, pk = cursor.partition("_")
    try:
        moment = timezone.datetime.fromisoformat(at)
        return links.filter(Q(at__lt=moment) | Q(at=moment, event_id__lt=int(pk)))
    except ValueError:
        return links


def _events(pks: list[int]) -> list[Event]:
    changes = Prefetch("changes", Change.objects.order_by("id"))
    found = Event.objects.filter(pk__in=pks).select_related("actor", "comment").prefetch_related(changes)
    return sorted(found, key=lambda event: (event.at, event.pk), reverse=True)


def _lines(user, record, events: list[Event]) -> list[Line]:
    own = (kind_label(type(record)), record.pk)
    others = {(event.subject_kind, event.subject_id) for event in events} - {own}
    visible = visible_pairs(user, others)
    lines = []
    for event in events:
        key = (event.subject_kind, event.subject_id)
        if key == own or key in visible:
            lines.append(_line(event, visible.get(key)))
    return lines


def _line(event: Event, subject) -> Line:
    kind = event_kind(event.kind)
    record_kind = kind_named(event.subject_kind)
    note = event.comment.text if hasattr(event, "comment") else str(event.payload.get("note", ""))
    changes = list(event.changes.all())
    for change in changes:
        change.label = gettext(change.label)
    url = record_kind.url(event.subject_id) if subject is not None and record_kind else ""
    via = show_via(event.via)
    return Line(event, kind.icon, kind.tone, describe(event), note, changes, subject, url, via)
