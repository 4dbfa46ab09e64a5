"""Listening to exchanges that call nobody: one session for each connection, kept up until told to stop.

What is heard goes to `telephony.ingest.take_in`, like whatever providers post. A fact is not let go before it stands in
the database: while that is away, the exchange's events wait.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from django.utils.translation import gettext_noop

from telephony import leases
from telephony.adapters.asterisk.protocol import AsteriskError, LoginRefused, NotReachable
from telephony.events import CallFact
from telephony.ingest import take_in
from telephony.models import Call, Connection
from telephony.sealing import Unreadable

logger = logging.getLogger(__name__)

LOOK_SECONDS, BEAT_SECONDS, LONGEST_PAUSE = 5.0, 10.0, 60.0
STEADY_SECONDS, FINISH_SECONDS = 30.0, 5.0
FRESH = timedelta(seconds=15)
MOST_AT_ONCE = 100

AWAY = (OperationalError, InterfaceError)

Database = Callable[..., Awaitable[Any]]


def database_thread() -> Database:
    """A way to the database that does not stop the listening: one thread, so that facts keep their order."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="telephony-database")

    def do(work, args):
        close_old_connections()
        return work(*args)

    async def ask(work, *args):
        return await asyncio.get_running_loop().run_in_executor(pool, do, work, args)

    return ask


class Listening:
    """All connections that want a listener. `run` ends when `stop` is set, and leaves no lease behind."""

    def __init__(
        self,
        *,
        database: Database,
        pause: float = 1.0,
        look: float = LOOK_SECONDS,
        beat: float = BEAT_SECONDS,
    ):
        self.database, self.pause, self.look, self.beat = database, pause, look, beat

    async def run(self, stop: asyncio.Event) -> None:
        tasks: dict[tuple[int, str], asyncio.Task] = {}
        try:
            while not stop.is_set():
                await self._keep(tasks)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.look)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _keep(self, tasks: dict[tuple[int, str], asyncio.Task]) -> None:
        """Begins with what is new, starts anew what has changed, ends what is no longer wanted."""
        try:
            wanted = await self.database(wanted_connections)
        except (DatabaseError, InterfaceError):
            logger.warning("The database does not answer", exc_info=True)
            return
        gone = [key for key in tasks if key not in wanted]
        for key in gone:
            tasks[key].cancel()
        await asyncio.gather(*(tasks.pop(key) for key in gone), return_exceptions=True)
        for key in wanted:
            if key not in tasks or tasks[key].done():
                tasks[key] = asyncio.create_task(Line(self, key[0]).keep())


