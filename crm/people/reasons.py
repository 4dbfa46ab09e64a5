"""Who may do what to one record, and why: told apart reason by reason, for pages that explain the rights.

Written independently of `Access.condition`: one record at a time in plain Python. Tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from crm.people.access import SHAREABLE_ACTIONS, category_condition, kind_label
from crm.people.models import Department, Role, RoleScope, Scope, User
from crm.people.visibility import OwnedRecord


@dataclass(frozen=True)
class Reason:
    """Why somebody may: `how` is a scope of `role`, or `share`. `department` is the place that makes it true."""

    how: str
    role: Role | None = None
    department: Department | None = None

    def __str__(self) -> str:
        if self.how == "share":
            return _("shared with this person")
        words = {
            Scope.OWN: _("owns the record"),
            Scope.TEAM: _("the record belongs to their department, %(department)s"),
            Scope.SUBORDINATES: _("heads %(department)s, under which the record falls"),
            Scope.ALL: _("sees everybody's records"),
        }
        reason = str(words[self.how]) % {"department": self.department}
        return _("role “%(role)s”: %(reason)s") % {"role": self.role, "reason": reason}


@dataclass
class Holder:
    """A person with access to one record; the reasons by action."""

    user: User
    reasons: dict[str, list[Reason]] = field(default_factory=dict)

    def may(self, action: str) -> bool:
        return bool(self.reasons.get(action))


def holders(record: OwnedRecord, *, actions=SHAREABLE_ACTIONS, users=None) -> list[Holder]:
    """Everybody (or those of `users`) who may do any of `actions` to the record. Five queries.

    For kinds that can be shared: children such as activities follow their cards instead.
    """
    if record.deleted_at is not None:
        return []
    people = User.objects.filter(is_active=True).select_related("department")
    if users is not None:
        people = people.filter(pk__in=[user.pk for user in users])
    people = list(people)
    grants = _grants(kind_label(type(record)), actions)
    shares = _shares(record)
    above = _line_above(record.department_id)
    found = [Holder(user) for user in people]
    for holder in found:
        for action in actions:
            reasons = [
                reason
                for role, scope in grants.get((holder.user.pk, action), [])
                if (reason := _reason(holder.user, record, role, scope, above))
            ]
            reasons = _within_rules(record, holder.user, action, reasons)
            if action in shares.get(holder.user.pk, ()):
                reasons.append(Reason("share"))
            if reasons:
                holder.reasons[action] = reasons
    return [holder for holder in found if holder.reasons]


def holder_of(record: OwnedRecord, user: User, *, actions=SHAREABLE_ACTIONS) -> Holder:
    """What one person may do to the record; a holder without reasons for somebody who may nothing."""
    return next(iter(holders(record, actions=actions, users=[user])), None) or Holder(user)


def _grants(kind: str, actions) -> dict[tuple[int, str], list[tuple[Role, str]]]:
    rows = RoleScope.objects.filter(kind=kind, action__in=actions).exclude(scope=Scope.NONE)
    roles = {role.pk: role for role in Role.objects.all()}
    found: dict[tuple[int, str], list[tuple[Role, str]]] = {}
    for user, action, role, scope in rows.values_list("role__users", "action", "role_id", "scope"):
        found.setdefault((user, action), []).append((roles[role], scope))
    return found


def _shares(record: OwnedRecord) -> dict[int, set[str]]:
    if record.share_model is None:
        return {}
    rows = record.share_model.objects.filter(content_object=record)
    found: dict[int, set[str]] = {}
    for user, codename in rows.values_list("user_id", "permission__codename"):
        found.setdefault(user, set()).add("edit" if codename.startswith("change_") else "view")
    return found


def _line_above(department_id: int | None) -> list[Department]:
    """The record's department and everything over it."""
    departments = {department.pk: department for department in Department.objects.all()}
    line: list[Department] = []
    while department_id in departments and departments[department_id] not in line:
        line.append(departments[department_id])
        department_id = line[-1].parent_id
    return line


def _reason(user: User, record: OwnedRecord, role: Role, scope: str, above: list[Department]):
    if scope == Scope.ALL:
        return Reason(Scope.ALL, role)
    if record.owner_id == user.pk:
        return Reason(Scope.OWN, role)
    if scope == Scope.TEAM and user.department_id and record.department_id == user.department_id:
        return Reason(Scope.TEAM, role, user.department)
    if scope == Scope.SUBORDINATES:
        headed = next((place for place in above if place.head_id == user.pk), None)
        return Reason(Scope.SUBORDINATES, role, headed) if headed else None
    return None


def _within_rules(record: OwnedRecord, user: User, action: str, reasons: list[Reason]) -> list[Reason]:
    rules = category_condition(kind_label(type(record)), user, action)
    if reasons and rules and not type(record).objects.filter(rules, pk=record.pk).exists():
        return []
    return reasons
