"""Whom one may hand records to."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm.people.access import kind_label
from crm.people.models import User


def people_to_assign(user, model: type) -> QuerySet:
    """Active people whom `user` may hand records of `model` to, himself included."""
    scope = user.access.scope(kind_label(model), "assign")
    if scope == "all":
        return User.objects.filter(is_active=True)
    reach = Q(pk=user.pk)
    if scope in {"own", "team", "subordinates"} and user.department_id:
        reach |= Q(department_id=user.department_id)
    if scope == "subordinates":
        reach |= Q(department_id__in=user.access.headed_departments())
    return User.objects.filter(reach, is_active=True)
