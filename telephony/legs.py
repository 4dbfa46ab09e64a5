"""The ends of a call: what the facts of each make of it. Pure Python, the lower half of `telephony.flow`."""

from __future__ import annotations

from collections.abc import Collection
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
class End:
    """When something ended and how, as far as anybody said."""

    at: datetime | None = None
    result: Result | None = None
    is_proven: bool = True
    seconds: int | None = None
    is_lost: bool = False


def leg_of(fact: CallFact) -> str:
    """The leg a fact is about; providers that name none may still say whose end it was."""
    if fact.kind not in RANK:
        return ""
    if fact.leg or fact.role is None:
        return fact.leg
    if fact.role == Role.CLIENT:
        return "client"
    return f"{fact.role}:{fact.party}" if fact.party else ""


def legs_of(known: list[CallFact], extensions: Collection[str]) -> list[LegState]:
    by_leg: dict[str, list[CallFact]] = {}
    for fact in known:
        if name := leg_of(fact):
            by_leg.setdefault(name, []).append(fact)
    legs = [_leg(name, facts, extensions) for name, facts in by_leg.items()]
    return sorted(legs, key=lambda leg: (leg.started_at, leg.leg))


def _leg(name: str, facts: list[CallFact], extensions: Collection[str]) -> LegState:
    role, party = _role_and_party(facts, extensions)
    end = end_of(facts)
    answers = [fact for fact in facts if fact.kind == Kind.ANSWERED]
    proven = [fact for fact in answers if fact.is_proven]
    is_answered = answer_stands(bool(answers), bool(proven), end)
    answered_at = None
    if is_answered:
        answered_at = (proven or answers)[0].at if answers else answer_before(facts[0].at, end)
    state = max((fact.kind for fact in facts), key=lambda kind: RANK[kind])
    if state == Kind.ANSWERED and not is_answered:
        state = Kind.RINGING
    return LegState(
        leg=name, role=role, party=party, state=state, started_at=facts[0].at, answered_at=answered_at,
        ended_at=end.at, result=_leg_result(is_answered, end), seconds=end.seconds, is_lost=end.is_lost,
        talk=0 if end.is_lost else seconds(answered_at, end.at), is_proven=bool(proven) or end.is_proven,
    )  # fmt: skip


def _leg_result(is_answered: bool, end: End) -> Result | None:
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


def end_of(facts: list[CallFact]) -> End:
    """The last end that was seen, proven ones first; how it ended by the last that says so."""
    ends = [fact for fact in facts if fact.kind == Kind.ENDED]
    seen = [fact for fact in ends if fact.result != Result.LOST] or ends
    if not seen:
        return End()
    if seen[-1].result == Result.LOST:
        return End(at=seen[-1].at, result=Result.LOST, is_lost=True)
    proven = [fact for fact in seen if fact.is_proven]
    telling = [fact for fact in proven if fact.result] or [fact for fact in seen if fact.result]
    counted = [fact for fact in proven if fact.seconds is not None] or [
        fact for fact in seen if fact.seconds is not None
    ]
    return End(
        at=(proven or seen)[-1].at,
        result=_last_word(telling),
        is_proven=telling[-1].is_proven if telling else bool(proven),
        seconds=counted[-1].seconds if counted else None,
    )


def _last_word(telling: list[CallFact]) -> Result | None:
    """The last result told; that somebody else answered is more than that the ringing was called off."""
    results = [fact.result for fact in telling]
    return Result.ELSEWHERE if Result.ELSEWHERE in results else results[-1] if results else None


def answer_stands(answered: bool, proven: bool, end: End) -> bool:
    """A proven answer always, unless a machine took it; an unproven one until something proven says otherwise."""
    if end.result == Result.VOICEMAIL:
        return False
    if proven or end.result == Result.ANSWERED:
        return True
    silent = end.result is None or end.result == Result.LOST
    return answered and (silent or not end.is_proven)


def answer_before(started_at: datetime, end: End) -> datetime:
    """When a call was answered of which only the end is known."""
    if end.at is None or end.seconds is None:
        return started_at
    began = end.at.timestamp() - max(0, end.seconds)
    return max(started_at, datetime.fromtimestamp(began, tz=end.at.tzinfo))


def closed(leg: LegState, end: End, answered_at: datetime | None, direction: str) -> LegState:
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
    talk = 0 if end.is_lost else seconds(leg.answered_at, end.at)
    return replace(leg, state=Kind.ENDED, ended_at=end.at, result=result or Result.NO_ANSWER, talk=talk)


def outrun(leg: LegState, legs: list[LegState]) -> LegState:
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


def seconds(since: datetime | None, until: datetime | None) -> int:
    if since is None or until is None:
        return 0
    return max(0, round((until - since).total_seconds()))
