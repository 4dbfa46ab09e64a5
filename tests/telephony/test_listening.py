"""The listener, with the double of an exchange at the other end of a socket."""

import asyncio
import concurrent.futures
import queue
import threading
import time
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from telephony import leases, listening
from telephony.adapters.asterisk import adapter
from telephony.adapters.base import CannotCall
from telephony.listening import Listening
from telephony.models import Call, CallEvent, Connection, Extension, ListenerLease, Recording
from tests.factories.asterisk import TRUNK, Asterisk


@pytest.fixture
def exchange():
    with Asterisk() as running:
        yield running


def connect(exchange, by, people=(), name="Office", **more):
    connection = Connection(name=name, provider="asterisk", author=by, region="PL")
    connection.settings = {
        "host": "127.0.0.1", "port": str(exchange.port), "username": "crm", "secret": "s3cret", "trunks": TRUNK,
        "technology": "PJSIP", "context": "from-internal", "plus": "+", **more,
    }  # fmt: skip
    connection.save()
    for place, person in enumerate(people, start=1):
        Extension.objects.create(connection=connection, number=f"10{place}", user=person)
    return connection


@pytest.fixture
def connection(exchange, admin_user, rep, teammate):
    return connect(exchange, admin_user, [rep, teammate])


@pytest.fixture
def listen(monkeypatch):
    """listen(exchange, what, until): follows while `what()` happens in a thread, and until `until()` is true.

    The listener runs in a thread of its own; its work in the database is done here, in the test's transaction.
    """
    monkeypatch.setattr(listening, "FRESH", timedelta(0))
    asked = queue.Queue()

    async def database(work, *args):
        future = concurrent.futures.Future()
        asked.put((future, work, args))
        return await asyncio.wrap_future(future)

    def serve():
        with suppress(queue.Empty):
            while True:
                future, work, args = asked.get(timeout=0.02)
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    future.set_result(work(*args))
                except Exception as error:
                    future.set_exception(error)

    def run(exchange, what, until, *, wait=True):
        stop, loop = asyncio.Event(), asyncio.new_event_loop()
        follower = Listening(database=database, pause=0.02, look=0.05, beat=0.1)
        running = threading.Thread(target=loop.run_until_complete, args=(follower.run(stop),), daemon=True)
        running.start()
        deadline = time.monotonic() + 120

        def serve_while(condition):
            while condition():
                assert time.monotonic() < deadline, "it takes too long"
                serve()

        if wait:
            serve_while(lambda: not any(exchange.sessions.values()))
            serve_while(lambda: not Connection.objects.exclude(listener_at=None).exists())
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            playing = pool.submit(what)
            serve_while(lambda: not playing.done())
            playing.result()
        serve_while(lambda: not until())
        loop.call_soon_threadsafe(stop.set)
        serve_while(running.is_alive)
        loop.close()

    return run


def ended(count=1):
    return lambda: Call.objects.filter(state="ended").count() >= count


def test_an_incoming_call_is_logged(exchange, connection, listen, rep):
    def told():
        connection.refresh_from_db()
        return ended()() and "last_event" in connection.health

    listen(exchange, exchange.answered, told)
    call = Call.objects.get()
    assert (call.direction, call.result, call.number, call.owner) == ("in", "answered", "+48600100200", rep)
    assert ListenerLease.objects.count() == 0
    connection.refresh_from_db()
    assert connection.listener_at and connection.health["state"] == "listening"
    assert connection.health["last_event"]


def test_internal_calls_are_nobodys_business(exchange, connection, listen, admin_user):
    def play():
        exchange.internal()
        exchange.missed()

    listen(exchange, play, lambda: Call.objects.filter(is_internal=False, state="ended").exists())
    assert Call.objects.visible_to(admin_user).count() == 1


