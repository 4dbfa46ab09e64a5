"""What a call is, as a pure function of the set of facts known of it. Pure Python; the order of arrival means nothing.

    recompute(facts, extensions={"101", "102"}) -> CallState

Facts are read in the order of the clock of the provider. A leg goes from started over ringing and answered to ended and
never back; a proven answer beats whatever says that nobody answered; an end that nobody saw (`lost`) gives way to a
real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from telephony.events import CallFact, Kind, Result, Role

RANK = {Kind.STARTED: 0, Kind.RINGING: 1, Kind.ANSWERED: 2, Kind.ENDED: 3}
_SHORT = 6


@dataclass(frozen=True)
class LegState:
    """One end of the line. `state`: the furthest of started, ringing, answered, ended."""

    leg: str
    role: Role
    party: str
    state: Kind
    result: Result | None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk: int = 0
    seconds: int | None = None
    is_proven: bool = True
    is_lost: bool = False

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None


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


@dataclass(frozen=True)
class _End:
    """When something ended and how, as far as anybody said."""

    at: datetime | None = None
    result: Result | None = None
    is_proven: bool = True
    seconds: int | None = None
    is_lost: bool = False


def recompute(facts: Iterable[CallFact], extensions: Collection[str]) -> CallState:
    """The call that these facts make. Repeated facts count once. Raises ValueError for no facts at all."""
    known = sorted(
        {fact.event_key: fact for fact in facts}.values(),
        key=lambda fact: (fact.at, RANK.get(fact.kind, 0), fact.event_key),
    )
    if not known:
        raise ValueError("A call without facts")
    whole = [fact for fact in known if not _leg_of(fact)]
    legs = _legs(known, extensions)
    origin = next((fact.origin for fact in known if fact.origin), "")
    said = next((fact.direction for fact in known if fact.direction), "")
    client, is_internal = _client(legs, whole, extensions), False
    if not client and not origin and said not in {"in", "out"}:
        is_internal = any(leg.role == Role.MANAGER for leg in legs) or said == "internal"
    direction = "internal" if is_internal else _direction(legs, said, origin)
    end = _call_end(whole, legs)
    answered_at = _answered_at(direction, legs, whole, end)
    legs = [_outrun(leg, legs) for leg in legs]
    if end.at is not None:
        legs = [_closed(leg, end, answered_at, direction) for leg in legs]
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
        waiting=_seconds(started_at, answered_at or end.at),
        handled_by=_parties(sorted((leg for leg in managers if leg.is_answered), key=_answer_order)),
        ringing_now=_parties(leg for leg in managers if leg.state in {Kind.STARTED, Kind.RINGING}),
        talking_now=_parties(leg for leg in managers if leg.state == Kind.ANSWERED),
        rang=_parties(managers),
        is_internal=is_internal,
        recordings=tuple(dict.fromkeys(fact.recording for fact in known if fact.recording)),
        origin=origin,
    )


# Legs


def _leg_of(fact: CallFact) -> str:
    """The leg a fact is about; providers that name none may still say whose end it was."""
    if fact.kind not in RANK:
        return ""
    if fact.leg or fact.role is None:
        return fact.leg
    if fact.role == Role.CLIENT:
        return "client"
    return f"{fact.role}:{fact.party}" if fact.party else ""


def _legs(known: list[CallFact], extensions: Collection[str]) -> list[LegState]:
    by_leg: dict[str, list[CallFact]] = {}
    for fact in known:
        if name := _leg_of(fact):
            by_leg.setdefault(name, []).append(fact)
    legs = [_leg(name, facts, extensions) for name, facts in by_leg.items()]
    return sorted(legs, key=lambda leg: (leg.started_at, leg.leg))


def _leg(name: str, facts: list[CallFact], extensions: Collection[str]) -> LegState:
    role, party = _role_and_party(facts, extensions)
    end = _end(facts)
    answers = [fact for fact in facts if fact.kind == Kind.ANSWERED]
    proven = [fact for fact in answers if fact.is_proven]
    is_answered = _answer_stands(bool(answers), bool(proven), end)
    answered_at = None
    if is_answered:
        answered_at = (proven or answers)[0].at if answers else _answer_before(facts[0].at, end)
    state = max((fact.kind for fact in facts), key=lambda kind: RANK[kind])
    if state == Kind.ANSWERED and not is_answered:
        state = Kind.RINGING
    return LegState(
        leg=name, role=role, party=party, state=state, started_at=facts[0].at, answered_at=answered_at,
        ended_at=end.at, result=_leg_result(is_answered, end), seconds=end.seconds, is_lost=end.is_lost,
        talk=0 if end.is_lost else _seconds(answered_at, end.at), is_proven=bool(proven) or end.is_proven,
    )  # fmt: skip


def _leg_result(is_answered: bool, end: _End) -> Result | None:
    return Result.ANSWERED if is_answered and end.at and not end.is_lost else end.result


def _role_and_party(facts: list[CallFact], extensions: Collection[str]) -> tuple[Role, str]:
    """A mapped extension is ours whatever the provider says; without a word, a short number is ours too."""
    party = next((fact.party for fact in facts if fact.party), "")
    role = next((fact.role for fact in facts if fact.role is not None), None)
    if role != Role.OTHER and party in extensions:
        return Role.MANAGER, party
    if role is None:
        role = Role.MANAGER if party.isdigit() and len(party) <= _SHORT else Role.CLIENT
        role = role if party else Role.OTHER
    return role, party


def _end(facts: list[CallFact]) -> _End:
    """The last end that was seen, proven ones first; how it ended by the last that says so."""
    ends = [fact for fact in facts if fact.kind == Kind.ENDED]
    seen = [fact for fact in ends if fact.result != Result.LOST] or ends
    if not seen:
        return _End()
    if seen[-1].result == Result.LOST:
        return _End(at=seen[-1].at, result=Result.LOST, is_lost=True)
    proven = [fact for fact in seen if fact.is_proven]
    telling = [fact for fact in proven if fact.result] or [fact for fact in seen if fact.result]
    counted = [fact for fact in proven if fact.seconds is not None] or [
        fact for fact in seen if fact.seconds is not None
    ]
    return _End(
        at=(proven or seen)[-1].at,
        result=_last_word(telling),
        is_proven=telling[-1].is_proven if telling else bool(proven),
        seconds=counted[-1].seconds if counted else None,
    )


def _last_word(telling: list[CallFact]) -> Result | None:
    """The last result told; that somebody else answered is more than that the ringing was called off."""
    results = [fact.result for fact in telling]
    return Result.ELSEWHERE if Result.ELSEWHERE in results else results[-1] if results else None


def _answer_stands(answered: bool, proven: bool, end: _End) -> bool:
    """A proven answer always, unless a machine took it; an unproven one until something proven says otherwise."""
    if end.result == Result.VOICEMAIL:
        return False
    if proven or end.result == Result.ANSWERED:
        return True
    silent = end.result is None or end.result == Result.LOST
    return answered and (silent or not end.is_proven)


def _answer_before(started_at: datetime, end: _End) -> datetime:
    """When a call was answered of which only the end is known."""
    if end.at is None or end.seconds is None:
        return started_at
    began = end.at.timestamp() - max(0, end.seconds)
    return max(started_at, datetime.fromtimestamp(began, tz=end.at.tzinfo))


def _closed(leg: LegState, end: _End, answered_at: datetime | None, direction: str) -> LegState:
    """A leg whose end nobody told ends with the call."""
    if leg.ended_at is not None or end.at is None:
        return leg
    result = leg.result
    if end.is_lost:
        result = Result.LOST
    elif leg.is_answered:
        result = Result.ANSWERED
    elif leg.role == Role.MANAGER and direction == "in":
        result = Result.ELSEWHERE if answered_at else Result.NO_ANSWER
    talk = 0 if end.is_lost else _seconds(leg.answered_at, end.at)
    return replace(leg, state=Kind.ENDED, ended_at=end.at, result=result or Result.NO_ANSWER, talk=talk)


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


def _call_end(whole: list[CallFact], legs: list[LegState]) -> _End:
    """What is said of the call as a whole; else it is over when the client's ends are, or all ends without a client."""
    told = _end(whole)
    if told.at is not None and not told.is_lost:
        return told
    ends = [leg for leg in legs if leg.role == Role.CLIENT] or [
        leg for leg in legs if leg.role == Role.MANAGER
    ]
    moments = [leg.ended_at for leg in ends if leg.ended_at is not None]
    is_lost = all(leg.is_lost for leg in ends)
    if not ends or len(moments) < len(ends) or (told.is_lost and is_lost):
        return told
    return _End(at=max(moments), is_lost=is_lost)


