"""Which function does which kind of job. Handlers live in the `tasks.py` of their area.

@handler("leads.import")
def run_import(run: JobRun) -> dict: ...
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.utils.module_loading import autodiscover_modules


class UnknownKind(LookupError):
    """No area offers a handler for this kind of job."""


@dataclass(frozen=True)
class Handler:
    """How one kind of job is done; see `handler` for the meaning of the fields."""

    kind: str
    function: Callable
    external: bool = False
    atomic: bool = False
    long: bool = False
    max_attempts: int = 4
    every: timedelta | None = None


_handlers: dict[str, Handler] = {}
_surroundings: Callable[[object], AbstractContextManager] | None = None


def handler(
    kind: str,
    *,
    external: bool = False,
    atomic: bool = False,
    long: bool = False,
    max_attempts: int = 4,
    every: timedelta | None = None,
) -> Callable:
    """Declares a function that takes a `JobRun` as the way to do jobs of `kind`.

    `external`: acts outside the database (mail, HTTP), so a crash half-way makes it doubtful instead of repeating it.
    `atomic`: the function and the completion of its job are one transaction; for short steps that must happen
    exactly once.
    `long`: takes more than a few seconds; never all workers are busy with such jobs.
    `every`: the job returns by itself after this time.
    """

    def register(function: Callable) -> Callable:
        known = _handlers.get(kind)
        if known and known.function.__qualname__ != function.__qualname__:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}")
        _handlers[kind] = Handler(kind, function, external, atomic, long, max_attempts, every)
        return function

    return register


def register_surroundings(enter: Callable[[object], AbstractContextManager]) -> None:
    """`enter(user)`: the language and zone in which the jobs of a user, or of nobody (None), run."""
    global _surroundings
    _surroundings = enter


def surroundings(user) -> AbstractContextManager:
    """What has been registered, else nothing in particular."""
    return _surroundings(user) if _surroundings else nullcontext()


@lru_cache(maxsize=1)
def _discover() -> None:
    autodiscover_modules("tasks")


def handler_for(kind: str) -> Handler:
    """The handler of a kind. Raises UnknownKind."""
    _discover()
    try:
        return _handlers[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def all_handlers() -> list[Handler]:
    """Every handler any area offers."""
    _discover()
    return list(_handlers.values())