def test_an_exchange_killed_in_the_middle_of_a_call(exchange, connection, listen):
    """No end is ever told; after the return the call is closed as lost, and nobody missed anything."""

    def play():
        exchange.answered(ends=False)
        time.sleep(0.3)
        exchange.stop()
        time.sleep(0.2)
        exchange.start()

    listen(exchange, play, ended())
    call = Call.objects.get()
    assert (call.result, call.is_missed, call.talk_seconds) == ("lost", False, 0)
    connection.refresh_from_db()
    assert connection.health["reconnects"] >= 1


def test_a_dropped_connection_loses_no_running_call(exchange, connection, listen):
    def play():
        call = exchange.answered(ends=False)
        time.sleep(0.2)
        exchange.drop()
        exchange.wait_for_session()
        time.sleep(0.3)
        exchange.finish(call)

    listen(exchange, play, ended())
    assert Call.objects.get().result == "answered"


def test_a_hundred_calls_at_once(exchange, connection, listen):
    numbers = {f"+48600{index:06d}" for index in range(100)}

    def play():
        pairs = []
        for number in numbers:
            caller = exchange.arrive(number)
            pairs.append((caller, exchange.phone("101", caller)))
        for caller, phone in pairs:
            exchange.dial(caller, phone)
            exchange.talk(caller, phone)
        for caller, _phone in pairs:
            exchange.finish(caller.call)

    listen(exchange, play, ended(100))
    calls = Call.objects.all()
    assert {call.number for call in calls} == numbers and len(calls) == 100
    assert {call.result for call in calls} == {"answered"}
    assert [call.legs.count() for call in calls] == [2] * 100


def test_two_exchanges_with_the_same_ids(exchange, connection, listen, admin_user):
    with Asterisk() as other:
        connect(other, admin_user, name="Branch")
        other.started = exchange.started

        def play():
            other.wait_for_session()
            time.sleep(0.2)
            exchange.answered("+48600000001")
            other.answered("+48600000002")

        listen(exchange, play, ended(2))
    first, second = Call.objects.order_by("number")
    assert first.provider_id == second.provider_id
    assert (first.number, second.number) == ("+48600000001", "+48600000002")


def test_a_database_that_is_away_loses_nothing(exchange, connection, listen, monkeypatch):
    failures = iter(range(5))
    real = listening.take_in

    def shaky(**given):
        if next(failures, None) is not None:
            raise OperationalError("away")
        return real(**given)

    monkeypatch.setattr(listening, "take_in", shaky)
    listen(exchange, exchange.answered, ended())
    assert Call.objects.get().result == "answered"


def test_what_cannot_be_taken_in_holds_nothing_up(exchange, connection, listen, monkeypatch):
    real = listening.take_in

    def choking(*, connection, facts):
        if any(fact.party == "+48666" for fact in facts):
            raise ValueError("poison")
        return real(connection=connection, facts=facts)

    monkeypatch.setattr(listening, "take_in", choking)

    def play():
        exchange.missed("+48666")
        exchange.answered("+48600100200")

    listen(exchange, play, lambda: Call.objects.filter(result="answered").exists())


def test_a_refused_login_is_told(exchange, admin_user, listen):
    connection = connect(exchange, admin_user, secret="wrong")

    def told():
        connection.refresh_from_db()
        return connection.health.get("state") == "down"

    listen(exchange, lambda: None, told, wait=False)
    assert connection.health["error"] == "The exchange refuses the login."
    assert "wrong" not in str(connection.health)


def test_one_listener_for_each_connection(exchange, connection, listen):
    stranger = uuid.uuid4()
    assert leases.claim(connection.pk, stranger)
    assert not leases.claim(connection.pk, uuid.uuid4())

    def waits():
        time.sleep(0.3)
        assert not exchange.sessions
        exchange.is_let_go = True

    def until():
        if getattr(exchange, "is_let_go", False):
            leases.release(connection.pk, stranger)
        return bool(exchange.sessions)

    listen(exchange, waits, until, wait=False)


