"""The one door for what providers say: facts become rows, and rows become calls.

    take_in(connection=connection, facts=adapter.parse(...))

Facts may come twice, late, at once from several sides and in any order. What is known of a call is a set; the call is
written anew from the whole set while its row is locked.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from counterparties.callers import read_caller
from crm.notify.services import publish
from crm.people.many_rows import insert_rows, update_rows
from crm.people.models import User
from crm.people.prepared import Prepared, PreparedRecord
from telephony import recordings
from telephony.events import CallFact, Kind, Result, Role
from telephony.flow import CallState, recompute
from telephony.legs import LegState
from telephony.matching import link_call
from telephony.models import Call, CallEvent, CallLeg, Connection, Extension, Recording, State
from telephony.models.calls import FLOW_FIELDS
from telephony.signals import call_answered, call_corrected, call_ended, call_missed, call_started

POPUP = "telephony.popup"
CARD_FIELDS = ("lead", "deal", "counterparty", "contact")
ASKED_FIELDS = ("asked_by", "extension", "note", "outcome", "by_hand", *CARD_FIELDS)


@transaction.atomic
def take_in(*, connection: Connection, facts: Iterable[CallFact]) -> list[Call]:
    """Stores the facts that are new and brings their calls up to date. The calls that changed."""
    by_call: dict[str, list[CallFact]] = {}
    for fact in facts:
        by_call.setdefault(fact.call, []).append(fact)
    phones = {number: Phone(*rest) for number, *rest in _phones().rows(connection.pk)}
    # Sorted, so that two deliveries of the same calls lock them in the same order.
    calls = [_take_in_call(connection, name, by_call[name], phones) for name in sorted(by_call)]
    return [call for call in calls if call is not None]


class Phone(NamedTuple):
    """A telephone of the connection, and whose it is."""

    pk: int
    user_id: int | None
    is_active: bool | None


@cache
def _phones() -> Prepared:
    names = ("number", "pk", "user_id", "user__is_active")
    return Prepared(lambda pk: Extension.objects.filter(connection=pk).order_by().values_list(*names), 1)


def _take_in_call(
    connection: Connection, provider_id: str, facts: list[CallFact], phones: dict[str, Phone]
) -> Call | None:
    call = _locked_call(connection, provider_id, facts)
    before = _known(call)
    known = _store(call, facts, before)
    if known.keys() == before.keys():
        return None
    _write(call, recompute(known.values(), phones), phones)
    return call


# Rows of events


EVENT_FIELDS = ("connection", "call", "key", "kind", "fact", "occurred_at", "received_at")
FACT_FIELDS = tuple(one.name for one in fields(CallFact))


@cache
def _events() -> Prepared:
    return Prepared(lambda pk: CallEvent.objects.filter(call=pk).order_by().values_list("key", "fact"), 1)


def _known(call: Call) -> dict[str, CallFact]:
    """What is stored of the call, by key."""
    return {key: _fact(json.loads(fact)) for key, fact in _events().rows(call.pk)}


def _store(call: Call, facts: list[CallFact], known: dict[str, CallFact]) -> dict[str, CallFact]:
    """Adds the facts that are not known yet; what is known then."""
    fresh = {fact.event_key: _json(fact) for fact in facts if fact.event_key not in known}
    now = timezone.now()
    rows = [
        (call.connection_id, call.pk, key, fact["kind"], fact, datetime.fromisoformat(fact["at"]), now)
        for key, fact in fresh.items()
    ]
    if insert_rows(CallEvent, EVENT_FIELDS, rows, ignore_conflicts=True) < len(rows):
        # A key of another call of this connection: the event is that call's.
        return _known(call)
    return known | {key: _fact(fact) for key, fact in fresh.items()}


def _json(fact: CallFact) -> dict:
    empty = (None, "", {})
    values = {name: getattr(fact, name) for name in FACT_FIELDS}
    return {name: value for name, value in values.items() if value not in empty} | {"at": fact.at.isoformat()}


def _fact(stored: dict) -> CallFact:
    values = dict(stored, at=datetime.fromisoformat(stored["at"]), kind=Kind(stored["kind"]))
    if "role" in values:
        values["role"] = Role(values["role"])
    if "result" in values:
        values["result"] = Result(values["result"])
    return CallFact(**values)


# Rows of calls


def _locked_call(connection: Connection, provider_id: str, facts: list[CallFact]) -> Call:
    """The call of this id, made if need be, locked until the transaction ends. Safe against others doing the same."""
    asked = _asked_here(connection, facts)
    call = _locking().first(connection.pk, provider_id)
    if call is None:
        _make_call(connection, provider_id, facts, asked)
        call = _locking().first(connection.pk, provider_id)
    if call is None:
        raise Call.DoesNotExist
    if asked is not None and asked.pk != call.pk:
        _absorb(call, asked)
    return call


@cache
def _locking() -> PreparedRecord:
    rows = Call.objects.select_for_update(of=("self",)).select_related("connection__author", "owner")
    return PreparedRecord(
        lambda pk, name: rows.filter(connection=pk, provider_id=name).order_by(), 1, texts=1
    )


def _make_call(connection: Connection, provider_id: str, facts: list[CallFact], asked: Call | None) -> None:
    if asked is not None:
        Call.objects.filter(pk=asked.pk, provider_id=None).update(provider_id=provider_id)
        return
    draft = Call(
        connection=connection, provider_id=provider_id, started_at=min(fact.at for fact in facts), is_internal=True
    )  # fmt: skip
    # ON CONFLICT DO NOTHING: an IntegrityError would poison the transaction on PostgreSQL.
    Call.objects.bulk_create([draft], ignore_conflicts=True)


def _asked_here(connection: Connection, facts: list[CallFact]) -> Call | None:
    """The row that waits for this call, where it was started here; exchanges that can call it by its own uuid do."""
    for origin in sorted({name for fact in facts for name in (fact.origin, fact.call) if len(name) == 36}):
        try:
            number = uuid.UUID(origin)
        except ValueError:
            continue
        if found := Call.objects.filter(connection=connection, uuid=number, provider_id=None).first():
            return found
    return None


def _absorb(call: Call, asked: Call) -> None:
    """The provider told of the call before it said that it is the one we asked for: one row remains."""
    for name in (*ASKED_FIELDS, "owner"):
        if not getattr(call, name):
            setattr(call, name, getattr(asked, name))
    asked.delete()
    call.save(update_fields=[*ASKED_FIELDS, "owner", "updated_at"])


def _write(call: Call, state: CallState, phones: dict[str, Phone]) -> None:
    rows = {leg.provider_id: leg for leg in _legs().all(call.pk)}
    before, values = _Before(call, rows.values()), _values(call)
    _copy(call, state)
    call.owner_id = _owner(call, state, phones)
    # Who gets the number later is matched by what writes him; the end looks once more.
    if not call.is_internal and (before.number != call.number or not before.is_known or not call.is_live):
        link_call(call)
    if changed := [name for name, value in _values(call).items() if value != values[name]]:
        call.save(update_fields=[*changed, "updated_at"])
    _write_legs(call, state, phones, rows)
    _write_recordings(call, state)
    _tell(call, before, state, phones)


def _values(call: Call) -> dict[str, object]:
    """What events change of a call; the owner's department is written with him."""
    values = {name: getattr(call, field.attname) for name, field in _WRITTEN.items()}
    return values | {"owner": (call.owner_id, call.owner.department_id if call.owner else None)}


