"""Demo data: each area fills its own part, in the order of the steps.

A company of a few people comes from the areas' `demo.py`, through their services; one of the size the product is
made for from their `demo_large.py`, in bulk (`crm.web.scale`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from crm.people.models import User
from crm.web.scale.bulk import Bulk
from crm.web.scale.progress import counted

SCALES = ("small", "large")


@dataclass
class Demo:
    """What the steps share. `users` by login; `store` carries records from one step to later ones.

    `part`: how much of the large scale is wanted, 1 for all of it.
    """

    scale: str
    today: date
    users: dict[str, User] = field(default_factory=dict)
    store: dict[str, list] = field(default_factory=dict)
    rng: random.Random = field(default_factory=lambda: random.Random(20))
    say: Callable[..., None] = print
    part: float = 1.0

    @cached_property
    def bulk(self) -> Bulk:
        """Where the large scale puts its rows."""
        return Bulk()

    @cached_property
    def now(self) -> datetime:
        """This morning, in UTC: the same all day long, so that every run makes the same rows."""
        moment = datetime.combine(self.today, datetime.min.time(), tzinfo=timezone.get_current_timezone())
        return moment.astimezone(UTC) + timedelta(hours=9)

    def randomness(self, area: str) -> random.Random:
        """Each area has its own, so that one area's change leaves the others' rows as they were."""
        return random.Random(f"contentum {area}")

    def wanted(self, full: int, name: str) -> Iterator[int]:
        """0, 1, 2 … up to this scale's share of `full`, with a progress bar."""
        total = max(round(full * self.part), 1)
        numbers: Iterable[int] = range(total)
        return counted(numbers, total=total, name=name, say=self.say)


@dataclass(frozen=True)
class Step:
    order: int
    name: str
    load: Callable[[Demo], None]
    scale: str


_steps: dict[str, Step] = {}


def demo_step(order: int, scale: str = ""):
    """Registers `load(demo)`, for one scale or for all.

    People come at 10, dictionaries at 20, records from 30 on, the rows of bulk loads are all in after 80.
    """

    def decorate(load: Callable[[Demo], None]) -> Callable[[Demo], None]:
        name = f"{load.__module__}.{load.__name__}"
        _steps[name] = Step(order, name, load, scale)
        return load

    return decorate


def steps(scale: str = "small") -> list[Step]:
    autodiscover_modules("demo", "demo_large")
    wanted = [step for step in _steps.values() if step.scale in {"", scale}]
    return sorted(wanted, key=lambda step: (step.order, step.name))
