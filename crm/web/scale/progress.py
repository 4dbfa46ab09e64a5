"""How far a long load has come: a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator

WIDTH = 30


def counted(things: Iterable, *, total: int, name: str, say) -> Iterator:
    """Hands the things on and shows how many have gone by."""
    started, terminal = time.monotonic(), sys.stdout.isatty()
    step = max(total // (100 if terminal else 4), 1)
    for number, thing in enumerate(things, start=1):
        yield thing
        if number % step == 0 or number == total:
            line = f"  {name:<16} {_bar(number, total)} {number:>9,} of {total:,} in {time.monotonic() - started:.0f} s"
            say(f"\r{line}" if terminal else line, ending="" if terminal and number < total else "\n")


def _bar(number: int, total: int) -> str:
    full = WIDTH * number // total
    return "█" * full + "░" * (WIDTH - full)