def test_a_lease_that_ran_out_is_taken_over(connection):
    gone, next_one = uuid.uuid4(), uuid.uuid4()
    assert leases.claim(connection.pk, gone) and leases.claim(connection.pk, gone)
    ListenerLease.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert leases.claim(connection.pk, next_one)
    assert not leases.claim(connection.pk, gone)


def test_a_connection_that_is_put_away_is_let_go(exchange, connection, listen):
    gone = False

    def until():
        nonlocal gone
        if not gone:
            Connection.objects.update(is_active=False)
            gone = True
        return not exchange.sessions

    listen(exchange, lambda: None, until)


def test_a_recording_is_named_after_the_call(exchange, connection, listen):
    def play():
        call = exchange.answered(ends=False)
        exchange.tell("MixMonitorStart", **exchange.lines[call].headers())
        exchange.finish(call)

    listen(exchange, play, ended())
    call = Call.objects.get()
    assert Recording.objects.get().reference == call.provider_id


# Calling by a click


def click(connection, number="+48600100200"):
    extension = connection.extensions.get(number="101")
    return Call.objects.create(
        connection=connection, direction="out", number=number, number_raw=number, started_at=timezone.now(),
        asked_by=extension.user, owner=extension.user, extension=extension,
    )  # fmt: skip


def test_a_click_becomes_one_call(exchange, connection, listen, rep):
    call = click(connection)

    def play():
        assert connection.adapter.originate(call) == str(call.uuid)
        exchange.finish(str(call.uuid))

    listen(exchange, play, ended())
    call = Call.objects.get()
    assert (call.direction, call.result, call.owner) == ("out", "answered", rep)
    asked = exchange.originated[0]
    assert (asked["Channel"], asked["Exten"], asked["Async"]) == ("PJSIP/101", "+48600100200", "true")


def test_a_phone_that_is_offline_ends_the_call(exchange, connection, listen):
    del exchange.phones["101"]
    call = click(connection)
    listen(exchange, lambda: connection.adapter.originate(call), ended())
    assert Call.objects.get().result == "unreachable"


@pytest.mark.parametrize("number", ["+48600\r\nApplication: System", "600,1", "*97", ""])
def test_nothing_but_a_number_is_dialled(exchange, connection, number):
    call = click(connection)
    call.number = call.number_raw = number
    with pytest.raises(CannotCall):
        connection.adapter.originate(call)
    assert exchange.originated == []


def test_an_extension_stays_one_header(exchange, connection):
    call = click(connection)
    call.extension.number = "101\r\nApplication: System"
    with pytest.raises(CannotCall):
        connection.adapter.originate(call)
    assert exchange.originated == []


def test_an_exchange_that_is_away_refuses_in_time(exchange, connection, monkeypatch):
    call = click(connection)
    assert adapter.TOTAL_SECONDS < 10
    monkeypatch.setattr(adapter, "TOTAL_SECONDS", 0.5)
    exchange.is_deaf = True
    with pytest.raises(CannotCall, match="in time"):
        connection.adapter.originate(call)
    exchange.stop()
    with pytest.raises(CannotCall, match="cannot be reached"):
        connection.adapter.originate(call)


def test_hanging_up(exchange, connection):
    call = click(connection)
    call.provider_id = connection.adapter.originate(call)
    deadline = time.monotonic() + 10
    while not exchange.lines:
        assert time.monotonic() < deadline
    connection.adapter.hangup(call)
    assert exchange.lines == {}


def test_the_self_test_says_what_to_do(exchange, connection, admin_user):
    assert all(result.ok for result in connection.adapter.check())
    wrong = connect(exchange, admin_user, name="Wrong", secret="x").adapter.check()
    assert [result.ok for result in wrong] == [True, False] and "manager.conf" in wrong[1].say
    exchange.stop()
    (gone,) = connection.adapter.check()
    assert not gone.ok and "firewall" in gone.say


def test_facts_are_stored_once(exchange, connection, listen):
    listen(exchange, exchange.ring_group, ended())
    keys = list(CallEvent.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))
