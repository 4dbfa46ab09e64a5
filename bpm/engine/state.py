"""Where a running process stands: its tokens and scopes, as small JSON; the variables are kept apart.

A token is one visit to one node, so its number names that visit for good. A token that waits says for what.
A scope is the process itself (number 0) or one run of a subprocess, held by the token on that subprocess.
A watcher is a token of a boundary event, or of an event behind an event gateway, that is armed with its host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from bpm.engine.phrases import Phrase
from bpm.engine.values import Values, normal

if TYPE_CHECKING:
    from bpm.engine.model import Graph

STATE_FORMAT = 1
ROOT_SCOPE = 0

RUNNING, COMPLETED, FAILED, CANCELLED = "running", "completed", "error", "cancelled"
TASK, CHOICE, JOB, TIMER, JOIN, SCOPE, EVENT, INCIDENT = (
    "task", "choice", "job", "timer", "join", "scope", "event", "incident",
)  # fmt: skip


@dataclass(slots=True)
class Wait:
    """kind: task, choice, job, timer, join, scope, event, or incident with its `code` and `reason`."""

    kind: str
    since: str
    until: str = ""
    code: str = ""
    reason: dict[str, Any] | None = None  # a Phrase as JSON
    every: str = ""  # the interval of a repeating timer
    left: int = 0  # its further repetitions; -1 is without end

    def to_json(self) -> dict[str, Any]:
        return _compact(self, ("kind", "since", "until", "code", "reason", "every", "left"))


@dataclass(slots=True)
class Token:
    id: int
    node: str
    flow: str = ""
    scope: int = ROOT_SCOPE
    wait: Wait | None = None
    host: int = 0  # a watcher's activity; 0 for every other token
    loop: int | None = None  # which instance of a repeated activity

    def to_json(self) -> dict[str, Any]:
        data = _compact(self, ("id", "node", "flow", "scope", "host", "loop"))
        return {**data, "wait": self.wait.to_json()} if self.wait else data


@dataclass(slots=True)
class Scope:
    id: int
    node: str
    token: int
    parent: int = ROOT_SCOPE

    def to_json(self) -> dict[str, Any]:
        return _compact(self, ("id", "node", "token", "parent"))


def _compact(item: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(item, name)) not in ("", 0, None)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the screens say of a waiting token."""

    token: int
    node: str
    kind: str
    since: datetime
    until: datetime | None
    code: str = ""
    reason: Phrase | None = None


@dataclass(slots=True)
class State:
    tokens: dict[int, Token] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    ready: list[int] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    status: str = RUNNING
    issued: int = 0
    visits: int = 0
    streak: int = 0
    variables: Values = field(default_factory=dict)

    @classmethod
    def start(cls, graph: Graph, variables: Mapping[str, Any]) -> Self:
        """A state whose first token stands before the start; `advance(…, Started(), now)` sets it going."""
        state = cls(variables=normal(variables))
        state.add(graph.start)
        return state

    def add(self, node: str, flow: str = "", scope: int = ROOT_SCOPE) -> Token:
        """A new token, queued to enter its node."""
        token = self.issue(node, flow, scope)
        self.ready.append(token.id)
        return token

    def issue(self, node: str, flow: str = "", scope: int = ROOT_SCOPE) -> Token:
        self.issued += 1
        token = Token(id=self.issued, node=node, flow=flow, scope=scope)
        self.tokens[token.id] = token
        return token

    def copy(self) -> State:
        return replace(
            self,
            tokens={
                key: replace(token, wait=replace(token.wait) if token.wait else None)
                for key, token in self.tokens.items()
            },
            scopes={key: replace(scope) for key, scope in self.scopes.items()},
            ready=list(self.ready),
            ends=list(self.ends),
            variables=dict(self.variables),
        )

    def waiting(self) -> list[Waiting]:
        """Every waiting token, watchers included, oldest first."""
        return [
            Waiting(
                token=token.id,
                node=token.node,
                kind=token.wait.kind,
                since=datetime.fromisoformat(token.wait.since),
                until=datetime.fromisoformat(token.wait.until) if token.wait.until else None,
                code=token.wait.code,
                reason=Phrase.from_json(token.wait.reason) if token.wait.reason else None,
            )
            for token in self.tokens.values()
            if token.wait
        ]

    def to_json(self) -> dict[str, Any]:
        """Tokens, scopes and counters, without the variables."""
        data = _compact(self, ("issued", "visits", "streak"))
        data |= {name: list(value) for name in ("ready", "ends") if (value := getattr(self, name))}
        data |= {"format": STATE_FORMAT, "status": self.status}
        data["tokens"] = [token.to_json() for token in self.tokens.values()]
        if self.scopes:
            data["scopes"] = [scope.to_json() for scope in self.scopes.values()]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], variables: Mapping[str, Any]) -> Self:
        """The state that `to_json` wrote, with the process's variables."""
        tokens = [
            Token(**{**each, "wait": Wait(**each["wait"]) if "wait" in each else None})
            for each in data["tokens"]
        ]
        scopes = [Scope(**each) for each in data.get("scopes", ())]
        return cls(
            tokens={token.id: token for token in tokens},
            scopes={scope.id: scope for scope in scopes},
            ready=list(data.get("ready", ())),
            ends=list(data.get("ends", ())),
            status=data["status"],
            issued=data["issued"],
            visits=data.get("visits", 0),
            streak=data.get("streak", 0),
            variables=normal(variables),
        )
