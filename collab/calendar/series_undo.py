"""Taking back a change of what repeats: for all that follow it, fields, times and rule together."""

from __future__ import annotations

from collab.calendar.models import Activity, ActivityKind
from collab.calendar.recurrence import read_rule
from collab.calendar.series_services import Scope, edit_series
from crm.history.undoing import CHANGED_SINCE, UNDO, Replay, Skipped, Undo, plan_fields, register_replay

RULE = "rule"


def register() -> None:
    for kind in ActivityKind.values:
        register_replay(f"{kind}_series_edited", Replay(plan, apply))


def plan(*, event, record: Activity, by) -> Undo:
    found = plan_fields(event=event, record=record, by=by)
    for item in [one for one in found.skipped if one.change.field == RULE]:
        found.skipped.remove(item)
        if record.series is None or record.series.rule != item.change.new:
            found.skipped.append(Skipped(item.change, CHANGED_SINCE))
            continue
        found.back.append(item.change)
        found.values[RULE] = item.change.old
    return found


def apply(*, event, record: Activity, plan: Undo, by) -> None:
    values = {name: value for name, value in plan.values.items() if name != RULE}
    rule = read_rule(plan.values[RULE]) if RULE in plan.values else None
    edit_series(
        activity=record, scope=Scope.ALL, values=values, version=record.version, by=by, rule=rule, via=UNDO
    )
