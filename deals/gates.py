"""How pages learn that a stage is guarded, without knowing by what: an area above describes its gates."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Guard:
    """One process on a way of a stage, as the settings of funnels show it."""

    way: str
    mode: str
    label: str
    url: str
    note: str = ""


_listers: list[Callable[[list[int]], dict[int, list[Guard]]]] = []


def register_guard_lister(guards: Callable[[list[int]], dict[int, list[Guard]]]) -> None:
    """`guards(stage_ids)` gives {stage id: all that is bound to it}. Called from `AppConfig.ready()`."""
    if guards not in _listers:
        _listers.append(guards)


def guards_of(stage_ids: Iterable[int]) -> dict[int, list[Guard]]:
    """{stage id: everything bound to the ways of these stages}; one query for each lister."""
    found: dict[int, list[Guard]] = {}
    ids = list(stage_ids)
    for guards in _listers:
        for stage_id, several in guards(ids).items():
            found.setdefault(stage_id, []).extend(several)
    return found
