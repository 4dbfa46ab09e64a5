"""`/live/`: the stream of live events as a small ASGI app of its own, beside Django.

One poller per process reads the table for all connections and hands each reader what he may know. Nothing but kinds
and ids travels; pages fetch the rest with their own rights.
"""

import asyncio
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

from django.db import close_old_connections

from crm.notify import streams

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3
HEARTBEAT_SECONDS = 15
RECHECK_SECONDS = 60
PER_USER = 20
BACKLOG = 500
RECONNECT_REPLAY = 3600
FIRST_REPLAY = 5
PAGE_REPLAY = 60

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Listener:
    """One open connection."""

    def __init__(self, user) -> None:
        self.user = user
        self.rows: asyncio.Queue = asyncio.Queue(BACKLOG)
        self.checked_at = time.monotonic()
        self.overflowed = False

    def hand(self, rows: list) -> None:
        """Queues rows; a reader too slow for the backlog is cut off and comes back by himself."""
        for row in rows:
            try:
                self.rows.put_nowait(row)
            except asyncio.QueueFull:
                self.overflowed = True
                return


class LiveEvents:
    """The ASGI app. Its poller runs only while somebody listens."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._poller: asyncio.Task | None = None
        self._waking = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live")

    async def __call__(self, scope, receive, send) -> None:
        headers = dict(scope["headers"])
        cookies = headers.get(b"cookie", b"").decode("latin-1")
        if scope["method"] != "GET":
            return await self._refuse(send, 405)
        user = await self._in_thread(streams.reader_of, cookies)
        if user is None:
            return await self._refuse(send, 401)
        if sum(listener.user.pk == user.pk for listener in self.listeners) >= PER_USER:
            return await self._refuse(send, 429)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        listener = Listener(user)
        self.listeners.add(listener)
        gone = asyncio.create_task(self._gone(receive))
        try:
            await self._wake()
            await self._replay(listener, headers, scope, send)
            await self._talk(listener, cookies, gone, send)
        except OSError:
            pass
        finally:
            gone.cancel()
            self.listeners.discard(listener)

    async def _replay(self, listener: Listener, headers: dict, scope, send) -> None:
        """What happened while the browser was away, or while the page was on its way to it."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        asked, away = query.get("last", [""])[0], "away" in query
        after, seconds = _number(headers.get(b"last-event-id", b"").decode("latin-1")), RECONNECT_REPLAY
        if after is None:
            after = _number(asked)
            seconds = FIRST_REPLAY if after is None else RECONNECT_REPLAY if away else PAGE_REPLAY
        rows = await self._in_thread(streams.missed, listener.user, after, seconds)
        await self._write(send, b": hello\nretry: 2000\n\n" + b"".join(_event(row) for row in rows))

    async def _talk(self, listener: Listener, cookies: str, gone: asyncio.Task, send) -> None:
        while not listener.overflowed:
            waiting = asyncio.create_task(listener.rows.get())
            done, _ = await asyncio.wait(
                {waiting, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if waiting not in done:
                waiting.cancel()
            if gone in done or not await self._still_welcome(listener, cookies):
                break
            await self._write(send, _event(waiting.result()) if waiting in done else b": still here\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _still_welcome(self, listener: Listener, cookies: str) -> bool:
        """Once a minute: is the session still valid, and with which rights."""
        if time.monotonic() - listener.checked_at > RECHECK_SECONDS:
            user = await self._in_thread(streams.reader_of, cookies)
            if user is None or user.pk != listener.user.pk:
                return False
            listener.user, listener.checked_at = user, time.monotonic()
        return True

    async def _wake(self) -> None:
        """Finds the end of the table before anything is replayed, so that no row falls between the two."""
        async with self._waking:
            if self._poller is None or self._poller.done():
                tail = streams.Tail()
                await self._in_thread(tail.new_rows)
                self._poller = asyncio.create_task(self._poll(tail))

    async def _poll(self, tail: streams.Tail) -> None:
        while self.listeners:
            try:
                rows = await self._in_thread(tail.new_rows)
                if rows:
                    await self._hand_out(rows)
            except Exception:
                logger.warning("Live events could not be read", exc_info=True)
                await asyncio.sleep(2)
            await asyncio.sleep(POLL_SECONDS)

    async def _hand_out(self, rows: list) -> None:
        users = {listener.user.pk: listener.user for listener in self.listeners}
        heard = await self._in_thread(streams.hearings, list(users.values()), rows)
        for listener in self.listeners:
            listener.hand(heard.get(listener.user.pk, []))

    async def _in_thread(self, function, *args):
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, _with_database, function, *args
        )

    @staticmethod
    async def _gone(receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    @staticmethod
    async def _write(send, body: bytes) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": True})

    @staticmethod
    async def _refuse(send, status: int) -> None:
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"cache-control", b"no-store")]}
        )
        await send({"type": "http.response.body", "body": b""})


def _with_database(function, *args):
    """Outside of Django's requests nobody else closes a connection that has broken or grown old."""
    close_old_connections()
    try:
        return function(*args)
    finally:
        close_old_connections()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _event(row: streams.Row) -> bytes:
    return f"id: {row.pk}\ndata: {json.dumps(row.body)}\n\n".encode()
