"""Demo data: each area fills its own part from its `demo.py`, in the order of the steps."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.utils.module_loading import autodiscover_modules

from crm.people.models import User


@dataclass
class Demo:
    """What the steps share. `users` by login; `store` carries records from one step to later ones."""

    scale: str
    today: date
    users: dict[str, User] = field(default_factory=dict)
    store: dict[str, list] = field(default_factory=dict)
    rng: random.Random = field(default_factory=lambda: random.Random(20))
    say: Callable[[str], None] = print


@dataclass(frozen=True)
class Step:
    order: int
    name: str
    load: Callable[[Demo], None]


_steps: dict[str, Step] = {}


def demo_step(order: int):
    """Registers `load(demo)` of an area's `demo.py`. People come at 10, dictionaries at 20, records from 30 on."""

    def decorate(load: Callable[[Demo], None]) -> Callable[[Demo], None]:
        name = f"{load.__module__}.{load.__name__}"
        _steps[name] = Step(order, name, load)
        return load

    return decorate


def steps() -> list[Step]:
    autodiscover_modules("demo")
    return sorted(_steps.values(), key=lambda step: (step.order, step.name))
