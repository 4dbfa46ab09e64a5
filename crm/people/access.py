"""What one user may do: the scopes of all his roles, the departments he heads, the records shared with him."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import CharField, Exists, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.timezone import localdate

from crm.people.fields import echoes_of, followers_of
from crm.people.prepared import Prepared

if TYPE_CHECKING:
    from crm.people.models import User
    from crm.people.visibility import OwnedRecord

SCOPES = ("none", "own", "team", "subordinates", "all")
SHAREABLE_ACTIONS = ("view", "edit")
LEVELS = ("", "readonly", "hidden")

CategoryRule = Callable[["User", str], Q | None]
_category_rules: dict[str, list[CategoryRule]] = {}


def register_category_rule(kind: str, rule: CategoryRule) -> None:
    """Narrows what roles let people see of a kind, such as by the categories of a counterparty.

    `rule(user, action)` gives a condition on the kind's records, or None where it does not narrow. It holds for every
    scope, `all` too, and never for an explicit share: (scope ∧ rules) ∨ share. Called from `AppConfig.ready()`.
    The condition must not join to-many relations, which would repeat rows; use `Exists`.
    """
    _category_rules.setdefault(kind, []).append(rule)


def category_condition(kind: str, user: User, action: str) -> Q:
    """All rules of a kind together; an empty condition where there is none."""
    condition = Q()
    for rule in _category_rules.get(kind, ()):
        condition &= rule(user, action) or Q()
    return condition


_followed: dict[str, str] = {}
# What writing a row means on the card it hangs on; what is not named cannot be done to such a row.
_AS_ON_THE_CARD = {
    "view": "view", "create": "edit", "edit": "edit", "delete": "edit", "export": "export", "import": "import",
}  # fmt: skip


def register_followed(kind: str, card: str) -> None:
    """Rows of `kind` hang on cards of `card`, whose rights hold for them: whoever edits the card writes its rows."""
    _followed[kind] = card


def right_on_card(action: str) -> str:
    """The right on the card that `action` on a row of it needs."""
    return _AS_ON_THE_CARD[action]


def kind_label(model: type) -> str:
    """The stable name of a kind of record, such as `deals.deal`."""
    return model._meta.label_lower


_prepared: dict[tuple, Prepared] = {}


def _rights(user_id: int) -> list[tuple]:
    """(role or record id, kind, action or field …, scope or level, what it is) of one user."""
    from crm.people.kinds import all_kinds

    shareable = {kind.label: kind.model for kind in all_kinds() if getattr(kind.model, "share_model", None)}
    today = localdate()
    key = (today, *shareable)
    if key not in _prepared:
        _prepared.clear()
        _prepared[key] = Prepared(lambda user_pk: _rights_query(user_pk, shareable, today), 1)
    return _prepared[key].rows(user_id)


def _rights_query(user_id: int, shareable: dict[str, type[OwnedRecord]], today: date) -> QuerySet:
    from crm.people.absences import Absence
    from crm.people.models import Department, FieldRule, RoleLimit, RoleScope

    text = CharField()
    scopes, rules, limits = (
        model.objects.filter(role__users=user_id).order_by() for model in (RoleScope, FieldRule, RoleLimit)
    )
    tree = Department.objects.filter(Exists(Department.objects.filter(head=user_id))).order_by()
    shares = [
        model.share_model.objects.filter(user_id=user_id)
        .order_by()
        .values_list(
            "content_object_id",
            Value(label, text),
            "permission__codename",
            Value("", text),
            Value("share", text),
        )
        for label, model in shareable.items()
    ]
    away = Absence.objects.filter(first_day__lte=today, last_day__gte=today).order_by()
    return scopes.values_list("role_id", "kind", "action", "scope", Value("scope", text)).union(
        rules.values_list("role_id", "kind", "field", "level", Value("rule", text)),
        limits.values_list("role_id", "kind", "value", Value("", text), Value("limit", text)),
        tree.values_list(
            "pk", Cast("parent_id", text), Cast("head_id", text), Value("", text), Value("department", text)
        ),
        away.values_list(
            "user_id", Cast("pk", text), Cast("substitute_id", text), Value("", text), Value("away", text)
        ),
        *shares,
        all=True,
    )


@dataclass
class Access:
    """The rights of one user at one moment: his roles, a head's departments, what was shared with him, and for whom
    he stands in today. One query.

    `grants`: (role id, kind, action) → scope. `rules`: kind → role id → field → `readonly` or `hidden`.
    `tree`: (id, parent id, head id) of every department, for somebody who heads one; else empty.
    `limits`: kind → role id → the values that records must bear one of. `shares`: (kind, action) → ids of records.
    `stands_in_for`: ids of the people away today whose work comes to the user.
    """

    user: User
    grants: dict[tuple[int, str, str], str]
    rules: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    tree: list[tuple[int, int | None, int | None]] = field(default_factory=list)
    limits: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    shares: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    stands_in_for: list[int] = field(default_factory=list)
    _departments: list[int] | None = None
    _levels: dict[str, dict[str, str]] = field(default_factory=dict)
    _lent: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reaches: dict[tuple[str, str], set[str]] = {}
        for (_role, kind, action), scope in self.grants.items():
            if scope != "none":
                self.reaches.setdefault((kind, action), set()).add(scope)
        for kind, card in _followed.items():
            for action, right in _AS_ON_THE_CARD.items():
                if (card, right) in self.reaches:
                    self.reaches[kind, action] = self.reaches[card, right]

    @classmethod
    def of(cls, user: User) -> Access:
        """Scopes and field rules of all the user's roles, for a head the department tree, and shares: one query."""
        from crm.people.absences import chosen_substitutes, represented_by

        access = cls(user, {})
        if not user.is_active:
            return access
        away: list[tuple[int, int, int | None]] = []
        for role, kind, name, value, what in _rights(user.pk):
            if what == "scope":
                access.grants[role, kind, name] = value
            elif what == "limit":
                access.limits.setdefault(kind, {}).setdefault(role, set()).add(name)
            elif what == "department":
                access.tree.append((role, int(kind) if kind else None, int(name) if name else None))
            elif what == "away":
                away.append((int(kind), role, int(name) if name else None))
            elif what == "share":
                action = "edit" if name.startswith("change_") else "view"
                access.shares.setdefault((kind, action), []).append(role)
            else:
                access.rules.setdefault(kind, {}).setdefault(role, {})[name] = value
        access.stands_in_for = represented_by(user.pk, chosen_substitutes(away))
        access.__post_init__()
        return access

    @property
    def scopes(self) -> dict[tuple[str, str], str]:
        """{(kind, action): the widest reach}, without those that reach nothing."""
        return {key: max(found, key=SCOPES.index) for key, found in self.reaches.items()}

    def scope(self, kind: str, action: str) -> str:
        """The widest reach any role grants, `none` by default. Reaches add up: see `condition`."""
        return max(self.reaches.get((kind, action), {"none"}), key=SCOPES.index)

    def may(self, kind: str | type, action: str) -> bool:
        """Whether the action is permitted on any record of the kind at all: for menus and for creating."""
        label = kind if isinstance(kind, str) else kind_label(kind)
        return (label, action) in self.reaches

    def limited_to(self, kind: str, action: str) -> set[str] | None:
        """The values one of which a record must bear for the action; None when a role allows it without a limit."""
        by_role = self.limits.get(kind)
        if not by_role:
            return None
        roles = {
            role
            for (role, label, act), scope in self.grants.items()
            if (label, act) == (kind, action) and scope != "none"
        }
        if any(role not in by_role for role in roles):
            return None
        return set().union(*(by_role[role] for role in roles))

    # Fields

    def field_levels(self, kind: str | type) -> dict[str, str]:
        """{field: `readonly` or `hidden`} of a kind; attributes as `attr_key`. Fields without a word are free.

        Only roles that let the user view the kind have a say, and the most permissive of them wins. Somebody who sees
        records by shares alone is held to the rules of the roles he has.
        """
        label = kind if isinstance(kind, str) else kind_label(kind)
        if label not in self._levels:
            self._levels[label] = (self._read_levels(label) if label in self.rules else {}) | self._echoed(
                label
            )
        return self._levels[label]

    def _read_levels(self, kind: str) -> dict[str, str]:
        by_role = self.rules[kind]
        voters = {
            role
            for (role, label, action), scope in self.grants.items()
            if (label, action) == (kind, "view") and scope != "none"
        }
        votes = [by_role.get(role, {}) for role in voters or by_role]
        levels = {
            name: min((vote.get(name, "") for vote in votes), key=LEVELS.index)
            for name in {name for vote in votes for name in vote}
        }
        levels |= {name: levels[first] for name, first in followers_of(kind).items() if first in levels}
        return {name: level for name, level in levels.items() if level}

    def _echoed(self, kind: str) -> dict[str, str]:
        """Fields that repeat what is hidden elsewhere."""
        return {
            name: "hidden"
            for name, sources in echoes_of(kind).items()
            if any(self.field_levels(other).get(field) == "hidden" for other, field in sources)
        }

    def hidden_fields(self, kind: str | type) -> frozenset[str]:
        """What the user must never learn of a kind's records."""
        return frozenset(name for name, level in self.field_levels(kind).items() if level == "hidden")

    def locked_fields(self, kind: str | type) -> frozenset[str]:
        """What the user may not write: read-only and hidden fields."""
        return frozenset(self.field_levels(kind))

    # Records

    def headed_departments(self) -> list[int]:
        """Ids of the departments the user heads, with everything below them."""
        if self._departments is None:
            found = {pk for pk, _, head in self.tree if head == self.user.pk}
            size = -1
            while len(found) != size:
                size = len(found)
                found |= {pk for pk, parent, _ in self.tree if parent in found}
            self._departments = sorted(found)
        return self._departments

    def shared_ids(self, model: type[OwnedRecord], action: str) -> list[int]:
        """Ids of the records of a kind that were shared with the user for the action."""
        if action not in SHAREABLE_ACTIONS or model.share_model is None:
            return []
        return self.shares.get((kind_label(model), action), [])

    def condition(self, model: type[OwnedRecord], action: str) -> Q:
        """The filter that keeps the records of `model` on which the user may perform `action`.

        (any of his roles' scopes ∧ the kind's category rules) ∨ an explicit share.
        """
        if not self.user.is_active:
            return Q(pk__in=[])
        label = kind_label(model)
        condition = self._reach(self.reaches.get((label, action), set()))
        rules = category_condition(label, self.user, action)
        if not condition and not rules:
            return condition
        condition &= rules
        if shared := self.shared_ids(model, action) + self._lent.get(label, []):
            condition |= Q(pk__in=shared)
        return condition

    @contextmanager
    def lending(self, kind: str, pks: list[int]) -> Iterator[None]:
        """For as long as the block runs these records are within reach: for undoing one's own change of them.

        The caller makes sure that the user's roles grant the action on the kind at all.
        """
        self._lent[kind] = pks
        try:
            yield
        finally:
            del self._lent[kind]

    def _reach(self, scopes: set[str]) -> Q:
        """The scopes of several roles add up; an empty condition means everything."""
        if "all" in scopes:
            return Q()
        if not scopes:
            return Q(pk__in=[])
        condition = Q(owner_id=self.user.pk)
        departments = set(self.headed_departments()) if "subordinates" in scopes else set()
        if "team" in scopes and self.user.department_id:
            departments.add(self.user.department_id)
        if len(departments) == 1:
            return condition | Q(department_id=departments.pop())
        return condition | Q(department_id__in=sorted(departments)) if departments else condition