_WRITTEN = {
    name: Call._meta.get_field(name)
    for name in (*FLOW_FIELDS, *CARD_FIELDS)
    if name not in {"owner", "department", "updated_at"}
}


def _copy(call: Call, state: CallState) -> None:
    caller = read_caller(state.client, call.connection.region)
    if state.client:
        call.number, call.number_raw = caller.e164, state.client[:80]
    call.direction = "" if state.direction == "internal" else state.direction
    call.is_internal = state.is_internal or call.connection.is_ignored(call.number, state.client)
    call.line = state.line[:40]
    call.state, call.result = str(state.state), str(state.result or "")
    call.started_at, call.answered_at, call.ended_at = state.started_at, state.answered_at, state.ended_at
    call.talk_seconds, call.wait_seconds = state.talk, state.waiting


class _Before:
    """What the call was before this delivery."""

    def __init__(self, call: Call, legs: Iterable[CallLeg]) -> None:
        self.is_known, self.number = not call.is_internal, call.number
        self.is_answered = call.answered_at is not None
        self.is_ended = call.state == State.ENDED
        self.is_missed = call.is_missed
        self.ending = (call.result, call.talk_seconds)
        self.users = {leg.user_id for leg in legs if leg.user_id is not None}


def _users(numbers: Iterable[str], phones: dict[str, Phone]) -> list[int]:
    """The people at these extensions."""
    return [user for one in numbers if one in phones and (user := phones[one].user_id) is not None]


