"""Whether somebody outside the house wishes to be reached: areas that keep what people said answer for theirs."""

from __future__ import annotations

from collections.abc import Callable

Refusal = Callable[[str, str], bool]
_refusals: list[Refusal] = []


def register_refusal(refuses: Refusal) -> None:
    """`refuses(channel, address)`: somebody of the area does not wish it. Called from `AppConfig.ready()`."""
    if refuses not in _refusals:
        _refusals.append(refuses)


def may_be_reached(channel: str, address: str) -> bool:
    """Whether nobody with this address has refused the channel; asked each time something is about to be sent."""
    return not any(refuses(channel, address) for refuses in _refusals)