def _deciding(direction: str, legs: list[LegState]) -> list[LegState]:
    """The ends whose answer makes the call an answered one."""
    if direction == "internal":
        return [leg for leg in legs if leg.role == Role.MANAGER][1:]
    role = Role.MANAGER if direction == "in" else Role.CLIENT
    return [leg for leg in legs if leg.role == role]


def _answered_at(direction: str, legs: list[LegState], whole: list[CallFact], end: _End) -> datetime | None:
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
    if not _answer_stands(bool(said), False, end):
        return None
    return said[0].at if said else _answer_before(_began(legs, whole), end)


def _began(legs: list[LegState], whole: list[CallFact]) -> datetime:
    return min([leg.started_at for leg in legs] + [fact.at for fact in whole])


def _state(legs: list[LegState], whole: list[CallFact], end: _End, answered_at: datetime | None) -> Kind:
    if end.at is not None:
        return Kind.ENDED
    if answered_at is not None:
        return Kind.ANSWERED
    rings = any(leg.state in {Kind.RINGING, Kind.ANSWERED} for leg in legs if leg.role != Role.OTHER)
    rings = rings or any(fact.kind == Kind.RINGING for fact in whole)
    return Kind.RINGING if rings else Kind.STARTED


def _result(direction: str, legs: list[LegState], end: _End, answered: bool) -> Result | None:
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


