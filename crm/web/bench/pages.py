"""Which pages are measured. Lists, cards, their panels and plain pages are found by themselves (`found`).

An area whose page needs more than an address says so in its `bench.py`:

    @bench_pages
    def pages(user):
        yield Page("deal board", "board", reverse("deals:deal_board"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules


@dataclass(frozen=True)
class Budget:
    """The most a page of a kind may cost; 0 for no limit. `cpu_ms` holds on the data of the large demo."""

    queries: int
    kilobytes: int
    cpu_ms: int


BUDGETS = {
    "list": Budget(10, 60, 25),
    "card": Budget(15, 60, 20),
    "panel": Budget(15, 60, 20),
    "board": Budget(12, 120, 40),
    "search": Budget(10, 15, 15),
    "report": Budget(15, 100, 500),
    "page": Budget(20, 60, 25),
    "post": Budget(25, 0, 40),
}


@dataclass(frozen=True)
class Page:
    """One request. With `data` it is a POST, taken back afterwards; a fragment is asked for as htmx would."""

    name: str
    kind: str
    url: str
    data: dict | None = None
    fragment: bool = False


Source = Callable[[object], Iterable[Page]]
_sources: list[Source] = []


def bench_pages(source: Source) -> Source:
    """Registers a function that gives the pages one user would open."""
    _sources.append(source)
    return source


def pages_of(user) -> Iterator[Page]:
    """Every page of every area for this user, each address once."""
    autodiscover_modules("bench")
    from crm.web.bench import found  # noqa: F401 its sources come last, after the areas' own

    seen = set()
    for source in _sources:
        for page in source(user):
            key = (page.url, page.data is None)
            if key not in seen:
                seen.add(key)
                yield page
