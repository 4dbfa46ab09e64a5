"""What a call is, as a pure function of the set of facts known of it. Pure Python; the order of arrival means nothing.

    recompute(facts, extensions={"101", "102"}) -> CallState

Facts are read in the order of the clock of the provider. A leg goes from started over ringing and answered to ended and
never back; a proven answer beats whatever says that nobody answered; an end that nobody saw (`lost`) gives way to a
real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from telephony.events import CallFact, Kind, Result, Role
from telephony.legs import (
    RANK,
    End,
    LegState,
    answer_before,
    answer_stands,
    closed,
    end_of,
    leg_of,
    legs_of,
    outrun,
    seconds,
)


@dataclass(frozen=True)
class CallState:
    """`direction`: in, out or internal. `client`: the outside number as sent. `recordings`: references.

    `handled_by`, `ringing_now`, `talking_now`, `rang`: extensions, each once, in the order of the clock.
    """

    legs: tuple[LegState, ...]
    direction: str
    state: Kind
    result: Result | None
    client: str
    line: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk: int
    waiting: int
    handled_by: tuple[str, ...]
    ringing_now: tuple[str, ...]
    talking_now: tuple[str, ...]
    rang: tuple[str, ...]
    is_internal: bool
    recordings: tuple[str, ...]
    origin: str


def recompute(facts: Iterable[CallFact], extensions: Collection[str]) -> CallState:
    """The call that these facts make. Repeated facts count once. Raises ValueError for no facts at all."""
    known = sorted(
        {fact.event_key: fact for fact in facts}.values(),
        key=lambda fact: (fact.at, RANK.get(fact.kind, 0), fact.event_key),
    )
    if not known:
        raise ValueError("A call without facts")
    whole = [fact for fact in known if not leg_of(fact)]
    legs = legs_of(known, extensions)
    origin = next((fact.origin for fact in known if fact.origin), "")
    said = next((fact.direction for fact in known if fact.direction), "")
    client, is_internal = _client(legs, whole, extensions), False
    if not client and not origin and said not in {"in", "out"}:
        is_internal = any(leg.role == Role.MANAGER for leg in legs) or said == "internal"
    direction = "internal" if is_internal else _direction(legs, said, origin)
    end = _call_end(whole, legs)
    answered_at = _answered_at(direction, legs, whole, end)
    legs = [outrun(leg, legs) for leg in legs]
    if end.at is not None:
        legs = [closed(leg, end, answered_at, direction) for leg in legs]
    started_at = known[0].at
    result = _result(direction, legs, end, answered_at is not None)
    managers = [leg for leg in legs if leg.role == Role.MANAGER]
    return CallState(
        legs=tuple(leg for leg in legs if leg.role != Role.OTHER),
        direction=direction,
        state=_state(legs, whole, end, answered_at),
        result=result,
        client=client,
        line=next((fact.line for fact in known if fact.line), ""),
        started_at=started_at,
        answered_at=answered_at,
        ended_at=end.at,
        talk=_talk(direction, legs, end, answered_at),
        waiting=seconds(started_at, answered_at or end.at),
        handled_by=_parties(sorted((leg for leg in managers if leg.is_answered), key=_answer_order)),
        ringing_now=_parties(leg for leg in managers if leg.state in {Kind.STARTED, Kind.RINGING}),
        talking_now=_parties(leg for leg in managers if leg.state == Kind.ANSWERED),
        rang=_parties(managers),
        is_internal=is_internal,
        recordings=tuple(dict.fromkeys(fact.recording for fact in known if fact.recording)),
        origin=origin,
    )


# The call


def _client(legs: list[LegState], whole: list[CallFact], extensions: Collection[str]) -> str:
    for leg in legs:
        if leg.role == Role.CLIENT and leg.party:
            return leg.party
    return next((fact.party for fact in whole if fact.party and _is_outside(fact, extensions)), "")


def _is_outside(fact: CallFact, extensions: Collection[str]) -> bool:
    return fact.kind != Kind.TRANSFERRED and fact.role is None and fact.party not in extensions


def _direction(legs: list[LegState], said: str, origin: str) -> str:
    """By whose end began; what was started here goes out; the provider's word where that does not tell."""
    if origin:
        return "out"
    first = {
        role: min((leg.started_at for leg in legs if leg.role == role), default=None)
        for role in (Role.CLIENT, Role.MANAGER)
    }
    client, manager = first[Role.CLIENT], first[Role.MANAGER]
    if client and manager and client != manager:
        return "in" if client < manager else "out"
    if said in {"in", "out"}:
        return said
    return "out" if manager and not client else "in"


