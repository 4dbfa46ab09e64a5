"""Who may not read a file although he sees its card: areas register what they know better."""

from __future__ import annotations

from collections.abc import Callable

from crm.files.models import StoredFile

Guard = Callable[[object, StoredFile], bool]
_guards: list[Guard] = []


def register_guard(guard: Guard) -> None:
    """`guard(user, stored)`: whether the user may read the file. Called from `AppConfig.ready()`."""
    if guard not in _guards:
        _guards.append(guard)


def is_open_to(user, stored: StoredFile) -> bool:
    """Whether no guard keeps the file from the user."""
    return all(guard(user, stored) for guard in _guards)
