"""Changing what an administrator defines, such as stages and dictionaries: on the administration's record.

Who may do it is for the service to ask.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import models
from django.utils.text import slugify


def write_definition(record: models.Model, values: dict, by) -> bool:
    """Saves what differs and says it on record, old value and new one; whether anything did. Raises ValidationError."""
    is_new = record._state.adding
    said = []
    for name, value in values.items():
        old = getattr(record, name)
        if is_new or old != value:
            said.append(f"{name}: {value}" if is_new else f"{name}: {old} → {value}")
        setattr(record, name, value)
    if not said:
        return False
    record.full_clean()
    record.save()
    record_change(record, "; ".join(said), by, ADDITION if is_new else CHANGE)
    return True


def order_definitions(rows: models.QuerySet, ids: list[int], by) -> None:
    """Puts rows with a `position` in the order of `ids`; those not named follow as they stood."""
    found = list(rows.select_for_update().order_by("position", "id"))
    places = {pk: place for place, pk in enumerate(ids)}
    wanted = sorted(found, key=lambda one: places.get(one.pk, len(places)))
    for place, one in enumerate(wanted):
        if one.position != place:
            one.position = place
            one.save(update_fields=["position"])
    if [one.pk for one in wanted] != [one.pk for one in found]:
        record_change(wanted[0], "order: " + ", ".join(one.name for one in wanted), by)


def end_of(rows) -> int:
    """The position behind the last of the rows."""
    last = rows.aggregate(last=models.Max("position"))["last"]
    return 0 if last is None else last + 1


def record_change(record: models.Model, text: str, by, action: int = CHANGE) -> None:
    """One line on the administration's record."""
    LogEntry.objects.log_actions(by.pk, [record], action, change_message=text[:2000], single_object=True)


def free_key(name: str, among: models.QuerySet) -> str:
    """A key made of the name that none of these has."""
    stem = slugify(name)[:32] or "one"
    taken = set(among.filter(key__startswith=stem).values_list("key", flat=True))
    numbers: Iterable[int] = range(2, len(taken) + 3)
    return stem if stem not in taken else next(f"{stem}-{n}" for n in numbers if f"{stem}-{n}" not in taken)
