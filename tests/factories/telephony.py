"""Connections with telephones, and what an exchange would report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from telephony.adapters.webhook import read_event
from telephony.flows import flow_named
from telephony.ingest import take_in
from telephony.models import Call, Connection, Extension
from telephony.simulator import create_simulator

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KNOWN = "+48601234567"
ORIGIN = "0b0f4f0e-6f3c-4a57-8a55-1c1c1c1c1c1c"


def make_connection(by, people=(), *, name: str = "Simulator", **values) -> Connection:
    """A simulated exchange; the people get the extensions 101, 102, …"""
    connection = create_simulator(name=name, by=by)
    for place, person in enumerate(people, start=1):
        Extension.objects.create(connection=connection, number=f"10{place}", user=person)
    for field, value in values.items():
        setattr(connection, field, value)
    connection.save()
    return connection


def cast(call: str = "c-1", client: str = KNOWN, origin: str = ORIGIN) -> dict[str, str]:
    return {
        "client": client, "line": "+48221234567", "call": call, "origin": origin, "ext1": "101", "ext2": "102",
        "ext3": "103",
    }  # fmt: skip


def events_of(flow: str, *, start: datetime = START, **casting) -> list[dict]:
    return flow_named(flow).events(cast(**casting), start)


def play_flow(
    connection: Connection, flow: str, *, until: float | None = None, start=START, **casting
) -> Call:
    """What the flow reports, up to that second, taken in at once; the call it became."""
    events = events_of(flow, start=start, **casting)
    if until is not None:
        events = [
            one for one in events if datetime.fromisoformat(one["at"]) <= start + timedelta(seconds=until)
        ]
    take_in(connection=connection, facts=[read_event(event) for event in events])
    return Call.objects.get(connection=connection, provider_id=casting.get("call", "c-1"))
