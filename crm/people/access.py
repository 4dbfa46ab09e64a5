"""What one user may do: the scopes of all his roles, the departments he heads, the records shared with him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import CharField, Q, Value

if TYPE_CHECKING:
    from crm.people.models import User
    from crm.people.visibility import OwnedRecord

SCOPES = ("none", "own", "team", "subordinates", "all")
SHAREABLE_ACTIONS = ("view", "edit")


def kind_label(model: type) -> str:
    """The stable name of a kind of record, such as `deals.deal`."""
    return model._meta.label_lower


@dataclass
class Access:
    """The rights of one user at one moment. Three queries at most: scopes, departments headed, shares."""

    user: User
    scopes: dict[tuple[str, str], str]
    _departments: list[int] | None = None
    _shares: dict[tuple[str, str], list[int]] | None = None

    @classmethod
    def of(cls, user: User) -> Access:
        """Reads the user's roles; of several scopes for one action the widest counts."""
        from crm.people.models import RoleScope

        scopes: dict[tuple[str, str], str] = {}
        if user.is_active:
            rows = RoleScope.objects.filter(role__users=user).values_list("kind", "action", "scope")
            for kind, action, scope in rows:
                widest = scopes.get((kind, action), "none")
                scopes[kind, action] = max(widest, scope, key=SCOPES.index)
        return cls(user, scopes)

    def scope(self, kind: str, action: str) -> str:
        """The widest reach any role grants, `none` by default."""
        return self.scopes.get((kind, action), "none")

    def may(self, kind: str | type, action: str) -> bool:
        """Whether the action is permitted on any record of the kind at all: for menus and for creating."""
        label = kind if isinstance(kind, str) else kind_label(kind)
        return self.scope(label, action) != "none"

    def headed_departments(self) -> list[int]:
        """Ids of the departments the user heads, with everything below them."""
        if self._departments is None:
            from crm.people.models import Department

            rows = list(Department.objects.values_list("pk", "parent_id", "head_id"))
            found = {pk for pk, _, head in rows if head == self.user.pk}
            size = -1
            while len(found) != size:
                size = len(found)
                found |= {pk for pk, parent, _ in rows if parent in found}
            self._departments = sorted(found)
        return self._departments

    def shared_ids(self, model: type[OwnedRecord], action: str) -> list[int]:
        """Ids of the records of a kind that were shared with the user, or with one of his roles, for the action."""
        if action not in SHAREABLE_ACTIONS or model.share_model is None:
            return []
        if self._shares is None:
            self._shares = self._read_shares(model)
        return self._shares.get((kind_label(model), action), [])

    def _read_shares(self, asked: type[OwnedRecord]) -> dict[tuple[str, str], list[int]]:
        """{(kind, action): ids} over every kind that can be shared, in one query."""
        from crm.people.kinds import all_kinds

        models = {kind_label(asked): asked} | {
            kind.label: kind.model
            for kind in all_kinds()
            if getattr(kind.model, "share_model", None) is not None
        }
        parts = [
            model.share_model.objects.filter(user_id=self.user.pk)
            .order_by()
            .values_list(Value(label, output_field=CharField()), "permission__codename", "content_object_id")
            for label, model in models.items()
        ]
        found: dict[tuple[str, str], list[int]] = {}
        for label, codename, pk in parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]:
            action = "edit" if codename.startswith("change_") else "view"
            found.setdefault((label, action), []).append(pk)
        return found

    def condition(self, model: type[OwnedRecord], action: str) -> Q:
        """The filter that keeps the records of `model` on which the user may perform `action`."""
        if not self.user.is_active:
            return Q(pk__in=[])
        scope = self.scope(kind_label(model), action)
        if scope == "all":
            return Q()
        condition = self._reach(scope)
        if shared := self.shared_ids(model, action):
            condition |= Q(pk__in=shared)
        return condition

    def _reach(self, scope: str) -> Q:
        if scope == "none":
            return Q(pk__in=[])
        own = Q(owner_id=self.user.pk)
        if scope == "team" and self.user.department_id:
            return own | Q(department_id=self.user.department_id)
        if scope == "subordinates" and (headed := self.headed_departments()):
            return own | Q(department_id__in=headed)
        return own
