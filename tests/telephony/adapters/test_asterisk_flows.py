"""Whole calls of the exchange, told over the socket, become the right calls."""

import asyncio
from collections import defaultdict

import pytest

from telephony.adapters.asterisk.protocol import ConnectionLost, Manager
from telephony.adapters.asterisk.session import follow
from telephony.adapters.asterisk.translate import Layout
from telephony.events import Result
from telephony.flow import recompute
from tests.factories.asterisk import TRUNK, Asterisk, in_a_loop

PHONES = frozenset({"101", "102", "103"})
LAYOUT = Layout(PHONES, frozenset({TRUNK}))


class Heard:
    """What a listener was told, call by call, while `play` did something at the exchange."""

    def __init__(self, exchange):
        self.exchange, self.facts, self.open = exchange, [], []

    def play(self, what):
        """Runs `what()` while a session follows; ends once everything told has arrived."""
        return in_a_loop(self._play(what))

    async def _play(self, what):
        heard = asyncio.Event()

        async def take(facts):
            self.facts += facts
            if any(fact.call == "marker" for fact in facts):
                heard.set()

        async def open_calls():
            return list(self.open)

        async with Manager(
            host="127.0.0.1", port=self.exchange.port, username="crm", secret="s3cret"
        ) as manager:
            following = asyncio.create_task(follow(manager, LAYOUT, take=take, open_calls=open_calls))
            await manager.action("Ping")
            await asyncio.sleep(0.05)
            result = await asyncio.to_thread(what)
            self.exchange.tell("Newchannel", Channel="PJSIP/199-1", Uniqueid="marker", Linkedid="marker")
            waiting = asyncio.create_task(heard.wait())
            await asyncio.wait([waiting, following], return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        return result

    def call(self, call):
        return recompute([fact for fact in self.facts if fact.call == call], PHONES)

    def calls(self):
        by_call = defaultdict(list)
        for fact in self.facts:
            if fact.call != "marker":
                by_call[fact.call].append(fact)
        return {call: recompute(facts, PHONES) for call, facts in by_call.items()}


@pytest.fixture
def exchange():
    with Asterisk() as running:
        yield running


@pytest.fixture
def heard(exchange):
    return Heard(exchange)


def test_answered(exchange, heard):
    state = heard.call(heard.play(exchange.answered))
    assert (state.direction, state.result, state.client) == ("in", Result.ANSWERED, "+48600100200")
    assert (state.line, state.handled_by) == ("+48221000000", ("101",))


def test_ring_group_losers_missed_nothing(exchange, heard):
    state = heard.call(heard.play(exchange.ring_group))
    assert (state.result, state.handled_by) == (Result.ANSWERED, ("102",))
    assert {leg.party: leg.result for leg in state.legs if leg.party in PHONES} == {
        "101": Result.ELSEWHERE,
        "102": Result.ANSWERED,
        "103": Result.ELSEWHERE,
    }


def test_waiting_in_a_queue_is_no_answer(exchange, heard):
    state = heard.call(heard.play(exchange.queue))
    assert (state.result, state.handled_by) == (Result.ANSWERED, ("101",))
    assert next(leg for leg in state.legs if leg.party == "103").result == Result.NO_ANSWER
    assert len(state.legs) == 3


def test_missed(exchange, heard):
    state = heard.call(heard.play(lambda: exchange.missed(extensions=("101", "102"))))
    assert (state.direction, state.result, state.handled_by) == ("in", Result.NO_ANSWER, ())
    assert set(state.rang) == {"101", "102"}


def test_busy(exchange, heard):
    assert heard.call(heard.play(exchange.busy)).result == Result.BUSY


@pytest.mark.parametrize(
    ("status", "result"),
    [("ANSWER", Result.ANSWERED), ("BUSY", Result.BUSY), ("NOANSWER", Result.NO_ANSWER)],
)
def test_dialled_at_the_phone(exchange, heard, status, result):
    state = heard.call(heard.play(lambda: exchange.outgoing(status=status)))
    assert (state.direction, state.result, state.client) == ("out", result, "+48600100200")


def test_internal(exchange, heard):
    assert heard.call(heard.play(exchange.internal)).is_internal


def test_blind_transfer(exchange, heard):
    state = heard.call(heard.play(exchange.blind_transfer))
    assert (state.result, state.handled_by) == (Result.ANSWERED, ("101", "102"))


def test_attended_transfer_is_one_call(exchange, heard):
    call = heard.play(exchange.attended_transfer)
    state = heard.call(call)
    assert (state.result, state.handled_by, state.client) == (Result.ANSWERED, ("101", "102"), "+48600100200")
    outside = [state for state in heard.calls().values() if not state.is_internal]
    assert len(outside) == 1
    assert all(state.ended_at for state in heard.calls().values())


def test_killed_exchange_leaves_a_lost_call(exchange, heard):
    call = heard.play(lambda: exchange.answered(ends=False))
    assert heard.call(call).ended_at is None
    exchange.stop()
    exchange.start()
    heard.open = [call]
    heard.play(lambda: None)
    state = heard.call(call)
    assert (state.result, state.handled_by) == (Result.LOST, ("101",))


def test_dropped_connection_finds_the_running_call_again(exchange, heard):
    call = heard.play(lambda: exchange.answered(ends=False))
    exchange.drop()
    heard.open = [call]
    heard.play(lambda: exchange.finish(call))
    state = heard.call(call)
    assert (state.result, state.handled_by) == (Result.ANSWERED, ("101",))


def test_a_call_begun_while_nobody_listened(exchange, heard):
    call = exchange.answered(ends=False)
    heard.play(lambda: exchange.finish(call))
    state = heard.call(call)
    assert (state.direction, state.result, state.client) == ("in", Result.ANSWERED, "+48600100200")


def test_following_ends_with_the_connection(exchange, heard):
    async def main():
        async def take(_facts): ...

        async def nothing():
            return []

        async with Manager(host="127.0.0.1", port=exchange.port, username="crm", secret="s3cret") as manager:
            asyncio.get_running_loop().call_later(0.1, exchange.tell, "Nothing")
            following = asyncio.create_task(follow(manager, LAYOUT, take=take, open_calls=nothing))
            await asyncio.to_thread(exchange.drop)
            await following

    with pytest.raises(ConnectionLost):
        in_a_loop(main(), 10)


def test_a_hundred_calls_at_once(exchange, heard):
    """None is lost, none is doubled, each keeps its own number and phone."""
    numbers = [f"+48600{index:06d}" for index in range(100)]

    def play():
        started = [(exchange.arrive(number), number) for number in numbers]
        phones = [
            (caller, exchange.phone(f"{101 + index % 3}", caller))
            for index, (caller, _) in enumerate(started)
        ]
        for caller, phone in phones:
            exchange.begin_dial(caller, phone)
        for caller, phone in reversed(phones):
            exchange.end_dial(caller, phone, "ANSWER")
            exchange.talk(caller, phone)
        for caller, _number in started:
            exchange.finish(caller.call)
        return {caller.call: number for caller, number in started}

    played = heard.play(play)
    calls = heard.calls()
    assert {call: state.client for call, state in calls.items()} == played
    assert {state.result for state in calls.values()} == {Result.ANSWERED}
    assert [state.handled_by for state in calls.values()] == [(f"{101 + index % 3}",) for index in range(100)]


# Started here

CALL = "0b0f6f6e-8d4e-4bb0-9a44-7e3a1c3a9b10"


def originate(exchange, extension="101", action="crm-call-" + CALL):
    headers = {"Channel": f"PJSIP/{extension}", "ChannelId": CALL, "Exten": "+48600100200"}

    async def ask():
        async with Manager(
            host="127.0.0.1", port=exchange.port, username="crm", secret="s3cret", events="off"
        ) as manager:
            await manager.action("Originate", headers.items(), action_id=action)

    in_a_loop(ask(), 10)


def test_started_here_and_answered(exchange, heard):
    def play():
        originate(exchange)
        exchange.finish(CALL)

    heard.play(play)
    state = heard.call(CALL)
    assert (state.direction, state.result, state.client) == ("out", Result.ANSWERED, "+48600100200")
    assert (state.origin, state.handled_by) == (CALL, ("101",))


@pytest.mark.parametrize(
    ("extension", "result"),
    [("109", Result.UNREACHABLE), ("103", Result.UNREACHABLE), ("102", Result.UNREACHABLE)],
)
def test_our_own_phone_does_not_answer(exchange, heard, extension, result):
    exchange.phones["102"] = "busy"
    heard.play(lambda: originate(exchange, extension))
    state = heard.call(CALL)
    assert (state.direction, state.result, state.handled_by) == ("out", result, ())
    assert state.ended_at


def test_the_same_id_twice_fails_only_the_second(exchange, heard):
    def play():
        originate(exchange)
        originate(exchange)
        exchange.finish(CALL)

    heard.play(play)
    assert len(exchange.originated) == 2
    assert heard.call(CALL).result == Result.ANSWERED
    assert len(heard.calls()) == 1
