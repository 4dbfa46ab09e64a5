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
    """Sets a fresh state going."""


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
class Cancelled:
    """The whole process is called off."""


Event = Started | Continue | TaskDone | JobDone | JobFailed | TimerDue | Retry | Skip | Cancelled


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
    """A person is asked. With `choice` the outcomes are the gateway's flows and the answer is a flow id."""

    token: int
    node: str
    name: str
    names: Mapping[str, str]
    form: Form
    assignee: str = ""
    candidate_role: str = ""
    candidate_groups: tuple[str, ...] = ()
    due: datetime | None = None
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
class Ended:
    """An end was reached; kind: none, terminate, error, or implicit (a node without a way on)."""

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
    """The last effect of a process. `ends` are the ids of the ends reached at the top, in order."""

    status: str
    ends: tuple[str, ...]


Effect = (
    NodeEntered
    | NodeLeft
    | OpenUserTask
    | CloseUserTask
    | StartJob
    | CancelJob
    | SetTimer
    | CancelTimer
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

    @property
    def variables(self) -> Values:
        return self.state.variables
