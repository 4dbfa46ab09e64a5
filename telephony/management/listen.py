"""`manage.py telephony listen`: follows every exchange that has to be listened to, until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from telephony.listening import Listening, database_thread

BEAT_SECONDS = 10.0


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--alive", metavar="FILE", help="touched every ten seconds, for whoever watches the process"
    )


def handle(command: BaseCommand, options: dict[str, Any]) -> None:
    asyncio.run(_listen(Path(options["alive"]) if options["alive"] else None))


async def _listen(alive: Path | None) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    showing = asyncio.create_task(_show(alive)) if alive else None
    await Listening(database=database_thread()).run(stop)
    if showing:
        showing.cancel()


async def _show(alive: Path) -> None:
    while True:
        alive.touch()
        await asyncio.sleep(BEAT_SECONDS)
