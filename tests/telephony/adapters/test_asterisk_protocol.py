"""The manager interface, spoken with the double over a socket."""

import asyncio

import pytest

from telephony.adapters.asterisk.protocol import (
    ActionFailed,
    ConnectionLost,
    LoginRefused,
    Manager,
    NotReachable,
    UnsafeValue,
    dialable,
    encoded,
)
from tests.factories.asterisk import Asterisk, in_a_loop


@pytest.fixture
def exchange():
    with Asterisk() as running:
        yield running


def session(exchange, **more):
    settings = {"host": "127.0.0.1", "port": exchange.port, "username": "crm", "secret": "s3cret", **more}
    return Manager(**settings)


def within(coroutine, seconds=10):
    return in_a_loop(coroutine, seconds)


async def _ask(manager, name="Ping", headers=()):
    async with manager:
        return await manager.action(name, headers)


async def _batch(manager):
    async with manager:
        return [event["Event"] for event in await manager.batch()]


def test_login_by_challenge_does_not_send_the_secret(exchange):
    assert within(_ask(session(exchange)))["Ping"] == "Pong"
    login = next(asked for asked in exchange.received if asked["Action"] == "Login")
    assert "Secret" not in login and login["Events"] == "call,agent"


def test_login_without_challenge_is_plain_on_loopback():
    with Asterisk(offers_challenge=False) as exchange:
        assert within(_ask(session(exchange)))["Ping"] == "Pong"


def test_wrong_secret_is_refused(exchange):
    with pytest.raises(LoginRefused):
        within(_ask(session(exchange, secret="wrong")))


def test_nobody_there(exchange):
    exchange.stop()
    with pytest.raises(NotReachable):
        within(_ask(session(exchange)))


def test_something_else_there():
    async def other(_reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    async def main():
        server = await asyncio.start_server(other, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with Manager(host="127.0.0.1", port=port, username="crm", secret="x"):
                pass
        finally:
            server.close()

    with pytest.raises(NotReachable):
        within(main())


@pytest.mark.parametrize(
    "flood",
    [b"x" * 20_000 + b"\r\n", b"Event: X\r\n" + b"A: " + b"x" * 8_000 + b"\r\n"],
    ids=["line", "message"],
)
def test_endless_messages_end_the_session(flood):
    async def other(reader, writer):
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(20):
            writer.write(flood)
        await writer.drain()

    async def main():
        server = await asyncio.start_server(other, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with Manager(host="127.0.0.1", port=port, username="crm", secret="x"):
                pass
        finally:
            server.close()

    with pytest.raises(ConnectionLost, match="too l"):
        within(main())


@pytest.mark.parametrize("value", ["100\r\nApplication: System", "100\nX: 1", "1\r", "a\x00b", "\x7f"])
def test_a_value_stays_one_header(exchange, value):
    with pytest.raises(UnsafeValue):
        encoded([("Exten", value)])
    with pytest.raises(UnsafeValue):
        within(_ask(session(exchange), "Originate", [("Exten", value)]))
    assert not any(asked["Action"] == "Originate" for asked in exchange.received)


def test_a_name_stays_one_header():
    with pytest.raises(UnsafeValue):
        encoded([("Exten: 1\r\nApplication", "System")])


@pytest.mark.parametrize("number", ["+48 600", "600,1", "101@ctx", "", "+", "*99", "60\n", "٣٤", "6" * 33])
def test_only_plus_and_digits_are_dialled(number):
    with pytest.raises(UnsafeValue):
        dialable(number)


def test_refused_action(exchange):
    with pytest.raises(ActionFailed):
        within(_ask(session(exchange), "Command", [("Command", "core stop now")]))


def test_silent_exchange_is_noticed_by_the_ping(exchange):
    async def main():
        async with session(exchange, ping_seconds=0.05, answer_seconds=0.2) as manager:
            exchange.is_deaf = True
            while True:
                await manager.batch()

    with pytest.raises(ConnectionLost):
        within(main())


def test_what_came_before_the_loss_is_still_given_out(exchange):
    async def main():
        heard = []
        async with session(exchange) as manager:
            exchange.tell("Newchannel", Channel="PJSIP/101-1", Uniqueid="1", Linkedid="1")
            await asyncio.to_thread(exchange.drop)
            await asyncio.sleep(0.2)
            try:
                while True:
                    heard += [event["Event"] for event in await manager.batch()]
            except ConnectionLost:
                return heard

    assert "Newchannel" in within(main())


def test_a_session_that_only_acts_hears_nothing(exchange):
    async def main():
        async with session(exchange, events="off") as manager:
            exchange.answered()
            await manager.action("Ping")
            return manager._events.qsize()

    assert within(main()) == 0
