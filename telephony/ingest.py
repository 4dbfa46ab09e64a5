"""The one door for what providers say: facts become rows, and rows become calls.

    take_in(connection=connection, facts=adapter.parse(...))

Facts may come twice, late, at once from several sides and in any order. What is known of a call is a set; the call is
written anew from the whole set while its row is locked.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from counterparties.callers import read_caller
from crm.notify.services import publish
from crm.people.models import User
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


@transaction.atomic
def take_in(*, connection: Connection, facts: Iterable[CallFact]) -> list[Call]:
    """Stores the facts that are new and brings their calls up to date. The calls that changed."""
    by_call: dict[str, list[CallFact]] = {}
    for fact in facts:
        by_call.setdefault(fact.call, []).append(fact)
    extensions = {one.number: one for one in connection.extensions.select_related("user")}
    # Sorted, so that two deliveries of the same calls lock them in the same order.
    calls = [_take_in_call(connection, name, by_call[name], extensions) for name in sorted(by_call)]
    return [call for call in calls if call is not None]


def _take_in_call(
    connection: Connection, provider_id: str, facts: list[CallFact], extensions: dict[str, Extension]
) -> Call | None:
    call = _locked_call(connection, provider_id, facts)
    if not _store(call, facts):
        return None
    known = [_fact(row.fact) for row in call.events.all()]
    _write(call, recompute(known, extensions), extensions)
    return call


# Rows of events


def _store(call: Call, facts: list[CallFact]) -> bool:
    """Adds the facts that are not known yet; whether there were any."""
    fresh = {fact.event_key: fact for fact in facts}
    known = CallEvent.objects.filter(connection=call.connection, key__in=fresh).values_list("key", flat=True)
    fresh = {key: fact for key, fact in fresh.items() if key not in set(known)}
    CallEvent.objects.bulk_create(
        [
            CallEvent(
                connection=call.connection, call=call, key=key, kind=fact.kind, fact=_json(fact), occurred_at=fact.at
            )
            for key, fact in fresh.items()
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return bool(fresh)


def _json(fact: CallFact) -> dict:
    empty = (None, "", {})
    kept = {name: value for name, value in asdict(fact).items() if value not in empty}
    return kept | {"at": fact.at.isoformat()}


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
    mine = Call.objects.filter(connection=connection, provider_id=provider_id)
    if asked is not None and not mine.exists():
        Call.objects.filter(pk=asked.pk, provider_id=None).update(provider_id=provider_id)
    # ON CONFLICT DO NOTHING: an IntegrityError would poison the transaction on PostgreSQL.
    elif not mine.exists():
        draft = Call(
            connection=connection, provider_id=provider_id, started_at=min(fact.at for fact in facts), is_internal=True
        )  # fmt: skip
        Call.objects.bulk_create([draft], ignore_conflicts=True)
    call = mine.select_for_update(of=("self",)).select_related("connection__author", "owner").get()
    if asked is not None and asked.pk != call.pk:
        _absorb(call, asked)
    return call


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
    for name in ("asked_by", "extension", "note", "outcome", "by_hand", *CARD_FIELDS):
        if not getattr(call, name):
            setattr(call, name, getattr(asked, name))
    call.owner = call.owner or asked.owner
    asked.delete()


def _write(call: Call, state: CallState, extensions: dict[str, Extension]) -> None:
    before = _Before(call)
    _copy(call, state)
    people = _people(state, extensions)
    call.owner = _owner(call, state, people)
    linked = not call.is_internal and link_call(call)
    call.save(
        update_fields=[*FLOW_FIELDS, *CARD_FIELDS, "asked_by", "extension", "note", "outcome", "by_hand"]
    )
    _write_legs(call, state, extensions)
    _write_recordings(call, state)
    _tell(call, before, people, linked)


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

    def __init__(self, call: Call) -> None:
        self.is_known = not call.is_internal
        self.is_answered = call.answered_at is not None
        self.is_ended = call.state == State.ENDED
        self.is_missed = call.is_missed
        self.ending = (call.result, call.talk_seconds)
        self.users = set(call.legs.exclude(user=None).values_list("user_id", flat=True))


def _people(state: CallState, extensions: dict[str, Extension]) -> dict[str, User]:
    """By extension, the people at the ends of the call."""
    return {
        number: extensions[number].user
        for number in state.rang
        if number in extensions and extensions[number].user is not None
    }


def _owner(call: Call, state: CallState, people: dict[str, User]) -> User | None:
    """Who spoke first, else who asked for the call, else at whose phone it rang first."""
    spoke = [people[number] for number in state.handled_by if number in people]
    rang = [people[number] for number in state.rang if number in people]
    if spoke:
        return spoke[0]
    return call.asked_by or (rang[0] if rang else call.owner)


def _write_legs(call: Call, state: CallState, extensions: dict[str, Extension]) -> None:
    rows = {leg.provider_id: leg for leg in call.legs.all()}
    wanted = [_leg_row(call, place, leg, extensions) for place, leg in enumerate(state.legs)]
    gone = rows.keys() - {leg.provider_id for leg in wanted}
    if gone:
        call.legs.filter(provider_id__in=gone).delete()
    CallLeg.objects.bulk_create(leg for leg in wanted if leg.provider_id not in rows)
    changed = []
    for leg in wanted:
        row = rows.get(leg.provider_id)
        if row is not None and any(getattr(row, name) != getattr(leg, name) for name in LEG_FIELDS):
            leg.pk = row.pk
            changed.append(leg)
    CallLeg.objects.bulk_update(changed, LEG_FIELDS)


LEG_FIELDS = [
    "position", "role", "party", "extension_id", "user_id", "state", "result", "started_at", "answered_at",
    "ended_at", "talk_seconds",
]  # fmt: skip


def _leg_row(call: Call, place: int, leg: LegState, extensions: dict[str, Extension]) -> CallLeg:
    extension = extensions.get(leg.party) if leg.role == Role.MANAGER else None
    return CallLeg(
        call=call, provider_id=leg.leg[:160], position=place, role=str(leg.role), party=leg.party[:80],
        extension_id=extension.pk if extension else None, user_id=extension.user_id if extension else None,
        state=str(leg.state), result=str(leg.result or ""), started_at=leg.started_at, answered_at=leg.answered_at,
        ended_at=leg.ended_at, talk_seconds=leg.talk,
    )  # fmt: skip


def _write_recordings(call: Call, state: CallState) -> None:
    if state.recordings and not call.is_internal:
        rows = [Recording(call=call, reference=reference[:500]) for reference in state.recordings]
        Recording.objects.bulk_create(rows, ignore_conflicts=True)
        recordings.await_fetching(call)


# Telling


def _tell(call: Call, before: _Before, people: dict[str, User], linked: bool) -> None:
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
    tell_pages(call, before.users | {user.pk for user in people.values()})


def tell_pages(call: Call, users: Iterable[int] = ()) -> None:
    """Open pages of these people show or put away the call; everybody's lists learn of one that has ended."""
    at = set(users) | ({call.asked_by_id} if call.asked_by_id else set())
    if at:
        publish(kind=POPUP, record=call, users=User.objects.filter(pk__in=at, is_active=True))
    if not call.is_live:
        publish(kind="telephony.call", record=call)
