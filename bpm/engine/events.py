"""What happens to a process (events) and what it asks of the world (effects)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bpm.engine.model import Form
from bpm.engine.phrases import Phrase
from bpm.engine.state import State
from bpm.engine.values import Value, Values


class StaleEventError(Exception):
    """The token is gone or does not wait for this; a repeated delivery ends here and changes nothing."""


@dataclass(frozen=True, slots=True)
class Started:
    """Sets a fresh state going, at the start event named, if any."""

    start: str = ""


@dataclass(frozen=True, slots=True)
class Continue:
    """Goes on after a result that said `more`, in a new transaction."""


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A person completed a user task, or chose a way: then `outcome` is the id of the flow."""

    token: int
    outcome: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobDone:
    """The operation succeeded; `values` are its outputs by their own names."""

    token: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The operation failed for good: an error boundary event takes it, else it becomes an incident."""

    token: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TimerDue:
    token: int


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message has come for this token; `values` is what it carries."""

    token: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A signal was broadcast: every token that listens to this name hears it, the oldest first."""

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallDone:
    """The called process has completed; `values` are its variables."""

    token: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The called process ended with an error, or was called off: like a failed operation."""

    token: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """The task, job or called process on which this token waits calls for help; it goes on if it may."""

    token: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """An operator has the node of an incident entered again, perhaps with corrected variables."""

    token: int
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skip:
    """An operator has the token leave its node as if it were done; `outcome` may name the flow or outcome."""

    token: int
    outcome: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moved:
    """An operator takes the token from where it waits to another node of the same scope."""

    token: int
    node: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The whole process is called off."""


Event = (
    Started
    | Continue
    | TaskDone
    | JobDone
    | JobFailed
    | TimerDue
    | MessageReceived
    | SignalReceived
    | CallDone
    | CallFailed
    | Escalated
    | Retry
    | Skip
    | Moved
    | Cancelled
)


@dataclass(frozen=True, slots=True)
class NodeEntered:
    """A visit begins. The token's number is the number of the visit."""

    token: int
    node: str
    flow: str
    scope: int = 0
    loop: int | None = None


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """A visit ends; `flows` were taken. `cancelled` when it was cut short."""

    token: int
    node: str
    flows: tuple[str, ...] = ()
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class OpenUserTask:
    """A person is asked. With `choice` the outcomes are the gateway's flows and the answer is a flow id.

    `remind` and `escalate`: when the holder is reminded before, and his head told after the due moment.
    """

    token: int
    node: str
    name: str
    names: Mapping[str, str]
    form: Form
    assignee: str = ""
    candidate_role: str = ""
    candidate_groups: tuple[str, ...] = ()
    due: datetime | None = None
    remind: datetime | None = None
    escalate: datetime | None = None
    lane: str = ""
    choice: bool = False


@dataclass(frozen=True, slots=True)
class CloseUserTask:
    """The task is withdrawn unanswered."""

    token: int


@dataclass(frozen=True, slots=True)
class StartJob:
    token: int
    node: str
    operation: str
    version: str
    arguments: Values


@dataclass(frozen=True, slots=True)
class CancelJob:
    token: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Deliver TimerDue(token) at `due_at`; a repeating timer sets itself again under the same token."""

    token: int
    node: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CancelTimer:
    token: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Deliver MessageReceived(token) or SignalReceived(name) when it comes; kind: message, signal.

    A message with a `key` is for the receiver with the same key. The subscription stays until Unsubscribe.
    """

    token: int
    node: str
    kind: str
    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    token: int


@dataclass(frozen=True, slots=True)
class ThrowMessage:
    """One receiver outside this process is to get it."""

    token: int
    node: str
    name: str
    key: str
    values: Values


@dataclass(frozen=True, slots=True)
class ThrowSignal:
    """Everybody outside this process is to hear it; those inside have heard it."""

    token: int
    node: str
    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class StartProcess:
    """A call activity: start the process and deliver CallDone, CallFailed or Escalated for the token."""

    token: int
    node: str
    process: str
    variables: Values
    depth: int


@dataclass(frozen=True, slots=True)
class CancelProcess:
    """The process the token called is to be called off."""

    token: int


@dataclass(frozen=True, slots=True)
class EscalationRaised:
    """Somebody called for help. When nothing in the process caught it, whoever called the process may."""

    token: int
    node: str
    code: str
    caught: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """An end was reached; kind: that of its event definition, none, or implicit (a node without a way on)."""

    node: str
    kind: str
    scope: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """The token is held for an operator; `reason.said(gettext)` is the sentence in the reader's language."""

    token: int
    node: str
    code: str
    reason: Phrase

    @property
    def message(self) -> str:
        return self.reason.said()


@dataclass(frozen=True, slots=True)
class Finished:
    """The last effect of a process. `ends` are the ids of the ends reached at the top, in order.

    `code` is that of the error nobody caught, when the status is "error".
    """

    status: str
    ends: tuple[str, ...]
    code: str = ""


Effect = (
    NodeEntered
    | NodeLeft
    | OpenUserTask
    | CloseUserTask
    | StartJob
    | CancelJob
    | SetTimer
    | CancelTimer
    | Subscribe
    | Unsubscribe
    | ThrowMessage
    | ThrowSignal
    | StartProcess
    | CancelProcess
    | EscalationRaised
    | Ended
    | Incident
    | Finished
)


@dataclass(frozen=True, slots=True)
class Result:
    """`more` asks to be continued with Continue() in a new transaction."""

    state: State
    effects: tuple[Effect, ...]
    more: bool = False
