"""Reading a funnel with its stages and the moves it allows."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q

from funnel.models import Funnel, Stage


@dataclass(frozen=True)
class FunnelMap:
    """A funnel's stages in order, and for each the ids of the stages a deal may go to from it."""

    stages: list[Stage]
    moves: dict[int, set[int]]

    def allows(self, from_id: int, to_id: int) -> bool:
        """Whether a deal may go from one stage of the funnel to another."""
        return from_id != to_id and to_id in self.moves.get(from_id, set())


def map_of(funnel: Funnel | int, *, also: int | None = None) -> FunnelMap:
    """The stages in use and moves of a funnel; `also` a retired one that a deal stands on. One query."""
    funnel_id = getattr(funnel, "pk", funnel)
    stages = Stage.objects.filter(Q(is_active=True) | Q(pk=also), funnel_id=funnel_id)
    return maps_of(stages).get(funnel_id, FunnelMap([], {}))


def active_maps() -> dict[int, FunnelMap]:
    """The maps of all funnels in use by the funnel's id, in the administrator's order. One query."""
    return maps_of(Stage.objects.filter(is_active=True, funnel__is_active=True))


def maps_of(stages) -> dict[int, FunnelMap]:
    """The maps of the funnels these stages belong to. One query: a row for each stage and allowed move."""
    rows = stages.select_related("funnel").annotate(move_id=F("allowed_moves__pk"))
    found: dict[int, dict[int, Stage]] = {}
    chosen: dict[int, set[int]] = {}
    for row in rows.order_by("funnel__position", "funnel_id", "position", "pk"):
        found.setdefault(row.funnel_id, {}).setdefault(row.pk, row)
        if row.move_id is not None:
            chosen.setdefault(row.pk, set()).add(row.move_id)
    return {funnel_id: _map(list(stages.values()), chosen) for funnel_id, stages in found.items()}


def _map(stages: list[Stage], chosen: dict[int, set[int]]) -> FunnelMap:
    everywhere = {stage.pk for stage in stages if stage.is_active}
    moves = {
        stage.pk: (chosen.get(stage.pk, set()) & everywhere or everywhere) - {stage.pk} for stage in stages
    }
    return FunnelMap(stages, moves)


def active_funnels() -> list[Funnel]:
    """The funnels in use, in the administrator's order."""
    return list(Funnel.objects.filter(is_active=True))
