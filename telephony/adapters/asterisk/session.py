"""One session with an exchange, from logging in until it is lost: what has changed meanwhile, then what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from telephony.adapters.asterisk.protocol import Manager
from telephony.adapters.asterisk.translate import Layout, Translator, lost_calls
from telephony.events import CallFact

LOOK_AGAIN_SECONDS = 60.0

Take = Callable[[list[CallFact]], Awaitable[None]]
OpenCalls = Callable[[], Awaitable[list[str]]]


async def follow(manager: Manager, layout: Layout, *, take: Take, open_calls: OpenCalls) -> None:
    """Tells `take` every fact, in order. Ends by raising ConnectionLost.

    `open_calls`: the ids of calls that are believed to be running. They are asked for before the exchange lists its
    channels, so that a call which begins in between is not taken for a lost one.
    """
    believed = await open_calls()
    channels = await manager.listing("CoreShowChannels")
    translator = Translator(layout)
    received = datetime.now(UTC)
    facts = translator.snapshot(channels, received=received)
    facts += lost_calls(believed, channels, received=received)
    if facts:
        await take(facts)
    looking = asyncio.create_task(_look_again(manager, take=take, open_calls=open_calls))
    try:
        while True:
            events = await manager.batch()
            received = datetime.now(UTC)
            facts = [fact for event in events for fact in translator.facts(event, received=received)]
            if facts:
                await asyncio.shield(take(facts))
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look_again(manager: Manager, *, take: Take, open_calls: OpenCalls) -> None:
    """A call that the exchange twice does not know of is over, though nobody told its end."""
    missing: set[str] = set()
    while True:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        believed = await open_calls()
        channels = await manager.listing("CoreShowChannels")
        lost = lost_calls(believed, channels, received=datetime.now(UTC))
        if facts := [fact for fact in lost if fact.call in missing]:
            await asyncio.shield(take(facts))
        missing = {fact.call for fact in lost}
