"""What other rooms lay over the calendar: days on which deals are to close, payments are due, tasks must be done.

    register_calendar_layer(CalendarLayer("closes", _("Close dates"), "flag", 10, closes))

A layer's `marks(user, people, start, end)` gives what concerns those people and what the reader may see, in one query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

MOST_MARKS = 500


@dataclass(frozen=True)
class Mark:
    """Something that is due: on a day, or at a moment. `tone`: amber for what waits, red for late, green for done."""

    key: str
    at: date | datetime
    title: str
    url: str
    person: int | None = None
    tone: str = "amber"


@dataclass(frozen=True)
class CalendarLayer:
    key: str
    label: str
    icon: str
    order: int
    marks: Callable[[object, list[int], datetime, datetime], Iterable[Mark]]


_layers: dict[str, CalendarLayer] = {}


def register_calendar_layer(layer: CalendarLayer) -> None:
    """Called from `AppConfig.ready()`."""
    if _layers.get(layer.key, layer) != layer:
        raise ValueError(f"{layer.key!r} is registered twice with different contents")
    _layers[layer.key] = layer


def calendar_layers() -> list[CalendarLayer]:
    return sorted(_layers.values(), key=lambda layer: layer.order)
