"""With whom a saved view is shared: nobody, a department, a role, everybody."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.people.models import Department, Role

EVERYBODY = "all"


def audiences(user) -> list[tuple[str, str]]:
    """(key, label) of those with whom `user` may share: his and his people's departments, his roles, everybody."""
    wanted = [pk for pk in (user.department_id, *user.access.headed_departments()) if pk]
    departments = Department.objects.filter(pk__in=wanted).order_by("name")
    return [
        ("", _("only me")),
        *((f"department-{one.pk}", f"{_('department')}: {one}") for one in departments),
        *((f"role-{one.pk}", f"{_('role')}: {one}") for one in user.roles.order_by("name")),
        (EVERYBODY, _("everybody")),
    ]


def read_audience(user, key: str) -> dict:
    """The fields of a SavedView for the chosen audience. Raises ValidationError for one that is not offered."""
    if key not in dict(audiences(user)):
        raise ValidationError({"audience": _("Choose one of the offered values.")})
    what, _dash, pk = key.partition("-")
    return {
        "is_shared": bool(key),
        "department": Department.objects.get(pk=pk) if what == "department" else None,
        "role": Role.objects.get(pk=pk) if what == "role" else None,
    }
