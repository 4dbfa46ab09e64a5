"""Reading a card's history: one index range scan, then each event only if the reader sees its subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext

from crm.attributes.references import readable_links
from crm.history.kinds import Group, describe, event_kind, keys_in, show_via
from crm.history.models import Change, Event, EventLink
from crm.history.notes import may_change
from crm.history.undoing import can_undo, undo_page
from crm.people.access import kind_label
from crm.people.fields import followers_of, mask
from crm.people.kinds import kind_named, visible_pairs
from crm.people.models import User

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
    via: str = ""
    can_undo: bool = False
    undo_url: str = ""
    mentions: list[dict] = field(default_factory=list)
    may_change_note: bool = False


@dataclass(frozen=True)
class Page:
    """`next_cursor` is empty on the last page."""

    lines: list[Line]
    next_cursor: str


def card_history(
    *, user, record, group: str = "", actor_id: int | None = None, since: date | None = None,
    until: date | None = None, cursor: str = "",
) -> Page:  # fmt: skip
    """The latest events of a card the reader may see, newest first, `PAGE` at a time.

    The caller has checked that the reader sees the card. `group` is a `crm.history.kinds.Group`; `since` and `until`
    are days of the reader's zone, both included.
    """
    links = EventLink.objects.filter(kind=kind_label(type(record)), record_id=record.pk)
    if group:
        links = links.filter(event__kind__in=keys_in(group))
    if actor_id:
        links = links.filter(event__actor_id=actor_id)
    if since:
        links = links.filter(at__gte=_midnight(since))
    if until and until < date.max:
        links = links.filter(at__lt=_midnight(until + timedelta(days=1)))
    links = _after(links, cursor).order_by("-at", "-event_id")
    events = _events(list(links.values_list("event_id", flat=True)[: PAGE + 1]))
    last = events[PAGE - 1] if len(events) > PAGE else None
    lines = _lines(user, record, events[:PAGE])
    return Page(lines, f"{last.at.isoformat()}_{last.pk}" if last else "")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def actors_of(record) -> list[User]:
    """Who has acted on this very record, for the filter. One query."""
    events = Event.objects.filter(subject_kind=kind_label(type(record)), subject_id=record.pk)
    return list(User.objects.filter(pk__in=events.order_by().values("actor")))


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
    mask(user, visible.values())
    lines = []
    for event in events:
        key = (event.subject_kind, event.subject_id)
        if (key == own or key in visible) and _has_something_left(user, event):
            lines.append(_line(event, visible.get(key), user))
    name_links(user, [change for line in lines for change in line.changes])
    return lines


def name_links(user, changes: list[Change]) -> None:
    """Links to records are kept without their names; here they get them, where the reader sees the record."""
    seen = readable_links(user, [value for change in changes for value in (change.old, change.new)])
    for change in changes:
        change.old_text = _name(seen, change.old) or change.old_text
        change.new_text = _name(seen, change.new) or change.new_text


def _name(seen: dict, value) -> str:
    return str(seen[value]) if isinstance(value, str) and value in seen else ""


def _seen_changes(user, event: Event) -> list[Change]:
    """The changed fields that are not hidden from the reader."""
    changes = list(event.changes.all())
    hidden = set(user.access.hidden_fields(event.subject_kind) if changes else ())
    told = {change.field for change in changes}
    hidden |= {first for further, first in followers_of(event.subject_kind).items() if further in told}
    return [change for change in changes if change.field not in hidden]


def _has_something_left(user, event: Event) -> bool:
    """False for an edit of nothing but hidden fields."""
    is_edit = event_kind(event.kind).group == Group.CHANGE and not event.payload
    return not is_edit or not event.changes.all() or bool(_seen_changes(user, event))


def _line(event: Event, subject, user) -> Line:
    kind = event_kind(event.kind)
    record_kind = kind_named(event.subject_kind)
    comment = getattr(event, "comment", None)
    note = comment.text if comment else str(event.payload.get("note", ""))
    changes = _seen_changes(user, event)
    for change in changes:
        change.label = gettext(change.label)
    sentence = describe(event, user.access.hidden_fields(event.subject_kind))
    url = record_kind.url(event.subject_id) if subject is not None and record_kind else ""
    return Line(
        event, kind.icon, kind.tone, sentence, note, changes, subject, url,
        via=show_via(event.via),
        can_undo=subject is None and can_undo(event, changes),
        undo_url=undo_page(event) if subject is None else "",
        mentions=comment.mentions if comment else [],
        may_change_note=comment is not None and may_change(comment, user),
    )  # fmt: skip
