"""What areas let people do to many records of a list, beside the changes that every list knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.history.models import Event


class Work(Protocol):
    """A deed with what was asked for it, on its way through the records. `text`: it as people read it."""

    text: str

    def resume(self, events: QuerySet[Event]) -> None:
        """Before the first records: what an interrupted run has done already."""

    def do(self, records: list) -> Mapping[int, Event | str]:
        """By the id of each record the event of what was done, or an English text why nothing was.

        The records are of one slice, seen by who does it; their right to be touched is the deed's to ask.
        """

    def finish(self, events: QuerySet[Event]) -> None:
        """After the last records, with the events of all of them: for telling people once."""


@dataclass(frozen=True)
class Deed:
    """A button of the bulk bar of the lists of `kinds`, for whoever may view such records.

    `key`: app label and name. `form(user, data)`: what is asked, bound when there are data, shown by `template`; once
    it is valid its `value()` is JSON. `open(value, by)`: the work, ValidationError for a value that makes no sense.
    `undo(events, by)`: takes back; by the id of each event that stays an English text why.
    """

    key: str
    label: Any
    icon: str
    kinds: tuple[str, ...]
    form: Callable
    template: str
    open: Callable[[dict, Any], Work]
    undo: Callable[[Iterable[Event], Any], Mapping[int, str]]


_deeds: dict[str, Deed] = {}


def register_deed(deed: Deed) -> None:
    """Called from `AppConfig.ready()` of the area whose deed it is."""
    _deeds[deed.key] = deed


def deeds_of(user, kind: str) -> list[Deed]:
    """What the reader may do to many records of the kind."""
    return [deed for deed in _deeds.values() if kind in deed.kinds and user.access.may(kind, "view")]


def deed_named(key: str, kind: str = "") -> Deed | None:
    """The deed of that key, for records of the kind where one is given."""
    found = _deeds.get(key)
    return found if found is not None and (not kind or kind in found.kinds) else None


def open_work(key: str, kind: str, value: str, by) -> Work:
    """Raises ValidationError for a deed that the kind does not know, and for an unfit value."""
    deed = deed_named(key, kind)
    try:
        given = json.loads(value)
    except ValueError:
        given = None
    if deed is None or not isinstance(given, dict):
        raise ValidationError(_("Choose one of the offered values."))
    return deed.open(given, by)
