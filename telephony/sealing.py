"""Secrets of connections at rest."""

from __future__ import annotations

from crm.people import sealing
from crm.people.sealing import Unreadable

__all__ = ["Unreadable", "seal", "unseal"]

PURPOSE = "telephony.connection"


def seal(values: dict[str, str]) -> str:
    return sealing.seal(values, PURPOSE)


def unseal(sealed: str) -> dict[str, str]:
    """Raises Unreadable."""
    return sealing.unseal(sealed, PURPOSE)
