"""The rules for what is written in a diagram: expressions, times, forms, and the names of variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from bpm.engine.books import Limits
from bpm.engine.durations import DurationError, moment_of, parse_cycle, parse_duration
from bpm.engine.expressions import ExpressionError, is_expression, parse, parse_template, paths
from bpm.engine.extensions import FIELD_TYPES
from bpm.engine.findings import Finding, finding
from bpm.engine.model import Argument, Flow, Form, Graph, Node, Repeat
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.typecheck import problem_of
from bpm.engine.vocabulary import Vocabulary

_KEY = re.compile(r"[^\W\d]\w{0,63}")
_OPERATION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_ANYTIME = "2026-01-01T00:00:00+00:00"


def written_findings(node: Node, words: Vocabulary) -> Iterator[Finding]:
    """What is wrong with the texts of one node."""
    people = (("assignee", node.assignee), ("candidateRole", node.candidate_role))
    yield from _values(node, people, words)
    for text in filter(None, (node.due, node.escalate)):
        yield from _time(node, text, words)
    if node.remind:
        yield from _time(node, node.remind, words, read=parse_duration)
    if not node.due and (node.remind or node.escalate):
        yield finding("no_due", node.id, node.name)
    if node.form:
        yield from _form(node, node.form)
    if node.operation:
        yield from _operation(node, words)
    yield from _timers(node, words)
    yield from _handed(node, words)
    if node.repeat:
        yield from _repeat(node, node.repeat, words)


def _handed(node: Node, words: Vocabulary) -> Iterator[Finding]:
    """Messages, signals, calls and rules: what they are named by, what goes in and what comes out."""
    for trigger in node.triggers:
        yield from _values(node, (("name", trigger.name), ("correlationKey", trigger.key)), words)
    yield from _arguments(node, (*node.inputs, *node.sets), words)
    yield from _results(node, node.outputs)
    if node.call:
        yield from _values(node, (("calledElement", node.call.process),), words)
        yield from _arguments(node, node.call.inputs, words)
        yield from _results(node, [each for each in node.call.outputs if each.name != "*"])
        for each in node.call.outputs:
            if each.name not in ("", "*"):
                yield from _expression(node, each.value, each.name, None)


def _repeat(node: Node, repeat: Repeat, words: Vocabulary) -> Iterator[Finding]:
    texts = (
        ("collection", repeat.collection), ("loopCardinality", repeat.cardinality),
        ("loopMaximum", repeat.maximum), ("outputElement", repeat.output_element),
    )  # fmt: skip
    for attribute, text in texts:
        if text:
            yield from _expression(node, attribute, text, words)
    for attribute, text in texts[1:3]:
        if text.isascii() and text.isdigit() and int(text[:20]) > Limits().rounds:
            limit = str(Limits().rounds)
            yield _bad_value(node, attribute, Phrase(_("it is more than %(limit)s"), {"limit": limit}))
    if repeat.condition:
        yield from _expression(node, "completionCondition", repeat.condition, words, condition=True)
    for attribute, name in (("element", repeat.element), ("outputCollection", repeat.output)):
        if name and not _KEY.fullmatch(name):
            yield _bad_value(node, attribute, Phrase(_("it names no variable")))


def _operation(node: Node, words: Vocabulary) -> Iterator[Finding]:
    operation = node.operation
    assert operation is not None
    if not _OPERATION.fullmatch(operation.name) or not re.fullmatch(r"[1-9]\d{0,3}", operation.version):
        value = f"{operation.name} {operation.version}"[:100]
        yield finding("bad_operation", node.id, node.name, value=value)
    yield from _arguments(node, operation.inputs, words)
    yield from _results(node, operation.outputs)


def _arguments(node: Node, arguments: Iterable[Argument], words: Vocabulary) -> Iterator[Finding]:
    for argument in arguments:
        yield from _values(node, ((argument.name, argument.value),), words)
        if not _KEY.fullmatch(argument.name):
            yield _bad_value(node, argument.name, Phrase(_("its name is not a word")))


def _results(node: Node, outputs: Iterable[Argument]) -> Iterator[Finding]:
    for output in outputs:
        if not _KEY.fullmatch(output.value) or not output.name:
            yield _bad_value(node, output.name, Phrase(_("it names no variable")))


def _values(node: Node, values: Iterable[tuple[str, str]], words: Vocabulary) -> Iterator[Finding]:
    """Literals, or texts with expressions in them."""
    for attribute, text in values:
        try:
            parts = [part for part in parse_template(text) if not isinstance(part, str)]
        except ExpressionError as error:
            yield _bad_value(node, attribute, error.phrase)
            continue
        for problem in filter(None, (problem_of(part, words, condition=False) for part in parts)):
            yield _bad_value(node, attribute, problem)


def _expression(
    node: Node, attribute: str, text: str, words: Vocabulary | None, *, condition: bool = False
) -> Iterator[Finding]:
    """A text that is an expression in any spelling; without `words` its variables are those of another process."""
    try:
        problem = problem_of(parse(text), words, condition=condition) if words else parse(text) and None
    except ExpressionError as error:
        problem = error.phrase
    if problem:
        yield _bad_value(node, attribute, problem)


def _bad_value(node: Node, attribute: str, problem: Phrase) -> Finding:
    return finding("bad_value", node.id, node.name, attribute=attribute[:100], problem=problem)


def _moment(text: str) -> datetime:
    return moment_of(text, datetime.fromisoformat(_ANYTIME))


def _time(
    node: Node, text: str, words: Vocabulary, *, read: Callable[[str], object] = _moment
) -> Iterator[Finding]:
    try:
        if is_expression(text):
            for part in parse_template(text):
                problem = None if isinstance(part, str) else problem_of(part, words, condition=False)
                if problem:
                    yield finding("bad_time", node.id, node.name, value=text[:100], problem=problem)
        else:
            read(text)
    except (ExpressionError, DurationError) as error:
        yield finding("bad_time", node.id, node.name, value=text[:100], problem=error.phrase)


def _timers(node: Node, words: Vocabulary) -> Iterator[Finding]:
    for trigger in node.triggers:
        if trigger.kind != "timer" or (node.kind == "startEvent" and not node.scope):
            continue
        if not (trigger.duration or trigger.date or trigger.cycle):
            yield finding("no_time", node.id, node.name)
        elif trigger.cycle:
            yield from _time(node, trigger.cycle, words, read=parse_cycle)
            if node.kind not in ("boundaryEvent", "startEvent") or node.interrupting:
                yield finding("first_repeat", node.id, node.name, node=node.label)
        else:
            yield from _time(node, trigger.duration or trigger.date, words)


def _form(node: Node, form: Form) -> Iterator[Finding]:
    for key, problem in _form_problems(form):
        yield finding("bad_form", node.id, node.name, key=key[:100], problem=problem)


def _form_problems(form: Form) -> Iterator[tuple[str, Phrase]]:
    seen: set[str] = set()
    for each in form.fields:
        if not _KEY.fullmatch(each.key):
            yield each.key, Phrase(_("its key is not a word"))
        if each.key in seen:
            yield each.key, Phrase(_("it is there twice"))
        seen.add(each.key)
        if each.type not in FIELD_TYPES:
            yield each.key, Phrase(_("the type “%(type)s” is not known"), {"type": each.type[:40]})
        if each.type == "choice" and not each.choices:
            yield each.key, Phrase(_("there is nothing to choose from"))
    keys = [each.key for each in form.outcomes]
    for key in dict.fromkeys(keys):
        if not key:
            yield key, Phrase(_("an outcome has no key"))
        if keys.count(key) > 1:
            yield key, Phrase(_("it is there twice"))


# Conditions of flows


def condition_findings(graph: Graph, node: Node, words: Vocabulary) -> Iterator[Finding]:
    """What is wrong with the conditions of the flows out of a node."""
    flows = graph.outgoing(node)
    decides = node.kind not in ("parallelGateway", "eventBasedGateway")
    if decides and flows and not node.default and all(flow.condition for flow in flows):
        yield finding("no_default", node.id, node.name, node=node.label)
    for flow in flows:
        if not flow.condition:
            continue
        name = flow.name or flow.id
        if flow.id == node.default or not decides:
            yield finding("unused_condition", flow.id, flow.name, flow=name)
            continue
        try:
            problem = problem_of(parse(flow.condition), words, condition=True)
        except ExpressionError as error:
            problem = error.phrase
        if problem:
            yield finding("bad_condition", flow.id, flow.name, flow=name, problem=problem)


def variable_findings(graph: Graph, words: Vocabulary) -> Iterator[Finding]:
    """Variables that conditions read and nothing in the process sets, each reported once."""
    said: set[str] = set()
    for flow in graph.flow_list:
        for name in sorted(_names(flow) - said):
            if not words.knows(name):
                said.add(name)
                yield finding("unset_variable", flow.id, flow.name, variable=name)


def _names(flow: Flow) -> set[str]:
    try:
        return {path[0] for path in paths(parse(flow.condition))} if flow.condition else set()
    except ExpressionError:
        return set()
