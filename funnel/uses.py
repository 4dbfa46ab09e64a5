"""What stands on stages, told by the area above: a stage in use is not simply deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from funnel.models import Funnel, Stage


@dataclass(frozen=True)
class StageUse:
    """What an area keeps on stages.

    `open_counts`: (stage ids) -> {stage id: how many stand there and are still to move}.
    `is_known`: (stage) -> whether anything, past or present, names it; such a stage is retired, never deleted.
    `relocate`: moves those that stand there to another stage; called with stage, to and by; raises ValidationError.
    `demand_free`: (funnel) -> None; raises ValidationError when the funnel may not go out of use.
    """

    open_counts: Callable[[list[int]], dict[int, int]]
    is_known: Callable[[Stage], bool]
    relocate: Callable[..., int]
    demand_free: Callable[[Funnel], None]


_uses: list[StageUse] = []


def register_stage_use(use: StageUse) -> None:
    """Called from an area's `AppConfig.ready()`."""
    if use not in _uses:
        _uses.append(use)


def stage_uses() -> list[StageUse]:
    return list(_uses)


def open_counts(stage_ids: list[int]) -> dict[int, int]:
    """{stage id: how many stand there}; one query for each area."""
    found: dict[int, int] = {}
    for use in _uses:
        for stage_id, count in use.open_counts(stage_ids).items():
            found[stage_id] = found.get(stage_id, 0) + count
    return found
