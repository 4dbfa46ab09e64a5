"""How often one address may ask at doors that need no session. Counted by each web process for itself."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.utils.crypto import salted_hmac

MINUTE = 60


def is_too_often(request, door: str, most: int) -> bool:
    """Counts one more request of this address at the door; True once there were more than `most` in a minute."""
    return _count(request, door, 1) > most


def was_too_often(request, door: str, most: int) -> bool:
    """The same without counting."""
    return _count(request, door, 0) > most


def _count(request, door: str, more: int) -> int:
    address = salted_hmac("collab.phones", request.META.get("REMOTE_ADDR", "")).hexdigest()[:32]
    key = f"door:{door}:{address}:{int(time.time()) // MINUTE}"
    cache.add(key, 0, timeout=2 * MINUTE)
    try:
        return cache.incr(key, more)
    except ValueError:
        return more
