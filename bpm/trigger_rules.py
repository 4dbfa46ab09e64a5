"""An administrator says what starts a process, and switches it on and off; what he did is kept."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from bpm import schedules
from bpm.definitions import demand_publish
from bpm.models import (
    Period,
    ProcessDefinition,
    Trigger,
    TriggerEvent,
    TriggerEventKind,
    TriggerKind,
)
from crm.listing.pasted import clean_query, in_words
from crm.people.models import Role

FIELDS = {
    TriggerKind.HAND: ("role",),
    TriggerKind.CREATED: ("query",),
    TriggerKind.WON: ("query",),
    TriggerKind.LOST: ("query",),
    TriggerKind.CALL: ("query",),
    TriggerKind.MISSED: ("query",),
    TriggerKind.SCHEDULE: ("query", "period", "at"),
    TriggerKind.MESSAGE: ("message",),
}
"""What each kind of trigger is told; other values are left out."""
CLOSURES = (TriggerKind.WON, TriggerKind.LOST)
LONGEST_NAME = 200
DAY_OF = {Period.WEEKLY: "weekday", Period.MONTHLY: "month_day"}


@transaction.atomic
def add_trigger(
    *, definition: ProcessDefinition, kind: str, role: Role | None = None, query: str = "", message: str = "",
    period: str = "", at: time | None = None, weekday: int | None = None, month_day: int | None = None, by,
) -> Trigger:  # fmt: skip
    """Another way in which a process starts. Raises PermissionDenied, ValidationError."""
    demand_publish(by)
    if definition.published() is None:
        raise ValidationError(_("Publish a version of “%(process)s” first.") % {"process": definition})
    given = {
        "role": role, "query": query, "message": " ".join(message.replace("\x00", "").split()), "period": period,
        "at": at, "weekday": weekday, "month_day": month_day,
    }  # fmt: skip
    if kind not in TriggerKind.values:
        raise ValidationError({"kind": _("Choose one of the offered values.")})
    if kind in CLOSURES and definition.record_kind != "deals.deal":
        raise ValidationError({"kind": _("“%(process)s” does not run on deals.") % {"process": definition}})
    kept = {name: given[name] for name in FIELDS[kind]}
    if kind == TriggerKind.SCHEDULE and (day := DAY_OF.get(period)):
        kept[day] = given[day]
    _demand(kept)
    if "query" in kept:
        try:
            kept["query"] = clean_query(definition.record_kind, query, by)
        except ValidationError as error:
            raise ValidationError({"query": error.messages}) from error
        kept |= _in_words(definition.record_kind, kept["query"], by)
    same = {name: value for name, value in kept.items() if not name.startswith("said")}
    if definition.triggers.filter(kind=kind, is_active=True, **same).exists():
        raise ValidationError(_("The process starts like this already."))
    trigger = Trigger(definition=definition, kind=kind, author=by, **kept)
    _set_clock(trigger)
    _note(trigger, TriggerEventKind.ADDED, by)
    return trigger


def _in_words(kind: str, query: str, by) -> dict[str, str]:
    if not query:
        return {}
    found = {}
    for name, language in (("said", "en"), ("said_pl", "pl")):
        with override(language):
            found[name] = in_words(kind, query, by)
    return found


def _demand(kept: dict) -> None:
    missing = [
        name
        for name in ("message", "period", "at", "weekday", "month_day")
        if kept.get(name, 0) in ("", None)
    ]
    if missing:
        raise ValidationError(dict.fromkeys(missing, _("This field is required.")))
    if len(kept.get("message", "")) > LONGEST_NAME:
        raise ValidationError({"message": _("Use at most %(most)s characters.") % {"most": LONGEST_NAME}})
    if kept.get("period", Period.DAILY) not in Period.values:
        raise ValidationError({"period": _("Choose one of the offered values.")})
    for name, least, most in (("weekday", 0, 6), ("month_day", 1, 31)):
        if name in kept and not least <= kept[name] <= most:
            raise ValidationError({name: _("Choose one of the offered values.")})


@transaction.atomic
def switch_trigger(*, trigger: Trigger, on: bool, by) -> Trigger:
    """Switches a trigger on or off; a schedule waits for its next time from now on. Raises PermissionDenied."""
    demand_publish(by)
    fresh = Trigger.objects.select_for_update(of=("self",)).select_related("definition").get(pk=trigger.pk)
    if fresh.is_active == on:
        return fresh
    fresh.is_active = on
    _set_clock(fresh)
    _note(fresh, TriggerEventKind.ON if on else TriggerEventKind.OFF, by)
    return fresh


def _set_clock(trigger: Trigger) -> None:
    scheduled = trigger.kind == TriggerKind.SCHEDULE and trigger.is_active
    trigger.next_at = schedules.following(trigger, timezone.now()) if scheduled else None
    trigger.save()
    if scheduled:
        schedules.watch()


def _note(trigger: Trigger, kind: str, by) -> None:
    TriggerEvent.objects.create(trigger=trigger, kind=kind, actor=by)
