"""What an installation starts with: each area fills its own dictionaries from its `standard.py`."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.module_loading import autodiscover_modules

_steps: dict[str, tuple[int, Callable[[], object]]] = {}


def standard_data(order: int):
    """Registers a function that creates what is missing of an area's dictionaries; lower orders come first."""

    def decorate(create: Callable[[], object]) -> Callable[[], object]:
        _steps[f"{create.__module__}.{create.__name__}"] = (order, create)
        return create

    return decorate


def create_standard_data() -> None:
    """Runs every area's step. Safe to repeat."""
    autodiscover_modules("standard")
    for _order, create in sorted(_steps.values(), key=lambda step: step[0]):
        create()
