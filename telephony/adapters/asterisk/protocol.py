"""The manager interface of Asterisk (AMI) over a socket: framing, login, actions, the stream of events.

Text in lines `Name: value`, a message ends with an empty line. Whatever we write is one line and nothing but one line:
a line break in a value would let it set headers of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import itertools
import re
import ssl
from collections.abc import Iterable
from contextlib import suppress

MOST_LINE, MOST_MESSAGE, MOST_WAITING = 8_192, 65_536, 20_000
ANSWER_SECONDS, PING_SECONDS, CONNECT_SECONDS = 8.0, 10.0, 5.0
EVENTS = "call,agent"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z")
_NUMBER = re.compile(r"\+?[0-9]{1,32}\Z")
_NOTHING_MORE = object()

Message = dict[str, str]


class AsteriskError(Exception):
    """Whatever keeps us from talking with the exchange."""


class NotReachable(AsteriskError):
    """Nobody answers at the address, or not with the protocol we expect."""


class LoginRefused(AsteriskError):
    """The exchange does not know the login, or not this secret, or not from our address."""


class ConnectionLost(AsteriskError):
    """The connection ended, or the exchange fell silent."""


class ActionFailed(AsteriskError):
    """The exchange refuses an action; the text is its own."""


class UnsafeValue(ValueError):
    """A value that would not stay one header."""


def dialable(number: str) -> str:
    """The number as it may be dialled: a plus and digits. Raises UnsafeValue for anything else."""
    if not _NUMBER.match(number):
        raise UnsafeValue("a number is a plus and digits")
    return number


def encoded(headers: Iterable[tuple[str, str]]) -> bytes:
    """One message. Raises UnsafeValue for a name or value that would break out of its line."""
    lines = []
    for name, value in headers:
        if not _NAME.match(name) or any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise UnsafeValue(f"not one header: {name[:40]!r}")
        lines.append(f"{name}: {value}".encode())
    if any(len(line) > MOST_LINE for line in lines):
        raise UnsafeValue("too long")
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises ConnectionLost at the end of the stream and for one larger than any real one."""
    message: Message = {}
    size = 0
    while True:
        line = await _line(reader)
        size += len(line)
        if size > MOST_MESSAGE:
            raise ConnectionLost("a message is too large")
        text = line.rstrip(b"\r\n").decode("utf-8", "replace")
        if text:
            name, colon, value = text.partition(":")
            if colon:
                message.setdefault(name.strip(), value.strip())
        elif message:
            return message


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        raise ConnectionLost("a line is too long") from None
    except (asyncio.IncompleteReadError, OSError) as error:
        raise ConnectionLost(str(error) or "the connection ended") from error


