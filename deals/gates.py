"""How pages learn that a stage is guarded, without knowing by what: an area above describes its gates."""

from collections.abc import Callable, Iterable

_describers: list[Callable[[list[int]], dict[int, str]]] = []


def register_gate_describer(describe: Callable[[list[int]], dict[int, str]]) -> None:
    """`describe(stage_ids)` gives {stage id: label of what guards the way into it}. Called from `AppConfig.ready()`."""
    if describe not in _describers:
        _describers.append(describe)


def gates_of(stage_ids: Iterable[int]) -> dict[int, str]:
    """{stage id: label} of the guarded stages among these; one query for each describer."""
    found: dict[int, str] = {}
    ids = list(stage_ids)
    for describe in _describers:
        found.update(describe(ids))
    return found
