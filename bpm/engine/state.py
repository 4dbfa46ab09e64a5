"""Where a running process stands: its tokens and scopes, as small JSON; the variables are kept apart.

A token is one visit to one node, so its number names that visit for good. A token that waits says for what.
A scope is the process itself (number 0), one run of a subprocess, or one round of a repeated activity; it is held
by the token on that activity. A watcher is a token of an event that may happen while something else goes on: on a
border, behind an event gateway, or at the start of an event subprocess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from bpm.engine.phrases import Phrase
from bpm.engine.values import Value, Values, decode, encode, normal

if TYPE_CHECKING:
    from bpm.engine.model import Graph

STATE_FORMAT = 1
ROOT_SCOPE = 0
WHOLE_SCOPE = -1  # the host of a watcher that watches the scope it lies in

RUNNING, COMPLETED, FAILED, CANCELLED = "running", "completed", "error", "cancelled"
TASK, CHOICE, JOB, TIMER, MESSAGE, SIGNAL, CALL, JOIN, SCOPE, LOOP, EVENT, INCIDENT = (
    "task", "choice", "job", "timer", "message", "signal", "call", "join", "scope", "loop", "event", "incident",
)  # fmt: skip


@dataclass(slots=True)
class Wait:
    """`kind` is one of the words above; an incident has a `code` and a `reason`, a message a `name` and a `key`."""

    kind: str
    since: str
    until: str = ""
    code: str = ""
    reason: dict[str, Any] | None = None  # a Phrase as JSON
    every: str = ""  # the interval of a repeating timer
    left: int = 0  # its further repetitions; -1 is without end
    name: str = ""
    key: str = ""

    def to_json(self) -> dict[str, Any]:
        return _compact(self, ("kind", "since", "until", "code", "reason", "every", "left", "name", "key"))


@dataclass(slots=True)
class Rounds:
    """How far a repeated activity has come: `total` is -1 while only its condition decides."""

    total: int
    items: list[Value] | None = None
    begun: int = 0
    done: int = 0
    results: dict[int, Value] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data = _compact(self, ("begun", "done")) | {"total": self.total}
        if self.items is not None:
            data["items"] = encode(self.items)
        if self.results:
            data["results"] = [[number, encode(value)] for number, value in self.results.items()]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            total=data["total"],
            items=decode(data["items"]) if "items" in data else None,
            begun=data.get("begun", 0),
            done=data.get("done", 0),
            results={number: decode(value) for number, value in data.get("results", ())},
        )

    def copy(self) -> Rounds:
        return replace(self, items=list(self.items) if self.items else self.items, results=dict(self.results))


@dataclass(slots=True)
class Token:
    id: int
    node: str
    flow: str = ""
    scope: int = ROOT_SCOPE
    wait: Wait | None = None
    host: int = 0  # the token a watcher watches, or WHOLE_SCOPE; 0 for every other token
    loop: int | None = None  # which round of a repeated activity this is, counted from 0
    rounds: Rounds | None = None  # the repeated activity itself

    def to_json(self) -> dict[str, Any]:
        data = _compact(self, ("id", "node", "flow", "scope", "host"))
        if self.loop is not None:
            data["loop"] = self.loop
        if self.wait:
            data["wait"] = self.wait.to_json()
        if self.rounds:
            data["rounds"] = self.rounds.to_json()
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        parts = {"wait": Wait(**data["wait"]) if "wait" in data else None}
        rounds = Rounds.from_json(data["rounds"]) if "rounds" in data else None
        return cls(**{**data, **parts, "rounds": rounds})

    def copy(self) -> Token:
        return replace(
            self,
            wait=replace(self.wait) if self.wait else None,
            rounds=self.rounds.copy() if self.rounds else None,
        )


@dataclass(slots=True)
class Scope:
    """`loop` and `local` belong to one round of a repeated activity: its number, and the variables of its own."""

    id: int
    node: str
    token: int
    parent: int = ROOT_SCOPE
    loop: int | None = None
    local: Values = field(default_factory=dict)
    interrupted: bool = False  # an event subprocess has taken its place

    def to_json(self) -> dict[str, Any]:
        data = _compact(self, ("id", "node", "token", "parent", "interrupted"))
        if self.loop is not None:
            data["loop"] = self.loop
        if self.local:
            data["local"] = encode(self.local)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "local": decode(data.get("local", {}))})


def _compact(item: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(item, name)) not in ("", 0, None, False)}


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
    name: str = ""


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
    depth: int = 0  # how many call activities this process is below the one a person started
    interrupted: bool = False  # an event subprocess has taken the place of the whole process
    variables: Values = field(default_factory=dict)

    @classmethod
    def start(cls, graph: Graph, variables: Mapping[str, Any], depth: int = 0) -> Self:
        """A state whose first token stands before the start; `advance(…, Started(), now)` sets it going."""
        state = cls(variables=normal(variables), depth=depth)
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
            tokens={key: token.copy() for key, token in self.tokens.items()},
            scopes={key: replace(scope, local=dict(scope.local)) for key, scope in self.scopes.items()},
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
                name=token.wait.name,
            )
            for token in self.tokens.values()
            if token.wait
        ]

    def to_json(self) -> dict[str, Any]:
        """Tokens, scopes and counters, without the variables."""
        data = _compact(self, ("issued", "visits", "streak", "depth", "interrupted"))
        data |= {name: list(value) for name in ("ready", "ends") if (value := getattr(self, name))}
        data |= {"format": STATE_FORMAT, "status": self.status}
        data["tokens"] = [token.to_json() for token in self.tokens.values()]
        if self.scopes:
            data["scopes"] = [scope.to_json() for scope in self.scopes.values()]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], variables: Mapping[str, Any]) -> Self:
        """The state that `to_json` wrote, with the process's variables."""
        tokens = [Token.from_json(each) for each in data["tokens"]]
        scopes = [Scope.from_json(each) for each in data.get("scopes", ())]
        return cls(
            tokens={token.id: token for token in tokens},
            scopes={scope.id: scope for scope in scopes},
            ready=list(data.get("ready", ())),
            ends=list(data.get("ends", ())),
            status=data["status"],
            issued=data["issued"],
            visits=data.get("visits", 0),
            streak=data.get("streak", 0),
            depth=data.get("depth", 0),
            interrupted=data.get("interrupted", False),
            variables=normal(variables),
        )