def _call_end(whole: list[CallFact], legs: list[LegState]) -> End:
    """What is said of the call as a whole; else it is over when the client's ends are, or all ends without a client."""
    told = end_of(whole)
    if told.at is not None and not told.is_lost:
        return told
    ends = [leg for leg in legs if leg.role == Role.CLIENT] or [
        leg for leg in legs if leg.role == Role.MANAGER
    ]
    moments = [leg.ended_at for leg in ends if leg.ended_at is not None]
    is_lost = all(leg.is_lost for leg in ends)
    if not ends or len(moments) < len(ends) or (told.is_lost and is_lost):
        return told
    return End(at=max(moments), is_lost=is_lost)


def _deciding(direction: str, legs: list[LegState]) -> list[LegState]:
    """The ends whose answer makes the call an answered one."""
    if direction == "internal":
        return [leg for leg in legs if leg.role == Role.MANAGER][1:]
    role = Role.MANAGER if direction == "in" else Role.CLIENT
    return [leg for leg in legs if leg.role == role]


def _answered_at(direction: str, legs: list[LegState], whole: list[CallFact], end: End) -> datetime | None:
    deciding = _deciding(direction, legs)
    moments = [leg.answered_at for leg in deciding if leg.answered_at]
    if moments:
        return min(moments)
    said = [fact for fact in whole if fact.kind == Kind.ANSWERED]
    proven = [fact for fact in said if fact.is_proven]
    if proven:
        return proven[0].at
    refused = [leg for leg in deciding if leg.ended_at and leg.result and leg.is_proven]
    if deciding and len(refused) == len(deciding):
        return None
    if not answer_stands(bool(said), False, end):
        return None
    return said[0].at if said else answer_before(_began(legs, whole), end)


def _began(legs: list[LegState], whole: list[CallFact]) -> datetime:
    return min([leg.started_at for leg in legs] + [fact.at for fact in whole])


def _state(legs: list[LegState], whole: list[CallFact], end: End, answered_at: datetime | None) -> Kind:
    if end.at is not None:
        return Kind.ENDED
    if answered_at is not None:
        return Kind.ANSWERED
    rings = any(leg.state in {Kind.RINGING, Kind.ANSWERED} for leg in legs if leg.role != Role.OTHER)
    rings = rings or any(fact.kind == Kind.RINGING for fact in whole)
    return Kind.RINGING if rings else Kind.STARTED


def _result(direction: str, legs: list[LegState], end: End, answered: bool) -> Result | None:
    if end.at is None:
        return None
    if end.is_lost:
        return Result.LOST
    if answered:
        return Result.ANSWERED
    if any(leg.result == Result.VOICEMAIL for leg in legs):
        return Result.VOICEMAIL
    if end.result and end.result not in {Result.ANSWERED, Result.ELSEWHERE}:
        return end.result
    return _refused(legs) if direction == "out" else _missed(legs)


def _missed(legs: list[LegState]) -> Result:
    """Nobody of ours answered: because everybody was busy or out of reach, or the caller gave up."""
    if any(leg.role == Role.CLIENT and leg.result == Result.CANCELLED for leg in legs):
        return Result.CANCELLED
    results = {leg.result for leg in legs if leg.role == Role.MANAGER}
    for result in (Result.BUSY, Result.UNREACHABLE):
        if results == {result}:
            return result
    return Result.NO_ANSWER


def _refused(legs: list[LegState]) -> Result:
    """The client did not answer, or our own telephone never did and he was not called."""
    clients = [leg for leg in legs if leg.role == Role.CLIENT]
    for leg in clients:
        if leg.result:
            return leg.result
    if clients:
        return Result.NO_ANSWER
    managers = {leg.result for leg in legs if leg.role == Role.MANAGER}
    if managers & {Result.FAILED, Result.CANCELLED}:
        return Result.FAILED if Result.FAILED in managers else Result.CANCELLED
    return Result.UNREACHABLE


def _talk(direction: str, legs: list[LegState], end: End, answered_at: datetime | None) -> int:
    """The provider's figure for the call or for the one end that spoke, else from the first answer to the end."""
    if answered_at is None or end.at is None or end.is_lost:
        return 0
    spoke = [leg for leg in _deciding(direction, legs) if leg.is_answered]
    counted = end.seconds if end.seconds is not None else spoke[0].seconds if len(spoke) == 1 else None
    longest = seconds(_began(legs, []) if legs else answered_at, end.at)
    if counted is None:
        return seconds(answered_at, end.at)
    return max(0, min(counted, longest + 1))


def _answer_order(leg: LegState):
    return (leg.answered_at, leg.leg)


def _parties(legs: Iterable[LegState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leg.party for leg in legs if leg.party))
