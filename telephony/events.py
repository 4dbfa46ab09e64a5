"""What adapters report of calls: one vocabulary for every provider. Pure Python.

A call is a set of facts. Facts may come twice, late and in any order; `telephony.flow` makes the same call of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened to a leg, or to the call as a whole where the fact names no leg."""

    STARTED = "started"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    TRANSFERRED = "transferred"
    RECORDED = "recorded"


class Role(StrEnum):
    """Whose end of the line a leg is: the outside number, one of our extensions, or a part that only connects."""

    CLIENT = "client"
    MANAGER = "manager"
    OTHER = "other"


class Result(StrEnum):
    """What came of a leg or of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    VOICEMAIL = "voicemail"
    CANCELLED = "cancelled"
    ELSEWHERE = "elsewhere"
    LOST = "lost"


@dataclass(frozen=True)
class CallFact:
    """One thing a provider says of a call.

    `call`: the provider's id of the call, the same through transfers. `leg`: its id of the leg; empty for the call as
    a whole. `at`: the provider's time, aware. `key`: its id of the event; where it has none, the hash of the rest.
    `party`: the number or extension at the leg's end, as sent. `line`: the number of ours that was called or shown.
    `direction`: the provider's word (`in`, `out`, `internal`), used only where the roles of the legs do not decide.
    `is_proven`: False for a result the provider does not sign; it never beats a proven answer.
    `seconds`: talking, by the provider's count. `recording`: the reference of a recording.
    `origin`: the uuid of our call, where it was started here. `extra`: what else is worth keeping, without secrets.
    """

    call: str
    kind: Kind
    at: datetime
    key: str = ""
    leg: str = ""
    role: Role | None = None
    party: str = ""
    line: str = ""
    direction: str = ""
    result: Result | None = None
    is_proven: bool = True
    seconds: int | None = None
    recording: str = ""
    origin: str = ""
    extra: dict = field(default_factory=dict)

    @property
    def event_key(self) -> str:
        """What makes two reports of one event the same."""
        if self.key and len(self.key) <= 64:
            return self.key
        said = self.key or "\x1f".join(
            str(part)
            for part in (
                self.call, self.leg, self.kind, self.at.timestamp(), self.role or "", self.party, self.line,
                self.result or "", self.recording,
            )
        )  # fmt: skip
        return f"#{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:48]}"
