"""The roles a new installation starts with. An administrator changes them afterwards; nothing reads this again."""

from __future__ import annotations

from django.db import transaction

from crm.people.kinds import STANDARD_ACTIONS, granted_kinds
from crm.people.models import Role, RoleScope, Scope

_ROLES = {
    "seller": ("Sales manager", "Handlowiec"),
    "head": ("Supervisor", "Kierownik"),
    "marketing": ("Marketing", "Marketing"),
    "administrator": ("Administrator", "Administrator"),
}
_SELLER = {"view": Scope.OWN, "create": Scope.ALL, "edit": Scope.OWN, "delete": Scope.OWN, "assign": Scope.OWN,
           "export": Scope.OWN, "import": Scope.ALL, "convert": Scope.OWN, "listen": Scope.OWN}  # fmt: skip
# A lead given up too early is the seller's own to take up again; a closed deal is not.
_SELLER_OF = {("leads.lead", "reopen"): Scope.OWN}
# Processes bind everybody: what is executable is an administrator's decision.
_HEAD = {"create": Scope.ALL, "import": Scope.ALL, "publish": Scope.NONE, "purge": Scope.NONE}


def _scope(role: str, kind, action: str) -> str:
    if role == "administrator":
        return Scope.ALL
    if kind.common:
        return Scope.ALL if action in {"view", "export"} or role == "marketing" else Scope.NONE
    if role == "head":
        return _HEAD.get(action, Scope.SUBORDINATES)
    if role == "seller":
        if action == "view" and not kind.personal:
            return Scope.TEAM
        return _SELLER_OF.get((kind.label, action)) or _SELLER.get(action, Scope.NONE)
    # Marketing reads leads and counterparties to see what its work brought, and never touches deals.
    readable = kind.label in {"leads.lead", "counterparties.counterparty", "counterparties.contact"}
    return Scope.ALL if action == "view" and readable else Scope.NONE


@transaction.atomic
def create_standard_roles() -> dict[str, Role]:
    """Creates the missing roles with rights for every registered kind; existing roles are left alone."""
    roles = {}
    for key, (name, name_pl) in _ROLES.items():
        role, is_new = Role.objects.get_or_create(key=key, defaults={"name": name, "name_pl": name_pl})
        roles[key] = role
        if is_new:
            RoleScope.objects.bulk_create(
                RoleScope(role=role, kind=kind.label, action=action, scope=_scope(key, kind, action))
                for kind in granted_kinds()
                for action in (*STANDARD_ACTIONS, *(name for name, _ in kind.rights))
            )
    return roles
