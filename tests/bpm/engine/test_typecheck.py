"""Kinds: what can never have a value is found when a diagram is read, what may have one is let through."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.engine.checking import check
from bpm.engine.evaluating import evaluate, truth
from bpm.engine.expressions import ExpressionError, parse
from bpm.engine.typecheck import problem_of
from bpm.engine.vocabulary import Vocabulary, vocabulary
from tests.factories.diagrams import declared, diagram, element, end, flow, start, user, xor

CARDS = {"deal": {"amount": "number", "close_date": "date", "name": "text", "hot": "bool", "tags": "list"}}
WORDS = Vocabulary(
    {("n",): "number", ("t",): "text", ("d",): "date", ("b",): "bool", ("l",): "list", ("f",): "card",
     ("deal",): "card", **{("deal", name): kind for name, kind in CARDS["deal"].items()}},
    False,
    CARDS,
)  # fmt: skip
NOW = datetime.fromisoformat("2026-11-23T09:00:00+01:00")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("deal.close_date > 5", "it compares values that have no order"),
        ("5 > deal.close_date", "it compares values that have no order"),
        ("n < b", "it compares values that have no order"),
        ("l > 1", "it compares values that have no order"),
        ("deal.amount == true", "it compares values of different kinds"),
        ("deal.amount == 'much'", "it compares values of different kinds"),
        ("d != 7", "it compares values of different kinds"),
        ("l == 'x'", "it compares values of different kinds"),
        ("deal.gone == 1", "the card does not have the field “gone”"),
        ("n.x == 1", "it reads the field “x” of something that is not a card"),
        ("d + 1 > 2", "it calculates with something that is not a number"),
        ("-t > 2", "it calculates with something that is not a number"),
        ("t - 1 > 2", "it calculates with something that is not a number"),
        ("n in 5", "it looks with “in” into something that is not a list"),
        ("lower(n) == 'x'", "“lower” was given a value it cannot use"),
        ("len(n) > 1", "“len” was given a value it cannot use"),
        ("n and b", "its value is neither yes nor no"),
        ("not d", "its value is neither yes nor no"),
        ("not not d", "its value is neither yes nor no"),
        ("n", "its value is neither yes nor no"),
        ("'word'", "its value is neither yes nor no"),
        ("[1]", "its value is neither yes nor no"),
        ("if n then b else b", "its value is neither yes nor no"),
        ("(if b then n else n)", "its value is neither yes nor no"),
        ("deal.close_date > 5 and deal.amount == true", "it compares values that have no order"),
    ],
)
def test_what_can_never_be_is_said(text, problem):
    found = problem_of(parse(text), WORDS, condition=True)
    assert found is not None
    assert found.said() == problem


@pytest.mark.parametrize(
    "text",
    [
        "deal.amount > 5", "deal.amount > '5'", "t > 5", "t == true", "t == '2026-01-01'", "d > '2026-01-01'",
        "d < today()", "days_between(d, today()) > 3", "t + 'x' == 'yx'", "unknown + 1 > 2", "unknown", "b", "t",
        "n in [1, 2]", "'x' in t", "contains(l, 'x')", "len(l) > 1", "sum(l) > 1", "count(l, 'x') == 2",
        "empty d", "deal.tags == null", "null == n", "if b then n else t", "(b)", "f.name == 'a.pdf'",
        "unknown.field.deeper > 1", "unknown > d", "'true'", "'7' > n", "round(n, 2) >= 1", "f == unknown",
    ],
)  # fmt: skip
def test_what_may_have_a_value_is_let_through(text):
    assert problem_of(parse(text), WORDS, condition=True) is None


VALUES = {
    "number": st.integers(-5, 5), "text": st.sampled_from(["a", "b c", ""]), "bool": st.booleans(),
    "date": st.sampled_from(["2026-01-01", "2026-12-31"]), "list": st.lists(st.integers(0, 3), max_size=3),
}  # fmt: skip
NAMES = {"n": "number", "t": "text", "b": "bool", "d": "date", "l": "list"}
LEAVES = st.sampled_from(
    [*NAMES, "1", "2.5", "'word'", "'2026-05-05'", "true", "null", "[1, 2]", "deal.amount"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "==", "!=", "<", ">=", "and", "or", "in"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map("(not {})".format), inner.map("(empty {})".format), inner.map("len({})".format),
        inner.map("lower({})".format), inner.map("abs({})".format),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(TREES, st.fixed_dictionaries({name: VALUES[kind] for name, kind in NAMES.items()}))
def test_whatever_is_reported_fails_whenever_it_is_reached(text, values):
    """Soundness of the check: an expression without branches that has a problem has no value, or a useless one."""
    try:
        tree = parse(text)
    except ExpressionError:
        return
    problem = problem_of(tree, WORDS, condition=False)
    if problem is None or " and " in text or " or " in text or "different kinds" in problem.said():
        return
    with pytest.raises(ExpressionError):
        truth(evaluate(text, values | {"deal": {"amount": 3}}, NOW))


def test_findings_name_the_flow_and_the_attribute():
    parts = (
        start(), user("u", crm_assignee="${deal.gone}", crm_due="${deal.boss}"), xor("x", default="x-e"),
        end(), end("b"),
        flow("s > u > x > e"), flow("x > b", "deal.close_date > 5"),
    )  # fmt: skip
    report = check(diagram(*parts), CARDS)
    assert sorted((each.code, each.element) for each in report.findings) == [
        ("bad_condition", "x-b"), ("bad_time", "u"), ("bad_value", "u"),
    ]  # fmt: skip
    assert check(diagram(*parts)).findings == ()


def test_the_words_of_a_process():
    form = (
        '<extensionElements><crm:form><crm:field key="n" type="number"/><crm:field key="x" type="date"/>'
        '</crm:form></extensionElements><multiInstanceLoopCharacteristics crm:collection="n" crm:element="e"'
        ' crm:outputCollection="o"/>'
    )
    other = '<extensionElements><crm:form><crm:field key="x"/></crm:form></extensionElements>'
    work = '<extensionElements><crm:set variable="r" value="1"/><crm:output name="a" variable="w"/></extensionElements>'
    call = '<extensionElements><crm:output name="a" variable="v"/></extensionElements>'
    graph = declared(
        user("u", form), user("v", other), element("serviceTask", "k", work),
        element("callActivity", "c", call, calledElement="q"),
    )  # fmt: skip
    words = vocabulary(graph, CARDS)
    kinds = {path[0]: kind for path, kind in words.kinds.items() if len(path) == 1}
    wanted = {"n": "number", "x": "any", "e": "any", "o": "list", "r": "any", "w": "any", "v": "any"}
    assert {name: kinds[name] for name in wanted} == wanted
    assert words.knows("n") and words.knows("deal") and not words.knows("nothing")
    assert vocabulary(declared(element("receiveTask", "k", messageRef="M")), {}).knows("anything")
    everything = element(
        "callActivity", "c", '<extensionElements><camunda:out variables="all"/></extensionElements>'
    )
    assert vocabulary(declared(everything), {}).is_open


@pytest.mark.parametrize(
    "inner",
    [
        '<multiInstanceLoopCharacteristics crm:collection="((("/>',
        '<multiInstanceLoopCharacteristics crm:collection="d" crm:element="no word"/>',
        "<multiInstanceLoopCharacteristics><completionCondition>1 + 1</completionCondition>"
        "<loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>",
        '<standardLoopCharacteristics loopMaximum="((("/>',
        '<standardLoopCharacteristics loopMaximum="1001"/>',
        '<extensionElements><crm:output name="(((" variable="x"/></extensionElements>',
        '<extensionElements><crm:output name="x" variable="no word"/></extensionElements>',
        '<extensionElements><crm:input name="no word" value="x"/></extensionElements>',
        '<extensionElements><camunda:in source="((" target="x"/><camunda:out variables="all"/></extensionElements>',
        '<extensionElements><crm:input name="x" value="${((}"/></extensionElements>',
    ],
)
def test_texts_of_calls_and_repetitions_are_checked(inner):
    report = check(
        diagram(start(), element("callActivity", "k", inner, calledElement="q"), end(), flow("s > k > e"))
    )
    errors = [each.code for each in report.findings if each.severity == "error"]
    assert errors == ["bad_value"]


@pytest.mark.parametrize("name", ["${((}", "x"])
def test_names_of_messages_are_checked(name):
    part = element("receiveTask", "k", messageRef="M", crm_correlationKey=name)
    data = diagram(start(), part, end(), flow("s > k > e"))
    errors = [each.code for each in check(data).findings if each.severity == "error"]
    assert errors == (["bad_value"] if "(" in name else [])
