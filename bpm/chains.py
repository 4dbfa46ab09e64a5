"""Which run is at work, so that runs it starts know their cause: processes that start each other stop somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bpm.models import ProcessInstance

DEEPEST = 5
"""How many runs may start each other in a row before the next one is held for a person to look at."""

_at_work: ContextVar[ProcessInstance | None] = ContextVar("run_at_work", default=None)


@contextmanager
def at_work(instance: ProcessInstance) -> Iterator[None]:
    """What happens in the block is this run's deed."""
    token = _at_work.set(instance)
    try:
        yield
    finally:
        _at_work.reset(token)


def cause() -> ProcessInstance | None:
    """The run whose deed is going on; None for people, forms and clocks."""
    return _at_work.get()
