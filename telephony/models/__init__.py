"""Tables of telephony. Only `telephony.ingest` changes what a call is; people change its note and its cards."""

from telephony.models.calls import CARDS, Call, CallEvent, CallLeg, Direction, Outcome, State
from telephony.models.connections import Connection, Extension, LeadRule
from telephony.models.listening import ListenerLease, Refusal
from telephony.models.missed import MissedCall, NumberLead
from telephony.models.recordings import Recording, RecordingHold

__all__ = [
    "CARDS",
    "Call",
    "CallEvent",
    "CallLeg",
    "Connection",
    "Direction",
    "Extension",
    "LeadRule",
    "ListenerLease",
    "MissedCall",
    "NumberLead",
    "Outcome",
    "Recording",
    "RecordingHold",
    "Refusal",
    "State",
]