class Line:
    """One connection: its lease, its session, and what is told of it."""

    def __init__(self, listening: Listening, connection_id: int) -> None:
        self.listening, self.database, self.pk = listening, listening.database, connection_id
        self.token, self.health = uuid4(), {"state": "waiting", "reconnects": 0}
        self.connection: Connection | None = None
        self._taking = asyncio.Lock()

    async def keep(self) -> None:
        """Follows, and follows again, until cancelled."""
        failures = 0
        try:
            while True:
                began = asyncio.get_running_loop().time()
                try:
                    if not await self.database(leases.claim, self.pk, self.token):
                        await asyncio.sleep(self.listening.look)
                        continue
                    await self._session()
                except (
                    AsteriskError,
                    DatabaseError,
                    InterfaceError,
                    LookupError,
                    Unreadable,
                    OSError,
                ) as error:
                    self._failed(error)
                except Exception as error:
                    logger.exception("The listener of connection %s stumbled", self.pk)
                    self._failed(error)
                steady = asyncio.get_running_loop().time() - began > STEADY_SECONDS
                failures = 1 if steady else failures + 1
                await self._tell()
                await asyncio.sleep(self._pause_after(failures))
        finally:
            await asyncio.shield(self._let_go())

    def _pause_after(self, failures: int) -> float:
        """Longer each time, and not the same for all who lost the same exchange."""
        longest = min(LONGEST_PAUSE, self.listening.pause * 2 ** min(failures, 10))
        return random.uniform(longest / 2, longest)

    async def _session(self) -> None:
        self.connection, adapter, layout = await self.database(read_connection, self.pk)
        session = asyncio.create_task(
            adapter.listen(
                layout=layout, take=self._take, open_calls=self._open_calls, connected=self._connected
            )
        )
        beating = asyncio.create_task(self._beat())
        try:
            done, _waiting = await asyncio.wait([session, beating], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (session, beating):
                task.cancel()
            await asyncio.gather(session, beating, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(FINISH_SECONDS), self._taking:
                    pass

    async def _beat(self) -> None:
        """Keeps the lease; ends when somebody else has it."""
        while await self.database(leases.claim, self.pk, self.token):
            await self._tell()
            await asyncio.sleep(self.listening.beat)

    async def _take(self, facts: list[CallFact]) -> None:
        """Every fact reaches the database, however long that takes."""
        async with self._taking:
            for start in range(0, len(facts), MOST_AT_ONCE):
                await self._take_some(facts[start : start + MOST_AT_ONCE])
        self.health["last_event"] = timezone.now().isoformat()

    async def _take_some(self, facts: list[CallFact]) -> None:
        while True:
            try:
                await self.database(store, self.connection, facts)
                return
            except AWAY:
                logger.warning("%s facts wait for the database", len(facts), exc_info=True)
                await asyncio.sleep(self.listening.pause)

    async def _open_calls(self) -> list[str]:
        return await self.database(open_calls, self.pk)

    def _connected(self) -> None:
        self.health |= {"state": "listening", "since": timezone.now().isoformat(), "error": ""}

    def _failed(self, error: BaseException) -> None:
        self.health |= {
            "state": "down", "error": said(error), "detail": str(error)[:200],
            "failed_at": timezone.now().isoformat(), "reconnects": self.health["reconnects"] + 1,
        }  # fmt: skip

    async def _tell(self) -> None:
        with suppress(DatabaseError, InterfaceError):
            await self.database(leases.note_health, self.pk, dict(self.health))

    async def _let_go(self) -> None:
        with suppress(DatabaseError, InterfaceError):
            await self.database(leases.release, self.pk, self.token)


def read_connection(pk: int) -> tuple[Connection, Any, Any]:
    """The connection, its adapter, and which names on the exchange are ours."""
    connection = Connection.objects.select_related("author").get(pk=pk)
    adapter: Any = connection.adapter
    return connection, adapter, adapter.layout


def wanted_connections() -> set[tuple[int, str]]:
    """(id, fingerprint of the settings) of every connection in use whose exchange has to be listened to."""
    wanted = set()
    for connection in Connection.objects.filter(is_active=True).prefetch_related("extensions"):
        with suppress(LookupError, Unreadable):
            if connection.adapter.needs_listener:
                numbers = ",".join(sorted(one.number for one in connection.extensions.all()))
                wanted.add((connection.pk, f"{connection.sealed}|{numbers}"))
    return wanted


def mark_wanted() -> bool:
    """Tells whoever supervises the processes of this machine whether a listener is wanted."""
    mark, wanted = settings.DATA_DIR / "listener.wanted", bool(wanted_connections())
    if wanted:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)
    return wanted


def open_calls(connection_id: int) -> list[str]:
    """Ids of calls that are believed to run; those that have only just begun may not be on the exchange's list yet."""
    rows = Call.objects.live().filter(connection_id=connection_id, provider_id__isnull=False)
    return list(rows.filter(started_at__lt=timezone.now() - FRESH).values_list("provider_id", flat=True))


def store(connection: Connection, facts: list[CallFact]) -> None:
    """Takes the facts in. What cannot be taken in is left out by itself: it must not hold up what follows."""
    try:
        take_in(connection=connection, facts=facts)
    except AWAY:
        raise
    except Exception:
        if len(facts) == 1:
            logger.exception(
                "A fact of connection %s cannot be taken in: %s", connection.pk, facts[0].event_key
            )
            return
        for fact in facts:
            store(connection, [fact])


def said(error: BaseException) -> str:
    """What is wrong, as an English msgid that the health page shows in the reader's language."""
    match error:
        case LoginRefused():
            return gettext_noop("The exchange refuses the login.")
        case NotReachable():
            return gettext_noop("The exchange cannot be reached.")
        case AsteriskError():
            return gettext_noop("The connection to the exchange was lost.")
        case DatabaseError() | InterfaceError():
            return gettext_noop("The database did not answer.")
        case LookupError() | Unreadable():
            return gettext_noop("The settings of the connection cannot be read.")
        case _:
            return gettext_noop("The listener stumbled; the log says more.")
