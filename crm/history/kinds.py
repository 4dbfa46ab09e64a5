"""The registry of event kinds: how each reads on a card, and under which filter it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named, localised

if TYPE_CHECKING:
    from crm.history.models import Event


class Group(models.TextChoices):
    """The filters above a card's history."""

    NOTE = "note", _("Notes")
    CALL = "call", _("Calls")
    MEETING = "meeting", _("Meetings")
    LETTER = "letter", _("Letters")
    STAGE = "stage", _("Stages")
    PROCESS = "process", _("Processes")
    FILE = "file", _("Files")
    CHANGE = "change", _("Changes")


@dataclass(frozen=True)
class EventKind:
    """`sentence`: a lazy text with `%(name)s` from the payload. `tone`: grey, blue, green, red, amber.

    `tells`: which field of the subject a value of the payload repeats, by the value's name.
    """

    key: str
    sentence: str
    icon: str
    group: Group = Group.CHANGE
    tone: str = "grey"
    tells: dict[str, str] = field(default_factory=dict)


_kinds: dict[str, EventKind] = {}


def register_event(*kinds: EventKind) -> None:
    """Called from `AppConfig.ready()` of the area that records the events."""
    _kinds.update({kind.key: kind for kind in kinds})


def event_kind(key: str) -> EventKind:
    """The registered kind; a plain one for events of an area that is not installed any more."""
    return _kinds.get(key) or EventKind(key, key.replace("_", " "), "dot")


def keys_in(group: str) -> list[str]:
    """The event kinds that stand under a filter."""
    return [kind.key for kind in _kinds.values() if kind.group == group]


def named(thing: Named) -> dict[str, str]:
    """A payload value that reads in either language: the name an administrator gave."""
    return {"name": thing.name, "name_pl": thing.name_pl}


def moment(at: datetime) -> dict[str, str]:
    """A payload value that reads as date and time in the reader's zone and language."""
    return {"moment": at.isoformat()}


_VIA_SIGN = "\u241f"


def via_of(process: Named) -> str:
    """How a process signs what it did on somebody's behalf: its names, one text for the `via` columns."""
    return f"{process.name}{_VIA_SIGN}{process.name_pl}"[:200]


def show_via(text: str) -> str:
    """The signature in the reader's language: a process's names, or a text of the catalogue."""
    name, sign, name_pl = text.partition(_VIA_SIGN)
    return localised(name, name_pl) if sign or not name else gettext(name)


def describe(event: Event, hidden: frozenset[str] = frozenset()) -> str:
    """The event as one sentence in the reader's language, without the values of the subject's hidden fields."""
    values = {key: readable(value) for key, value in event.payload.items()}
    for key, name in event_kind(event.kind).tells.items():
        if name in hidden:
            values[key] = "•••"
    try:
        return str(event_kind(event.kind).sentence) % values
    except (KeyError, ValueError, TypeError):
        return event.kind.replace("_", " ")


def readable(value):
    """A payload value as the reader takes it: a name in his language, a moment in his zone."""
    if isinstance(value, dict) and "name" in value:
        return localised(value["name"], value.get("name_pl", ""))
    if isinstance(value, dict) and "moment" in value:
        local = localtime(datetime.fromisoformat(value["moment"]))
        return f"{date_format(local, 'DATE_FORMAT')} {date_format(local, 'H:i')}"
    return value
