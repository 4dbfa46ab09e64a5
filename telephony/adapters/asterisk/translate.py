"""From the events of Asterisk to facts of calls. No Django, no socket, no clock of its own.

`Linkedid` is the call, `Uniqueid` the leg. Nothing is taken from Cdr: they come in no order and count a queue as an
answer. A leg is judged by DialEnd and by entering a bridge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from telephony.adapters.asterisk.protocol import Message
from telephony.events import CallFact, Kind, Result, Role

ORIGINATED = "crm-call-"
_UNKNOWN = {"", "<unknown>", "<null>", "s"}
_CONNECTING = {
    "Local",
    "Message",
    "Surrogate",
    "Recorder",
    "CBAnn",
    "CBRec",
    "Announcer",
    "AsyncGoto",
    "Bridge",
}
_EXTENSION = re.compile(r"[0-9]{1,6}\Z")
_DIALLED = re.compile(r"(?:^|[/:])(\+?[0-9]{3,32})(?=@|$|/)")
_SAFE_FILE = re.compile(r"[^A-Za-z0-9._+-]")
DIAL_RESULTS = {
    "ANSWER": Result.ANSWERED,
    "BUSY": Result.BUSY,
    "NOANSWER": Result.NO_ANSWER,
    "CANCEL": Result.CANCELLED,
    "ABORT": Result.CANCELLED,
    "CHANUNAVAIL": Result.UNREACHABLE,
}
CAUSES = {
    17: Result.BUSY,
    18: Result.NO_ANSWER,
    19: Result.NO_ANSWER,
    20: Result.UNREACHABLE,
    26: Result.ELSEWHERE,
    34: Result.FAILED,
    38: Result.FAILED,
}
ORIGINATE_RESULTS = {
    "0": Result.UNREACHABLE,
    "1": Result.NO_ANSWER,
    "3": Result.NO_ANSWER,
    "5": Result.BUSY,
}


@dataclass(frozen=True)
class Layout:
    """Which names of the exchange are ours. Without named trunks, what does not look like an extension is one."""

    extensions: frozenset[str] = frozenset()
    trunks: frozenset[str] = frozenset()

    def role(self, channel: str) -> Role:
        """Whose end a channel is, by its name such as `PJSIP/101-0000002a`."""
        technology, _, _rest = channel.partition("/")
        name = endpoint(channel)
        if technology in _CONNECTING or not name:
            return Role.OTHER
        if name in self.trunks:
            return Role.CLIENT
        if name in self.extensions or _EXTENSION.match(name):
            return Role.MANAGER
        return Role.MANAGER if self.trunks else Role.CLIENT


@dataclass(frozen=True)
class Leg:
    """What we remember of a channel that lives."""

    call: str
    role: Role
    party: str


@dataclass
class Translator:
    """Reads one exchange's stream. Remembers which channels live, nothing else."""

    layout: Layout = field(default_factory=Layout)
    live: dict[str, Leg] = field(default_factory=dict)

    def facts(self, event: Message, *, received: datetime) -> list[CallFact]:
        """What one event says, usually nothing."""
        reader = _READERS.get(event.get("Event", ""))
        if reader is None:
            return []
        return list(reader(self, event, moment(event, received)))

    def snapshot(self, channels: Iterable[Message], *, received: datetime) -> list[CallFact]:
        """What the list of channels says after a (re)connection: what has begun or been answered without us."""
        self.live.clear()
        found: list[CallFact] = []
        rows = sorted(channels, key=lambda row: row.get("Uniqueid", "") != row.get("Linkedid", ""))
        for row in rows:
            began = received - _duration(row.get("Duration", ""))
            found += self._appeared(row, "", began)
            leg = self.live.get(row.get("Uniqueid", ""))
            if leg and row.get("BridgeId"):
                found += self._say(Kind.ANSWERED, row["Uniqueid"], received, what="bridge")
        return found

    # Channels

    def _appeared(self, event: Message, prefix: str, at: datetime) -> Iterator[CallFact]:
        """The beginning of a leg, or its passage into another call."""
        leg_id, call = event.get(f"{prefix}Uniqueid", ""), event.get(f"{prefix}Linkedid", "")
        if not leg_id or not call:
            return
        known = self.live.get(leg_id)
        role, party, line = self._end(event, prefix, call)
        if known and known.role is not Role.OTHER and not party:
            party = known.party
        if known and known.call == call and known.role is role and known.party == party:
            return
        if known and known.call != call and known.role is not Role.OTHER:
            yield CallFact(
                call=known.call, kind=Kind.ENDED, at=at, key=f"moved:{leg_id}:{known.call}", leg=leg_id,
                role=known.role, party=known.party, extra={"moved_to": call},
            )  # fmt: skip
        self.live[leg_id] = Leg(call, role, party)
        if known and known.call != call:
            yield from self._over(known.call, at)
        if role is Role.OTHER:
            return
        is_first = leg_id == call
        yield CallFact(
            call=call,
            kind=Kind.STARTED,
            at=at,
            key=f"started:{leg_id}:{call}:{party}",
            leg=leg_id,
            role=role,
            party=party,
            line=line,
            direction="in" if is_first and role is Role.CLIENT else "",
            origin=_origin(call),
        )

    def _end(self, event: Message, prefix: str, call: str) -> tuple[Role, str, str]:
        """Role, party and our number of a channel, from the event that names it."""
        channel = event.get(f"{prefix}Channel", "")
        role = self.layout.role(channel)
        if role is not Role.CLIENT:
            return role, endpoint(channel) if role is Role.MANAGER else "", ""
        if event.get(f"{prefix}Uniqueid") == call:
            return role, _told(event.get(f"{prefix}CallerIDNum")), _told(event.get(f"{prefix}Exten"))
        dialled = _dialled(event, prefix)
        first = self.live.get(call)
        if dialled in self.layout.extensions or (first and first.role is Role.CLIENT):
            return (
                Role.MANAGER,
                dialled,
                "",
            )  # an incoming call that goes on to a number outside: one of us answers
        return role, dialled, ""

    def _say(self, kind: Kind, leg_id: str, at: datetime, *, what: str, **more) -> Iterator[CallFact]:
        leg = self.live.get(leg_id)
        if leg is None or leg.role is Role.OTHER:
            return
        yield CallFact(
            call=leg.call, kind=kind, at=at, key=f"{what}:{leg_id}:{leg.call}", leg=leg_id, role=leg.role,
            party=leg.party, origin=_origin(leg.call), **more,
        )  # fmt: skip

    # One method for each event

    def _newchannel(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "", at)

    def _newstate(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "", at)
        if event.get("ChannelStateDesc") == "Ringing":
            yield from self._say(Kind.RINGING, event.get("Uniqueid", ""), at, what="ringing")

    def _dial_begin(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "Dest", at)

    def _dial_state(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "Dest", at)
        if event.get("DialStatus") == "RINGING":
            yield from self._say(Kind.RINGING, event.get("DestUniqueid", ""), at, what="ringing")

    def _dial_end(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "Dest", at)
        status, leg_id = event.get("DialStatus", ""), event.get("DestUniqueid", "")
        if status == "ANSWER":
            yield from self._say(Kind.ANSWERED, leg_id, at, what="answered")
        elif status:
            result = DIAL_RESULTS.get(status, Result.FAILED)
            yield from self._say(Kind.ENDED, leg_id, at, what=f"dial-{status[:16]}", result=result)

    def _bridge_enter(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "", at)
        if event.get("BridgeTechnology") != "holding_bridge":
            yield from self._say(Kind.ANSWERED, event.get("Uniqueid", ""), at, what="bridge")

    def _hangup(self, event: Message, at: datetime) -> Iterator[CallFact]:
        yield from self._appeared(event, "", at)
        leg_id = event.get("Uniqueid", "")
        cause = int(event["Cause"]) if event.get("Cause", "").isdecimal() else 0
        yield from self._say(
            Kind.ENDED, leg_id, at, what="hangup", result=CAUSES.get(cause), extra={"cause": cause}
        )
        if leg := self.live.pop(leg_id, None):
            yield from self._over(leg.call, at)

    def _over(self, call: str, at: datetime) -> Iterator[CallFact]:
        """The end of a call, once its last channel is gone."""
        if all(leg.call != call for leg in self.live.values()):
            yield CallFact(call=call, kind=Kind.ENDED, at=at, key=f"end:{call}", origin=_origin(call))

    def _originate_response(self, event: Message, at: datetime) -> Iterator[CallFact]:
        """Of a call started here, matched by its ActionID. A second start with the same id only fails itself."""
        action_id = event.get("ActionID", "")
        if event.get("Response") != "Failure" or not action_id.startswith(ORIGINATED):
            return
        call = action_id.removeprefix(ORIGINATED)
        reason = event.get("Reason", "")
        if call in self.live and reason == "0":
            return
        party = endpoint(event.get("Channel", "")) or event.get("Channel", "").partition("/")[2]
        yield CallFact(
            call=call, kind=Kind.ENDED, at=at, key=f"originate:{call}:{reason[:8]}", leg=call, role=Role.MANAGER,
            party=party, result=ORIGINATE_RESULTS.get(reason, Result.FAILED), origin=_origin(call),
            extra={"reason": reason[:8]},
        )  # fmt: skip
        if call not in self.live:
            yield CallFact(call=call, kind=Kind.ENDED, at=at, key=f"end:{call}", origin=_origin(call))

    def _blind_transfer(self, event: Message, at: datetime) -> Iterator[CallFact]:
        if event.get("Result") == "Success":
            target = _told(event.get("Extension"))
            yield from self._transferred(event, "Transferer", target, at)

    def _attended_transfer(self, event: Message, at: datetime) -> Iterator[CallFact]:
        if event.get("Result") != "Success":
            return
        target = endpoint(event.get("TransferTargetChannel", "")) or _told(event.get("SecondTransfererExten"))
        yield from self._transferred(event, "OrigTransferer", target, at)

    def _transferred(self, event: Message, who: str, target: str, at: datetime) -> Iterator[CallFact]:
        leg_id, call = event.get(f"{who}Uniqueid", ""), event.get(f"{who}Linkedid", "")
        if leg_id and call:
            role, name = (
                self.layout.role(event.get(f"{who}Channel", "")),
                endpoint(event.get(f"{who}Channel", "")),
            )
            yield CallFact(
                call=call, kind=Kind.TRANSFERRED, at=at, key=f"transfer:{leg_id}:{call}:{target}", leg=leg_id,
                role=role, party=name if role is Role.MANAGER else "", origin=_origin(call), extra={"to": target},
            )  # fmt: skip

    def _recording(self, event: Message, at: datetime) -> Iterator[CallFact]:
        """Started: the file is named after the call. Where the exchange tells the name, by that."""
        if event.get("Event") == "VarSet" and event.get("Variable") != "MIXMONITOR_FILENAME":
            return
        call = event.get("Linkedid", "")
        name = event.get("Value", "").replace("\\", "/").rpartition("/")[2] or call
        if call:
            yield CallFact(
                call=call,
                kind=Kind.RECORDED,
                at=at,
                key=f"recording:{call}",
                recording=_SAFE_FILE.sub("_", name)[:200],
                origin=_origin(call),
            )


