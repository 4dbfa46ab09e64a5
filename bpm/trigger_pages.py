"""What pages say of triggers: one sentence each, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max
from django.utils.dates import WEEKDAYS
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bpm.models import Period, ProcessDefinition, Trigger, TriggerEvent, TriggerEventKind, TriggerKind
from bpm.sentences import moment
from crm.people.kinds import kind_named
from crm.people.names import localised

SHOWN_EVENTS = 30


@dataclass
class TriggerLine:
    """A trigger in the list of its process. `facts`: when it is due next, how many runs it has started."""

    trigger: Trigger
    sentence: str
    facts: list[str]


def trigger_lines(definition: ProcessDefinition) -> list[TriggerLine]:
    """One query."""
    rows = definition.triggers.select_related("role", "author")
    rows = rows.annotate(run_count=Count("runs"), last_run=Max("runs__started_at"))
    return [TriggerLine(row, sentence_of(row, definition), _facts(row)) for row in rows]


def sentence_of(trigger: Trigger, definition: ProcessDefinition) -> str:
    """What starts the process, without the time of the next start."""
    kind = kind_named(definition.record_kind)
    what = {"kind": kind.name if kind else definition.record_kind, "only": _only(trigger)}
    if trigger.kind == TriggerKind.HAND:
        who = trigger.role or _("everybody who sees the card")
        return _("By hand from a card (%(kind)s): %(who)s") % {**what, "who": who}
    if trigger.kind == TriggerKind.CREATED:
        return _("When a record is created (%(kind)s)%(only)s") % what
    if trigger.kind == TriggerKind.WON:
        return _("When a deal is won%(only)s") % what
    if trigger.kind == TriggerKind.LOST:
        return _("When a deal is lost%(only)s") % what
    if trigger.kind == TriggerKind.CALL:
        return _("When a call with the record has ended (%(kind)s)%(only)s") % what
    if trigger.kind == TriggerKind.MISSED:
        return _("When a call of the record was missed (%(kind)s)%(only)s") % what
    if trigger.kind == TriggerKind.MESSAGE:
        return _("By the message “%(name)s” of another process") % {"name": trigger.message}
    return _("%(when)s, for each record (%(kind)s)%(only)s") % {**what, "when": _when(trigger)}


def _only(trigger: Trigger) -> str:
    words = localised(trigger.said, trigger.said_pl)
    return f": {words}" if words else ""


def _when(trigger: Trigger) -> str:
    at = time_format(trigger.at, "H:i")
    if trigger.period == Period.WEEKLY:
        return _("Every week (%(day)s) at %(time)s") % {"day": WEEKDAYS[trigger.weekday], "time": at}
    if trigger.period == Period.MONTHLY:
        return _("Every month (day %(day)s) at %(time)s") % {"day": trigger.month_day, "time": at}
    return _("Every day at %(time)s") % {"time": at}


def _facts(row) -> list[str]:
    found = [_("next on %(when)s") % {"when": moment(row.next_at)}] if row.next_at else []
    if row.run_count:
        runs = ngettext("%(count)s run", "%(count)s runs", row.run_count) % {"count": row.run_count}
        found += [runs, _("last on %(when)s") % {"when": moment(row.last_run)}]
    return found


def trigger_history(definition: ProcessDefinition) -> list[tuple[TriggerEvent, str]]:
    """What was done with the triggers and what came of their times, the newest first. One query."""
    rows = TriggerEvent.objects.filter(trigger__definition=definition).select_related(
        "trigger__role", "actor"
    )
    return [(event, _told(event, definition)) for event in rows.order_by("-id")[:SHOWN_EVENTS]]


def _told(event: TriggerEvent, definition: ProcessDefinition) -> str:
    about = sentence_of(event.trigger, definition)
    if event.kind == TriggerEventKind.FAILED:
        why = {
            "process": _("nothing started: the process or the trigger is not in use any more"),
            "author": _("nothing started: whoever added it may not keep processes any more"),
        }[event.data["why"]]
        return f"{about} – {why}"
    if event.kind == TriggerEventKind.FIRED:
        count = event.data["runs"]
        due = moment(datetime.fromisoformat(event.data["due"]))
        runs = ngettext("%(count)s run started", "%(count)s runs started", count) % {"count": count}
        more = f" ({_('more records fitted; the rest was left out')})" if event.data["left_out"] else ""
        return f"{about} – {due}: {runs}{more}"
    return f"{about} – {event.get_kind_display()}"