def _owner(call: Call, state: CallState, phones: dict[str, Phone]) -> int | None:
    """Who spoke first, else who asked for the call, else at whose phone it rang first."""
    spoke = _users(state.handled_by, phones)
    if spoke:
        return spoke[0]
    rang = _users(state.rang, phones)
    return call.asked_by_id or (rang[0] if rang else call.owner_id)


LEG_FIELDS = (
    "position", "role", "party", "extension_id", "user_id", "state", "result", "started_at", "answered_at",
    "ended_at", "talk_seconds",
)  # fmt: skip


@cache
def _legs() -> PreparedRecord:
    return PreparedRecord(lambda pk: CallLeg.objects.filter(call=pk).order_by(), 1)


def _write_legs(call: Call, state: CallState, phones: dict[str, Phone], rows: dict[str, CallLeg]) -> None:
    wanted = {leg.leg[:160]: _leg_values(place, leg, phones) for place, leg in enumerate(state.legs)}
    if gone := rows.keys() - wanted.keys():
        call.legs.filter(provider_id__in=gone).delete()
    insert_rows(
        CallLeg,
        ("call", "provider_id", *LEG_FIELDS),
        [(call.pk, name, *values) for name, values in wanted.items() if name not in rows],
    )
    changed = {
        row.pk: wanted[name]
        for name, row in rows.items()
        if name in wanted and tuple(getattr(row, field) for field in LEG_FIELDS) != wanted[name]
    }
    update_rows(CallLeg, LEG_FIELDS, changed)


def _leg_values(place: int, leg: LegState, phones: dict[str, Phone]) -> tuple:
    """In the order of LEG_FIELDS."""
    phone = phones.get(leg.party) if leg.role == Role.MANAGER else None
    return (
        place, str(leg.role), leg.party[:80], phone.pk if phone else None, phone.user_id if phone else None,
        str(leg.state), str(leg.result or ""), leg.started_at, leg.answered_at, leg.ended_at, leg.talk,
    )  # fmt: skip


def _write_recordings(call: Call, state: CallState) -> None:
    if state.recordings and not call.is_internal:
        rows = [Recording(call=call, reference=reference[:500]) for reference in state.recordings]
        Recording.objects.bulk_create(rows, ignore_conflicts=True)
        recordings.await_fetching(call)


# Telling


def _tell(call: Call, before: _Before, state: CallState, phones: dict[str, Phone]) -> None:
    if call.is_internal:
        return
    if not before.is_known:
        call_started.send(sender=Call, call=call)
    if call.answered_at and not before.is_answered:
        call_answered.send(sender=Call, call=call)
    if not call.is_live and not before.is_ended:
        call_ended.send(sender=Call, call=call)
    if before.is_ended and before.is_known and before.ending != (call.result, call.talk_seconds):
        call_corrected.send(sender=Call, call=call)
    if call.is_missed and not (before.is_missed and before.is_known):
        call_missed.send(sender=Call, call=call)
    active = {phone.user_id for phone in phones.values() if phone.is_active and phone.user_id is not None}
    tell_pages(call, before.users | set(_users(state.rang, phones)), active=active)


def tell_pages(call: Call, users: Iterable[int] = (), *, active: Collection[int] = ()) -> None:
    """Open pages of these people show or put away the call; everybody's lists learn of one that has ended.

    `active`: who is known to work here; the others are looked up.
    """
    at = set(users) | ({call.asked_by_id} if call.asked_by_id else set())
    if unsure := at.difference(active):
        at = (at - unsure) | set(
            User.objects.filter(pk__in=unsure, is_active=True).values_list("pk", flat=True)
        )
    if at:
        publish(kind=POPUP, record=call, users=sorted(at))
    if not call.is_live:
        publish(kind="telephony.call", record=call)
