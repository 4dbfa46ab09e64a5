"""Typed operations that areas offer to business processes.

An area registers an operation from `AppConfig.ready()`; bpm lists them, checks a diagram's arguments against the
inputs when it is published, and calls the handler inside the transaction that completes the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """One argument. `kind`: text, number, money, date, bool, user, record, field or choice (see `choices`)."""

    name: str
    kind: str
    label: str
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """On whose behalf and on what an operation acts.

    `record`: the card the process runs on. `by`: the user whose rights count (who published the process).
    `requester`: who started the run. `via`: a text that history shows beside the actor.
    `key`: the same for every attempt at an external operation, for the other side to tell repetitions by.
    """

    record: object
    by: object
    requester: object
    via: str
    key: str = ""


@dataclass(frozen=True)
class Operation:
    """`handler(context, **inputs)` returns a dict of JSON outputs and raises OperationFailed with a readable text.

    `external`: leaves our own tables (mail, HTTP); such an operation is leased and may be repeated.
    """

    name: str
    label: str
    handler: Callable[..., dict]
    inputs: tuple[Input, ...] = ()
    version: int = 1
    external: bool = False


class OperationFailed(Exception):
    """The operation could not be carried out; the text says why and goes to whoever runs the process.

    `code`: the name by which an error event of a diagram catches this failure apart from others.
    """

    def __init__(self, text: str = "", code: str = "failed") -> None:
        self.code = code
        super().__init__(text)


_operations: dict[tuple[str, int], Operation] = {}


def register_operation(operation: Operation) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _operations[operation.name, operation.version] = operation


def all_operations() -> list[Operation]:
    return sorted(_operations.values(), key=lambda operation: (operation.name, operation.version))


def operation_named(name: str, version: int = 1) -> Operation | None:
    return _operations.get((name, version))


def check_arguments(operation: Operation, names: set[str]) -> list[str]:
    """The names of arguments that are missing (`name`) or unknown (`?name`)."""
    known = {given.name for given in operation.inputs}
    needed = {given.name for given in operation.inputs if given.required}
    return sorted(needed - names) + sorted(f"?{name}" for name in names - known)