_READERS = {
    "Newchannel": Translator._newchannel,
    "Newstate": Translator._newstate,
    "DialBegin": Translator._dial_begin,
    "DialState": Translator._dial_state,
    "DialEnd": Translator._dial_end,
    "BridgeEnter": Translator._bridge_enter,
    "Hangup": Translator._hangup,
    "OriginateResponse": Translator._originate_response,
    "BlindTransfer": Translator._blind_transfer,
    "AttendedTransfer": Translator._attended_transfer,
    "MixMonitorStart": Translator._recording,
    "VarSet": Translator._recording,
}


def endpoint(channel: str) -> str:
    """`101` of `PJSIP/101-0000002a`."""
    return channel.partition("/")[2].rpartition("-")[0].partition("@")[0]


def moment(event: Message, received: datetime) -> datetime:
    """The exchange's own time where it tells it (`timestampevents`), else when we heard of it."""
    try:
        return datetime.fromtimestamp(float(event.get("Timestamp", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return received


def lost_calls(
    open_calls: Iterable[str], channels: Iterable[Message], *, received: datetime
) -> list[CallFact]:
    """The end of calls that we believe to be running and the exchange does not know: nobody saw how they ended."""
    running = {row.get("Linkedid", "") for row in channels}
    return [
        CallFact(
            call=call, kind=Kind.ENDED, at=received, key=f"lost:{call}", result=Result.LOST, is_proven=False
        )
        for call in open_calls
        if call not in running
    ]


def _told(text: str | None) -> str:
    return "" if text in _UNKNOWN else text or ""


def _dialled(event: Message, prefix: str) -> str:
    """The number outside that a trunk was asked for."""
    if found := _DIALLED.search(event.get("DialString", "")):
        return found[1]
    return _told(event.get(f"{prefix}CallerIDNum")) or _told(event.get(f"{prefix}Exten"))


def _duration(text: str) -> timedelta:
    parts = text.split(":")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        hours, minutes, seconds = map(int, parts)
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timedelta()


def _origin(call: str) -> str:
    """The id of our own call, where it was started here: then the exchange uses it as its own."""
    try:
        return str(UUID(call)) if len(call) == 36 else ""
    except ValueError:
        return ""
