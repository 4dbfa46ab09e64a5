"""What a stage may require of a deal without a process: the kinds that areas offer, and what stands in a way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.db.models import Q

from funnel.models import Requirement, Way


@dataclass(frozen=True)
class RequirementKind:
    """One kind of requirement.

    `form`: a form class whose `cleaned_data` become the options: JSON values only.
    `missing`: (record, options) -> what is to be supplied, in the active language; empty when nothing is missing.
    `describe`: (options) -> the requirement as the settings show it.
    `supply`: (record, options) -> address of the dialog that supplies it; None where the area's own form asks for it.
    """

    key: str
    label: str
    icon: str
    form: type[forms.Form]
    missing: Callable[[object, dict], str]
    describe: Callable[[dict], str]
    supply: Callable[[object, dict], str] | None = None


_kinds: dict[str, RequirementKind] = {}


def register_requirement(kind: RequirementKind) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _kinds[kind.key] = kind


def requirement_kinds() -> list[RequirementKind]:
    """Every kind, in the order of registration."""
    return list(_kinds.values())


def requirement_kind(key: str) -> RequirementKind | None:
    """The kind of that key, None for one that no area offers any more."""
    return _kinds.get(key)


def requirements_between(left_id: int | None, entered_id: int | None) -> list[Requirement]:
    """What is required of a deal that leaves one stage and enters another; one query."""
    asked = Q(stage_id=left_id, way=Way.EXIT) | Q(stage_id=entered_id, way=Way.ENTRY)
    return list(Requirement.objects.filter(asked).select_related("stage"))
