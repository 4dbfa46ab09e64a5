"""Diagrams in a few words, and a player that sends a process through JSON before every step."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from xml.sax.saxutils import quoteattr

from bpm.engine.advance import LIMITS, advance
from bpm.engine.checking import check
from bpm.engine.events import (
    CallDone,
    Continue,
    JobDone,
    MessageReceived,
    NodeEntered,
    SignalReceived,
    Started,
    TaskDone,
    TimerDue,
)
from bpm.engine.reading import read
from bpm.engine.state import State
from bpm.engine.values import decode, encode

NOW = datetime.fromisoformat("2026-11-23T09:00:00+01:00")

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:crm="https://contentum.example/bpmn/crm" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' targetNamespace="t">'
)
TERMINATE = "<terminateEventDefinition/>"


def element(kind, id_, inner="", **attributes):
    """`crm_due` becomes crm:due, `camunda_assignee` camunda:assignee."""
    text = "".join(f" {name.replace('_', ':')}={quoteattr(str(value))}" for name, value in attributes.items())
    return f'<{kind} id="{id_}"{text}>{inner}</{kind}>'


def start(id_="s", inner="", **attributes):
    return element("startEvent", id_, inner, **attributes)


def end(id_="e", inner="", **attributes):
    return element("endEvent", id_, inner, **attributes)


def user(id_, inner="", **attributes):
    return element("userTask", id_, inner, **{"crm_assignee": "requester", **attributes})


def service(id_, inner="", operation="notify.user", **attributes):
    return element("serviceTask", id_, inner, **{"crm_operation": operation, **attributes})


def xor(id_, **attributes):
    return element("exclusiveGateway", id_, **attributes)


def both(id_, **attributes):
    return element("parallelGateway", id_, **attributes)


def some(id_, **attributes):
    return element("inclusiveGateway", id_, **attributes)


def sub(id_, *parts, **attributes):
    return element("subProcess", id_, "".join(parts), **attributes)


def handler(id_, *parts):
    """An event subprocess."""
    return sub(id_, *parts, triggeredByEvent="true")


def message(name="M"):
    """A message event definition; `declare("message", "M")` goes before the process."""
    return f'<messageEventDefinition messageRef="{name}"/>'


def signal(name="S"):
    return f'<signalEventDefinition signalRef="{name}"/>'


def error(code=""):
    return f'<errorEventDefinition errorRef="{code}"/>' if code else "<errorEventDefinition/>"


def escalation(code=""):
    return f'<escalationEventDefinition escalationRef="{code}"/>' if code else "<escalationEventDefinition/>"


def catch(id_, inner, **attributes):
    return element("intermediateCatchEvent", id_, inner, **attributes)


def throw(id_, inner, **attributes):
    return element("intermediateThrowEvent", id_, inner, **attributes)


def declared(*parts):
    """A graph whose events may refer to the messages M and N, the signals S and T, the codes E, F, H and I."""
    known = "".join(
        [
            *(f'<message id="{name}" name="{name}"/>' for name in "MN"),
            *(f'<signal id="{name}" name="{name}"/>' for name in "ST"),
            *(f'<error id="{name}" errorCode="{name}"/>' for name in "EF"),
            *(f'<escalation id="{name}" escalationCode="{name}"/>' for name in "HI"),
        ]
    )
    return read(document(known, process(*parts))).graphs[0]


def timer(duration="P1D", part="timeDuration"):
    return f"<timerEventDefinition><{part}>{duration}</{part}></timerEventDefinition>"


def pause(id_, duration="P1D"):
    return element("intermediateCatchEvent", id_, timer(duration))


def border(id_, host, inner=None, **attributes):
    return element(
        "boundaryEvent", id_, timer() if inner is None else inner, attachedToRef=host, **attributes
    )


def outcomes(*keys):
    return (
        "<extensionElements>"
        + "".join(f'<crm:outcome key="{key}"/>' for key in keys)
        + "</extensionElements>"
    )


def flow(path, condition="", name=""):
    """`flow("a > b > c")` draws a flow between each neighbours; a condition belongs to the last one."""
    steps = [step.strip() for step in path.split(">")]
    drawn = ""
    for source, target in pairwise(steps):
        last = target == steps[-1]
        inner = (
            f"<conditionExpression><![CDATA[{condition}]]></conditionExpression>"
            if condition and last
            else ""
        )
        attributes = {"sourceRef": source, "targetRef": target} | ({"name": name} if name else {})
        drawn += element("sequenceFlow", f"{source}-{target}", inner, **attributes)
    return drawn


def process(*parts, id_="p", **attributes):
    return element("process", id_, "".join(parts), **attributes)


def document(*processes):
    return (_HEAD + "".join(processes) + "</definitions>").encode()


def diagram(*parts):
    """The bytes of a file with one process."""
    return document(process(*parts))


def graph_of(*parts):
    return read(diagram(*parts)).graphs[0]


def codes(*parts, cards=None):
    """The codes of all findings on a process."""
    return sorted(each.code for each in check(diagram(*parts), cards or {}).findings)


class Player:
    """Plays a process by the names of its nodes; the state lives as JSON text between any two steps."""

    def __init__(self, graph, limits=LIMITS, **variables):
        self.graph = graph
        self.limits = limits
        self.now = NOW
        self.effects = []
        self.save(State.start(graph, variables))
        self.send(Started())

    def save(self, state):
        self.text = json.dumps(state.to_json())
        self.variables = json.dumps(encode(state.variables))

    @property
    def state(self):
        return State.from_json(json.loads(self.text), decode(json.loads(self.variables)))

    def send(self, event):
        result = advance(self.graph, self.state, event, self.now, self.limits)
        self.save(result.state)
        self.latest = result.effects
        self.effects += result.effects
        self.more = result.more
        return result

    def go_on(self, times=1_000):
        while self.more and times:
            self.send(Continue())
            times -= 1

    def token(self, node):
        return next(iter(self.tokens(node)))

    def done(self, node, outcome="", **values):
        """What the (oldest) token on this node waits for comes to pass."""
        return self.done_by(self.token(node), outcome, **values)

    def tokens(self, node):
        """The waiting tokens on a node, those of the rounds only for a repeated activity."""
        found = [each for each in self.state.tokens.values() if each.node == node and each.wait]
        return [each.id for each in found if each.wait.kind != "loop"]

    def done_by(self, token, outcome="", **values):
        kind = self.state.tokens[token].wait.kind
        if kind == "timer":
            self.now = max(self.now, datetime.fromisoformat(self.state.tokens[token].wait.until))
            return self.send(TimerDue(token))
        self.now += timedelta(minutes=1)
        if kind == "signal":
            return self.send(SignalReceived(self.state.tokens[token].wait.name, values))
        event = {"job": JobDone, "message": MessageReceived, "call": CallDone}.get(kind)
        return self.send(event(token, values) if event else TaskDone(token, outcome, values))

    @property
    def waiting(self):
        return sorted((each.node, each.kind) for each in self.state.waiting())

    @property
    def visited(self):
        return [effect.node for effect in self.effects if isinstance(effect, NodeEntered)]

    @property
    def ends(self):
        return self.state.ends

    @property
    def status(self):
        return self.state.status

    def kinds(self):
        """Names of the effects of the latest step with the node or token they are about."""
        return [type(effect).__name__ for effect in self.latest]


def task_chain(length):
    """Start, so many user tasks in a row, end."""
    names = [f"t{number}" for number in range(length)]
    return [start(), *(user(name) for name in names), end(), flow(" > ".join(["s", *names, "e"]))]