def is_loopback(host: str) -> bool:
    """Whether the address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Manager:
    """One session. `async with Manager(...) as manager` logs in and out.

    `events`: which classes the exchange sends us, "off" for a session that only acts.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        tls: ssl.SSLContext | None = None,
        events: str = EVENTS,
        answer_seconds: float = ANSWER_SECONDS,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self.host, self.port, self.username, self.secret = host, port, username, secret
        self.tls, self.wanted = tls, events
        self.answer_seconds, self.ping_seconds = answer_seconds, ping_seconds
        self.banner = ""
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._lists: dict[str, list[Message]] = {}
        self._events: asyncio.Queue = asyncio.Queue(MOST_WAITING)
        self._tasks: list[asyncio.Task] = []
        self._writer: asyncio.StreamWriter | None = None
        self._lost: AsteriskError | None = None

    async def __aenter__(self) -> Manager:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Connects and logs in. Raises NotReachable or LoginRefused."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                name = self.host if self.tls else None
                reader, self._writer = await asyncio.open_connection(
                    self.host, self.port, limit=MOST_LINE, ssl=self.tls, server_hostname=name
                )
                self.banner = (await _line(reader)).decode("utf-8", "replace").strip()
        except (OSError, TimeoutError, ConnectionLost) as error:
            await self.close()
            raise NotReachable(str(error) or "no answer in time") from error
        if not self.banner.startswith("Asterisk Call Manager"):
            await self.close()
            raise NotReachable("this is not the manager interface of Asterisk")
        self._tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._ping())]
        try:
            await self._log_in()
        except BaseException:
            await self.close()
            raise

    async def _log_in(self) -> None:
        """By challenge, so that the secret is not sent; plainly only where nobody can listen."""
        try:
            asked = await self.action("Challenge", [("AuthType", "MD5")])
            key = hashlib.md5((asked.get("Challenge", "") + self.secret).encode(), usedforsecurity=False)
            proof = [("AuthType", "MD5"), ("Key", key.hexdigest())]
        except ActionFailed as error:
            if not self.tls and not is_loopback(self.host):
                raise LoginRefused(
                    "the exchange offers no login by challenge, and the way is not encrypted"
                ) from error
            proof = [("Secret", self.secret)]
        try:
            await self.action("Login", [("Username", self.username), *proof, ("Events", self.wanted)])
        except (ActionFailed, ConnectionLost) as error:
            raise LoginRefused(str(error)) from error

    async def action(
        self, name: str, headers: Iterable[tuple[str, str]] = (), *, action_id: str = ""
    ) -> Message:
        """The exchange's answer. Raises ActionFailed, ConnectionLost, and UnsafeValue before anything is sent."""
        action_id = action_id or f"crm-{next(self._ids)}"
        data = encoded([("Action", name), ("ActionID", action_id), *headers])
        if self._lost or self._writer is None:
            raise ConnectionLost("not connected") from self._lost
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = future
        try:
            self._writer.write(data)
            await self._writer.drain()
            async with asyncio.timeout(self.answer_seconds):
                answer = await future
        except TimeoutError:
            raise ConnectionLost(f"no answer to {name}") from None
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        finally:
            self._answers.pop(action_id, None)
        if answer.get("Response") == "Error":
            raise ActionFailed(answer.get("Message", ""))
        return answer

    async def listing(self, name: str, headers: Iterable[tuple[str, str]] = ()) -> list[Message]:
        """The events of an action that answers with a list."""
        action_id = f"crm-{next(self._ids)}"
        rows = self._lists[action_id] = []
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[f"{action_id}/list"] = done
        try:
            await self.action(name, headers, action_id=action_id)
            async with asyncio.timeout(self.answer_seconds):
                await done
        except TimeoutError:
            raise ConnectionLost(f"the list of {name} does not end") from None
        finally:
            self._lists.pop(action_id, None)
            self._answers.pop(f"{action_id}/list", None)
        return rows

    async def batch(self, most: int = 200) -> list[Message]:
        """What has happened since, in the order in which it is told; waits for the first event.

        Raises ConnectionLost once everything that arrived before has been given out.
        """
        found: list[Message] = []
        while not found or (len(found) < most and not self._events.empty()):
            if not found and self._lost and self._events.empty():
                raise self._lost
            event = await self._events.get()
            if event is not _NOTHING_MORE:
                found.append(event)
        return found

    async def close(self) -> None:
        """Says good-bye and leaves nothing open."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError, RuntimeError):
                if self._lost is None:
                    writer.write(encoded([("Action", "Logoff")]))
                writer.close()
                async with asyncio.timeout(1):
                    await writer.wait_closed()
        self._fail(ConnectionLost("closed"))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                await self._sort(await read_message(reader))
        except AsteriskError as error:
            self._fail(error)

    async def _sort(self, message: Message) -> None:
        """An answer to whoever asked, a row to its list, everything else to the stream."""
        action_id = message.get("ActionID", "")
        if "Event" not in message:  # OriginateResponse is an event that has a header Response
            _settle(self._answers.get(action_id), message)
        elif action_id in self._lists:
            if message.get("EventList", "") == "Complete":
                _settle(self._answers.get(f"{action_id}/list"), message)
            elif len(self._lists[action_id]) < MOST_WAITING:
                self._lists[action_id].append(message)
        elif self.wanted != "off":
            await self._events.put(message)

    async def _ping(self) -> None:
        """A half-open connection looks like a quiet exchange; only asking tells them apart."""
        while True:
            await asyncio.sleep(self.ping_seconds)
            try:
                await self.action("Ping")
            except ActionFailed:
                continue
            except AsteriskError as error:
                self._fail(error)
                return

    def _fail(self, error: AsteriskError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        for future in list(self._answers.values()):
            if not future.done():
                future.set_exception(ConnectionLost(str(error)))
                future.exception()
        with suppress(asyncio.QueueFull):
            self._events.put_nowait(_NOTHING_MORE)


def _settle(future: asyncio.Future | None, message: Message) -> None:
    if future is not None and not future.done():
        future.set_result(message)
