"""Changing funnels and their stages: for those whom the administration lets change stages, and on its record.

A stage that anything past or present names is never deleted: it is retired, so that the ledger can still be read.
"""

from __future__ import annotations

from django.contrib.admin.models import DELETION
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from crm.history.definitions import end_of, free_key, order_definitions, record_change, write_definition
from funnel.models import Funnel, Stage
from funnel.requiring import demand_funnels
from funnel.uses import open_counts, stage_uses

MOST_STAGES = 20
"""So many stages in use a funnel may have: more cannot be read on a board."""


@transaction.atomic
def save_funnel(*, funnel: Funnel | None = None, values: dict, by) -> Funnel:
    """Adds a funnel, or renames it and says whether it is offered. Raises PermissionDenied, ValidationError."""
    demand_funnels(by)
    if funnel is None:
        funnel = Funnel(
            key=free_key(values["name"], Funnel.objects.all()), position=end_of(Funnel.objects.all())
        )
    elif funnel.is_active and not values["is_active"]:
        for use in stage_uses():
            use.demand_free(funnel)
    write_definition(funnel, values, by)
    return funnel


@transaction.atomic
def save_stage(*, stage: Stage | None = None, funnel: Funnel | None = None, values: dict, by) -> Stage:
    """Adds a stage at the end of `funnel`, or changes one. Raises PermissionDenied, ValidationError."""
    demand_funnels(by)
    if stage is None:
        Funnel.objects.select_for_update().get(pk=funnel.pk)
        if funnel.stages.filter(is_active=True).count() >= MOST_STAGES:
            raise ValidationError(_("A funnel may have at most %(most)s stages.") % {"most": MOST_STAGES})
        stage = Stage(
            funnel=funnel, key=free_key(values["name"], funnel.stages), position=end_of(funnel.stages)
        )
    write_definition(stage, values, by)
    return stage


@transaction.atomic
def order_records(*, rows: models.QuerySet, ids: list[int], by) -> None:
    """Puts funnels, or the stages of one funnel, in the order of `ids`; those not named follow as they stood."""
    demand_funnels(by)
    order_definitions(rows, ids, by)


@transaction.atomic
def set_moves(*, funnel: Funnel, moves: dict[int, set[int]], by) -> None:
    """Says for each stage where a deal may go from there. All other stages are kept as "anywhere".

    Raises PermissionDenied, and ValidationError when a stage would let no deal go on.
    """
    demand_funnels(by)
    stages = list(funnel.stages.select_for_update(of=("self",)).filter(is_active=True))
    everywhere = {stage.pk for stage in stages}
    for stage in stages:
        others = everywhere - {stage.pk}
        chosen = moves.get(stage.pk, set()) & others
        if others and not chosen:
            raise ValidationError(_("From “%(stage)s” a deal could go nowhere.") % {"stage": stage})
        wanted = set() if chosen == others else chosen
        before = set(stage.allowed_moves.values_list("pk", flat=True))
        if before != wanted:
            stage.allowed_moves.set(wanted)
            record_change(stage, f"moves: {_names(stages, before)} → {_names(stages, wanted)}", by)


def _names(stages: list[Stage], ids: set[int]) -> str:
    return ", ".join(stage.name for stage in stages if stage.pk in ids) or "anywhere"


@transaction.atomic
def remove_stage(*, stage: Stage, to: Stage | None = None, by) -> bool:
    """Takes a stage out of its funnel; what stands there goes to `to`. Whether it is gone for good, not only retired.

    Raises PermissionDenied, and ValidationError when there is nowhere to go, or others lead nowhere but here.
    """
    demand_funnels(by)
    stage = Stage.objects.select_for_update(of=("self",)).select_related("funnel").get(pk=stage.pk)
    others = list(stage.funnel.stages.filter(is_active=True).exclude(pk=stage.pk))
    if not others:
        raise ValidationError(_("A funnel keeps at least one stage."))
    _close_ways(stage, others)
    if open_counts([stage.pk]).get(stage.pk) and to not in others:
        raise ValidationError(_("Choose the stage its deals go to."))
    for use in stage_uses():
        use.relocate(stage=stage, to=to, by=by)
    if any(use.is_known(stage) for use in stage_uses()):
        stage.is_active = False
        stage.save(update_fields=["is_active"])
        stage.allowed_moves.clear()
        record_change(stage, f"retired; deals to: {to.name if to else '–'}", by)
        return False
    record_change(stage, "", by, DELETION)
    stage.delete()
    return True


def _close_ways(stage: Stage, others: list[Stage]) -> None:
    """Nothing leads here any more. A stage that led only here would lead anywhere: that is for a person to say."""
    for other in others:
        allowed = set(other.allowed_moves.values_list("pk", flat=True))
        if allowed == {stage.pk}:
            raise ValidationError(
                _("From “%(stage)s” deals go only to this stage. Allow another move first.")
                % {"stage": other}
            )
        if stage.pk in allowed:
            other.allowed_moves.remove(stage)


@transaction.atomic
def restore_stage(*, stage: Stage, by) -> None:
    """A retired stage stands at the end of its funnel again. Raises PermissionDenied, ValidationError."""
    demand_funnels(by)
    if stage.funnel.stages.filter(is_active=True).count() >= MOST_STAGES:
        raise ValidationError(_("A funnel may have at most %(most)s stages.") % {"most": MOST_STAGES})
    write_definition(stage, {"is_active": True, "position": end_of(stage.funnel.stages)}, by)