def _talk(direction: str, legs: list[LegState], end: _End, answered_at: datetime | None) -> int:
    """The provider's figure for the call or for the one end that spoke, else from the first answer to the end."""
    if answered_at is None or end.at is None or end.is_lost:
        return 0
    spoke = [leg for leg in _deciding(direction, legs) if leg.is_answered]
    counted = end.seconds if end.seconds is not None else spoke[0].seconds if len(spoke) == 1 else None
    longest = _seconds(_began(legs, []) if legs else answered_at, end.at)
    if counted is None:
        return _seconds(answered_at, end.at)
    return max(0, min(counted, longest + 1))


def _outrun(leg: LegState, legs: list[LegState]) -> LegState:
    """Of telephones that ring together those that lost the race stop at once, before anybody says so."""
    if leg.role != Role.MANAGER or leg.state not in {Kind.STARTED, Kind.RINGING}:
        return leg
    answers = [
        other.answered_at
        for other in legs
        if other.role == Role.MANAGER and other.answered_at and other.answered_at >= leg.started_at
    ]
    if not answers:
        return leg
    return replace(leg, state=Kind.ENDED, result=Result.ELSEWHERE, ended_at=min(answers))


def _answer_order(leg: LegState):
    return (leg.answered_at, leg.leg)


def _parties(legs: Iterable[LegState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leg.party for leg in legs if leg.party))


def _seconds(since: datetime | None, until: datetime | None) -> int:
    if since is None or until is None:
        return 0
    return max(0, round((until - since).total_seconds()))
