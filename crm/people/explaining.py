"""Rights in plain words, for the editor of roles and for the page that says what somebody may see."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.people.kinds import STANDARD_ACTIONS, RecordKind
from crm.people.models import Scope

# Creating and importing make new records, so that there is only yes or no.
YES_OR_NO = ("create", "import")

ACTION_LABELS = {
    "view": gettext_lazy("see"),
    "create": gettext_lazy("create"),
    "edit": gettext_lazy("edit"),
    "delete": gettext_lazy("delete"),
    "assign": gettext_lazy("hand over"),
    "export": gettext_lazy("export"),
    "import": gettext_lazy("import"),
}
_REACHES = {
    Scope.OWN: gettext_lazy("only their own"),
    Scope.TEAM: gettext_lazy("those of their own department"),
    Scope.SUBORDINATES: gettext_lazy("their own and those of the departments they head"),
    Scope.ALL: gettext_lazy("everybody's"),
}
_VERBS = {
    "view": gettext_lazy("see %(reach)s"),
    "create": gettext_lazy("create new ones"),
    "edit": gettext_lazy("edit %(reach)s"),
    "delete": gettext_lazy("delete %(reach)s"),
    "assign": gettext_lazy("hand over %(reach)s to colleagues"),
    "export": gettext_lazy("export %(reach)s"),
    "import": gettext_lazy("import new ones from files"),
}


def actions_of(kind: RecordKind) -> dict[str, str]:
    """{action: label} of the standard actions and the kind's named rights."""
    return {**{action: ACTION_LABELS[action] for action in STANDARD_ACTIONS}, **dict(kind.rights)}


def phrase(kind: RecordKind, action: str, scope: str) -> str:
    """What the holders may do, such as “edit only their own”; empty for nothing."""
    if scope == Scope.NONE:
        return ""
    reach = _REACHES[scope]
    if action in _VERBS:
        return str(_VERBS[action]) % {"reach": reach}
    return f"{dict(kind.rights)[action]} ({reach})"


def sentence(kind: RecordKind, scopes: dict[str, str]) -> str:
    """All that `scopes` ({action: scope}) allow with the kind, in one sentence."""
    phrases = [phrase(kind, action, scopes.get(action, Scope.NONE)) for action in actions_of(kind)]
    said = "; ".join(each for each in phrases if each)
    return said if said else _("nothing at all: for these people it does not exist")
