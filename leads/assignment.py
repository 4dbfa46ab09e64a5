"""New leads go to people by ordered rules: to one person, or to a department in turn or by load.

Absent people get nothing: one person's leads go to his substitute, a department's to those who are present.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef
from django.utils import timezone

from crm.history.kinds import named
from crm.history.services import FieldChange, record_events
from crm.people.absences import stand_in, substitutes
from crm.people.calendar import working_calendar
from crm.people.models import RoleScope, Scope, User
from leads.models import LEAD_KIND, OPEN_STATUSES, AssignmentRule, Lead, Strategy
from leads.notices import tell_owners
from leads.rules import fitting


@dataclass
class Desk:
    """Who can be given leads now, and what was given so far in this transaction."""

    now: datetime
    away: dict[int, int | None] = field(default_factory=substitutes)
    teams: dict[int, list[int]] = field(default_factory=dict)

    def team(self, department_id: int) -> list[int]:
        """Present people of the department who may work on leads, always in the same order."""
        if department_id not in self.teams:
            may_edit = RoleScope.objects.filter(role__users=OuterRef("pk"), kind=LEAD_KIND, action="edit")
            people = User.objects.filter(department_id=department_id, is_active=True).filter(
                Exists(may_edit.exclude(scope=Scope.NONE))
            )
            pks = people.order_by("pk").values_list("pk", flat=True)
            self.teams[department_id] = [pk for pk in pks if pk not in self.away]
        return self.teams[department_id]


@transaction.atomic
def assign_by_rules(*, leads: list[Lead], by, via: str = "", payload: dict | None = None) -> list[Lead]:
    """Hands each of the (saved) leads to whom the first fitting rule finds; those no rule fits keep their owner.

    `payload` joins the events' own: imports name themselves there. The new owners are told. Returns what was handed
    over; the given objects carry their new owners.
    """
    rules = list(AssignmentRule.objects.filter(is_active=True).select_related("author", "department"))
    if not rules or not leads:
        return []
    desk, left, handed = Desk(timezone.now()), {lead.pk: lead for lead in leads}, []
    working = working_calendar().is_working(desk.now)
    for rule in rules:
        if not left or (rule.only_working_hours and not working):
            continue
        mine = sorted(fitting(rule, left))
        owners = _owners(rule, len(mine), desk)
        found = [(left.pop(pk), owner) for pk, owner in zip(mine, owners, strict=False)]
        handed += _hand_over(found, rule, by=by, via=via, payload=payload)
    tell_owners(handed, by=by)
    return handed


def _owners(rule: AssignmentRule, count: int, desk: Desk) -> list[User]:
    """The next `count` owners by the rule's strategy; none where nobody is there."""
    if not count:
        return []
    if rule.strategy == Strategy.PERSON:
        pk = stand_in(rule.person_id, desk.away)
        person = User.objects.filter(pk=pk, is_active=True).first()
        return [person] * count if person else []
    team = desk.team(rule.department_id)
    if not team:
        return []
    # Taking the turn locks the rule until the transaction ends: nobody else counts or takes the same one meanwhile.
    AssignmentRule.objects.filter(pk=rule.pk).update(turn=F("turn") + count)
    turn = AssignmentRule.objects.values_list("turn", flat=True).get(pk=rule.pk) - count
    people = User.objects.in_bulk(team)
    if rule.strategy == Strategy.ROUND_ROBIN:
        return [people[team[(turn + place) % len(team)]] for place in range(count)]
    return [people[pk] for pk in _least_loaded(team, count, turn)]


def _least_loaded(team: list[int], count: int, turn: int) -> list[int]:
    """Each next lead to whoever has the fewest open ones; among equals in turn."""
    rows = Lead.objects.filter(owner__in=team, status__in=OPEN_STATUSES, deleted_at=None)
    load = dict.fromkeys(team, 0) | dict(rows.order_by().values_list("owner").annotate(Count("pk")))
    chosen = []
    for place in range(count):
        start = (turn + place) % len(team)
        pk = min(team[start:] + team[:start], key=lambda one: load[one])
        load[pk] += 1
        chosen.append(pk)
    return chosen


def _hand_over(
    pairs: list[tuple[Lead, User]], rule: AssignmentRule, *, by, via: str, payload: dict | None
) -> list[Lead]:
    changed, changes = [], {}
    for lead, owner in pairs:
        if lead.owner_id == owner.pk:
            continue
        old = lead.owner
        change = FieldChange("owner", "owner", lead.owner_id, owner.pk, str(old) if old else "", str(owner))
        lead.owner, lead.department_id = owner, owner.department_id
        lead.version += 1
        changes[lead.pk] = [change]
        changed.append(lead)
    now = timezone.now()
    for lead in changed:
        lead.updated_at = now
    Lead.objects.bulk_update(changed, ["owner", "department", "version", "updated_at"], batch_size=500)
    told = {"rule": named(rule), **(payload or {})}
    record_events(kind="lead_assigned", subjects=changed, by=by, payload=told, via=via, changes=changes)
    return [lead for lead, _owner in pairs]
