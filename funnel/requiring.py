"""Changing what stages require: for those whom the administration lets change stages, and on its record."""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Requirement, Stage
from funnel.requirements import requirement_kind

MOST = 20
"""So many requirements a stage may have."""


def may_change_funnels(user) -> bool:
    return user.is_active and user.is_staff and user.has_perm("funnel.change_stage")


def demand_funnels(user) -> None:
    if not may_change_funnels(user):
        raise PermissionDenied


@transaction.atomic
def add_requirement(*, stage: Stage, kind: str, way: str, mode: str, options: dict, by) -> Requirement:
    """Moves that wait already are looked at anew when the deal changes. Raises PermissionDenied, ValidationError."""
    demand_funnels(by)
    if requirement_kind(kind) is None:
        raise ValidationError(_("There is no such kind of requirement."))
    Stage.objects.select_for_update().get(pk=stage.pk)
    if stage.requirements.count() >= MOST:
        raise ValidationError(_("A stage may have at most %(most)s requirements.") % {"most": MOST})
    requirement = Requirement.objects.create(stage=stage, kind=kind, way=way, mode=mode, options=options)
    _log(requirement, by, ADDITION)
    return requirement


@transaction.atomic
def remove_requirement(*, requirement: Requirement, by) -> None:
    """Moves that wait for it go on with the next change of their deal. Raises PermissionDenied."""
    demand_funnels(by)
    _log(requirement, by, DELETION)
    requirement.delete()


def _log(requirement: Requirement, by, action: int) -> None:
    said = {"kind": requirement.kind, "way": requirement.way, "mode": requirement.mode, **requirement.options}
    LogEntry.objects.log_actions(
        by.pk, [requirement], action, change_message=str(said)[:2000], single_object=True
    )
