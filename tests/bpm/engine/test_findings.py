"""Every finding, each on the smallest diagram that has it, and what draws no complaint."""

import pytest

from bpm.engine.checking import check
from bpm.engine.findings import CATALOGUE, REJECTING
from tests.factories.diagrams import (
    TERMINATE,
    border,
    both,
    codes,
    diagram,
    document,
    element,
    end,
    flow,
    handler,
    pause,
    process,
    service,
    some,
    start,
    sub,
    timer,
    user,
    xor,
)


def form(*parts):
    return f"<extensionElements><crm:form>{''.join(parts)}</crm:form></extensionElements>"


def given(*parts):
    return f"<extensionElements>{''.join(parts)}</extensionElements>"


def after_start(*parts, path):
    return (start(), *parts, end(), flow(path))


MESSAGE = "<messageEventDefinition/>"
CASES = {
    "empty_process": (),
    "nowhere_to_start": (sub("p1", user("v"), flow("v > v")), start(), end(), flow("s > p1 > e")),
    "loose_flow": (*after_start(path="s > e"), '<sequenceFlow id="f" sourceRef="s"/>'),
    "flow_not_node": (*after_start(path="s > e"), '<dataObject id="d"/>', flow("s > d")),
    "flow_crosses": (
        *after_start(sub("p1", start("s1"), user("v"), end("e1"), flow("s1 > v > e1")), path="s > p1 > e"),
        flow("s > v"),
    ),
    "end_with_flow": (*after_start(path="s > e"), user("u"), flow("e > u")),
    "start_with_flow": (*after_start(user("u"), path="s > u > e"), flow("u > s")),
    "link_nowhere": (
        start(),
        element("intermediateThrowEvent", "l", '<linkEventDefinition name="x"/>'),
        flow("s > l"),
    ),
    "no_event": after_start(element("eventBasedGateway", "g"), user("u"), path="s > g > u > e"),
    "boundary_nowhere": (*after_start(path="s > e"), border("b", "gone"), flow("b > e")),
    "boundary_with_flow": (
        *after_start(user("u"), path="s > u > e"),
        border("b", "u"),
        flow("b > e"),
        flow("u > b"),
    ),
    "handler_with_flow": (
        *after_start(path="s > e"),
        handler("h", start("s1", timer()), end("e1"), flow("s1 > e1")),
        flow("h > e"),
    ),
    "several_triggers": (
        *after_start(path="s > e"),
        handler("h", start("s1", timer()), start("s2", timer()), end("e1"), flow("s1 > e1"), flow("s2 > e1")),
    ),
    "no_called": after_start(element("callActivity", "k"), path="s > k > e"),
    "calls_itself": after_start(element("callActivity", "k", calledElement="p"), path="s > k > e"),
    "no_rule": after_start(element("businessRuleTask", "k"), path="s > k > e"),
    "inner_trigger": after_start(
        sub("p1", start("s1", MESSAGE), end("e1"), flow("s1 > e1")), path="s > p1 > e"
    ),
    "unnamed": after_start(element("receiveTask", "k"), path="s > k > e"),
    "repeat_once": after_start(user("k", "<multiInstanceLoopCharacteristics/>"), path="s > k > e"),
    "together_starts": (user("u"), user("v"), end(), flow("u > e"), flow("v > e")),
    "no_operation": after_start(element("serviceTask", "j"), path="s > j > e"),
    "foreign_work": after_start(element("serviceTask", "j", camunda_class="org.Do"), path="s > j > e"),
    "bad_operation": after_start(service("j", operation="rm -rf"), path="s > j > e"),
    "bad_condition": (
        *after_start(xor("x", default="x-e"), path="s > x > e"),
        flow("x > s2", "a >"),
        end("s2"),
    ),
    "bad_value": after_start(service("j", given('<crm:input name="a b" value="x"/>')), path="s > j > e"),
    "bad_time": after_start(user("u", crm_due="tomorrow"), path="s > u > e"),
    "no_time": after_start(
        element("intermediateCatchEvent", "t", "<timerEventDefinition/>"), path="s > t > e"
    ),
    "bad_form": after_start(user("u", form('<crm:field key="a" type="rocket"/>')), path="s > u > e"),
    "circle": (
        *after_start(xor("x", default="x-e"), xor("y"), path="s > x > e"),
        flow("x > y", "true"),
        flow("y > x"),
    ),
    "no_escape": (*after_start(user("u"), path="s > u > u"),),
    "deadlock": (
        start(),
        xor("x", default="x-a"),
        user("a"),
        user("b"),
        both("j"),
        end(),
        flow("s > x > a > j > e"),
        flow("x > b", "deal.amount > 1"),
        flow("b > j"),
    ),
    "flood": (
        start(),
        xor("m"),
        user("u"),
        both("f"),
        user("v"),
        end(),
        flow("s > m > u > f > v > m"),
        flow("f > m"),
        flow("v > e"),
    ),
    "endless": (start(), xor("m"), user("u"), both("f"), end(), flow("s > m > u > f > e"), flow("f > m")),
    "no_start": (user("u"), end(), flow("u > e")),
    "several_starts": (start(), start("s2"), user("u"), end(), flow("s > u > e"), flow("s2 > u")),
    "start_trigger": (start("s", MESSAGE), end(), flow("s > e")),
    "no_due": after_start(user("u", crm_remind="PT1H"), path="s > u > e"),
    "no_end": (start(), user("u"), flow("s > u")),
    "implicit_end": (
        start(),
        xor("x", default="x-e"),
        user("u"),
        end(),
        flow("s > x > e"),
        flow("x > u", "true"),
    ),
    "unreachable": (*after_start(path="s > e"), user("u"), flow("u > e")),
    "implicit_split": (*after_start(user("u"), path="s > u > e"), end("b"), flow("u > b")),
    "persons_choice": (*after_start(xor("x"), path="s > x > e"), end("b"), flow("x > b")),
    "otherwise": (*after_start(xor("x"), path="s > x > e"), end("b"), flow("x > b", "true")),
    "no_default": (
        start(),
        xor("x"),
        end(),
        end("b"),
        flow("s > x"),
        flow("x > e", "true"),
        flow("x > b", "false"),
    ),
    "unused_condition": (start(), both("f"), end(), end("b"), flow("s > f > b"), flow("f > e", "true")),
    "no_assignee": after_start(element("userTask", "u"), path="s > u > e"),
    "unset_variable": (
        *after_start(xor("x", default="x-e"), path="s > x > e"),
        end("b"),
        flow("x > b", "amount > 1"),
    ),
    "first_repeat": after_start(
        element("intermediateCatchEvent", "t", timer("R3/PT1H", "timeCycle")), path="s > t > e"
    ),
    "maybe_deadlock": (
        start(),
        both("f"),
        xor("x", default="x-e1"),
        xor("y", default="y-e2"),
        both("j"),
        end(),
        end("e1"),
        end("e2"),
        flow("s > f > x > e1"),
        flow("f > y > e2"),
        flow("x > j", "deal.amount > 5"),
        flow("y > j", "deal.amount > 5"),
        flow("j > e"),
    ),
}


@pytest.mark.parametrize("code", sorted(CASES))
def test_finding(code):
    assert code in codes(*CASES[code])


def test_every_code_is_shown_by_a_test():
    elsewhere = {"no_process", "choreography", "no_id", "unsupported", "not_explored", "empty_pool"}
    assert set(CATALOGUE) == set(CASES) | elsewhere | REJECTING


def test_findings_of_the_whole_file():
    assert [each.code for each in check(document()).findings] == ["no_process"]
    report = check(document('<choreography id="c"/>', process(start(), end(), flow("s > e"))))
    assert (report.verdict, report.findings[0].code) == ("draft", "choreography")
    report = check(document(process(start(), end(), flow("s > e")), process(id_="empty")))
    assert (report.verdict, [each.code for each in report.findings]) == ("publishable", ["empty_pool"])
    assert [graph.id for graph in report.graphs] == ["p"]
    assert "no_id" in codes(start(), end(), flow("s > e"), "<task/>")


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (element("scriptTask", "k", "<script>1</script>"), "script task"),
        (element("transaction", "k", start("s1")), "transaction"),
        (element("adHocSubProcess", "k", user("v")), "ad hoc subprocess"),
        (element("complexGateway", "k"), "complex gateway"),
        (element("intermediateCatchEvent", "k", "<conditionalEventDefinition/>"), "conditional event"),
        (element("intermediateCatchEvent", "k", "<escalationEventDefinition/>"), "escalation event"),
        (element("intermediateThrowEvent", "k", "<errorEventDefinition/>"), "error event"),
        (element("intermediateThrowEvent", "k", timer()), "timer event"),
        (element("intermediateThrowEvent", "k", TERMINATE), "terminate event"),
        (element("intermediateCatchEvent", "k", "<cancelEventDefinition/>"), "cancel event"),
        (user("k", isForCompensation="true"), "step that undoes another (compensation)"),
        (element("intermediateThrowEvent", "k", "<compensateEventDefinition/>"), "compensation event"),
        (element("intermediateCatchEvent", "k", MESSAGE + timer()), "message event"),
        (element("intermediateCatchEvent", "k"), "catching event without a definition"),
    ],
)
def test_what_cannot_be_run_is_named_with_a_remedy(part, kind):
    report = check(diagram(start(), part, end(), flow("s > k > e")))
    assert report.verdict == "draft"
    finding = next(each for each in report.findings if each.code == "unsupported")
    assert finding.element == "k"
    assert finding.message == f"This cannot be run yet: {kind}."
    assert len(finding.remedy) > 10


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("", "event subprocess that nothing starts"),
        (MESSAGE + timer(), "message event"),
        ("<conditionalEventDefinition/>", "conditional event"),
        ("<compensateEventDefinition/>", "compensation event"),
    ],
)
def test_event_subprocess_that_cannot_begin_is_named(trigger, kind):
    inner = handler("k", start("s1", trigger), end("e1"), flow("s1 > e1"))
    report = check(diagram(start(), end(), flow("s > e"), inner))
    finding = next(each for each in report.findings if each.code == "unsupported")
    assert (finding.element, finding.message) == ("s1", f"This cannot be run yet: {kind}.")


def test_all_findings_come_at_once_errors_first():
    report = check(
        diagram(
            start(), xor("x"), end(), element("scriptTask", "k"), service("j", operation="bad name"),
            user("u", crm_due="soon"), flow("s > x > e"), flow("x > k > j > u > e"),
        )
    )  # fmt: skip
    assert [each.code for each in report.findings] == [
        "unsupported",
        "bad_operation",
        "bad_time",
        "persons_choice",
    ]
    assert set(report.findings[0].to_json()) == {"severity", "element", "name", "message", "remedy"}


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ('<crm:field key="a b"/>', 1),
        ('<crm:field key="a"/><crm:field key="a"/>', 1),
        ('<crm:field key="a" type="choice"/>', 1),
        ('<crm:field key="a" type="choice"><crm:choice value="1"/></crm:field>', 0),
        ('<crm:outcome key="a"/><crm:outcome key="a"/>', 1),
        ('<crm:outcome label="a"/>', 1),
    ],
)
def test_forms(fields, count):
    assert codes(*after_start(user("u", form(fields)), path="s > u > e")).count("bad_form") == count


def test_what_is_only_drawn_never_blocks():
    shown = (
        '<laneSet><lane id="l1" name="Sales"><flowNodeRef>u</flowNodeRef></lane></laneSet>'
        '<dataObject id="d1"/><dataObjectReference id="d2" dataObjectRef="d1"/><dataStoreReference id="d3"/>'
        '<textAnnotation id="n1"><text>note</text></textAnnotation><group id="g1"/>'
        '<association id="a1" sourceRef="u" targetRef="n1"/>'
    )
    collaboration = (
        '<collaboration id="c"><participant id="pa" name="Our side" processRef="p"/>'
        '<participant id="pb" name="Customer"/><messageFlow id="m" sourceRef="u" targetRef="pb"/></collaboration>'
    )
    data = '<dataOutputAssociation id="o1"><sourceRef>x</sourceRef><targetRef>d2</targetRef></dataOutputAssociation>'
    task = element("userTask", "u", data)
    report = check(document(collaboration, process(start(), task, end(), flow("s > u > e"), shown)))
    assert (report.verdict, report.findings) == ("publishable", ())
    graph = report.graphs[0]
    assert (graph.name, graph.nodes["u"].lane) == ("Our side", "Sales")


@pytest.mark.parametrize(
    "parts",
    [
        (start(), both("f"), user("a"), user("b"), both("j"), end(), flow("s > f > a > j > e"), flow("f > b > j")),
        (start(), xor("x"), user("a"), user("b"), xor("m"), end(), flow("s > x > a > m > e"), flow("x > b > m")),
        (start(), user("a"), xor("x"), end(), flow("s > a > x > e"), flow("x > a")),
        (start(), some("f"), user("a"), user("b"), some("j"), end(), flow("s > f"), flow("a > j > e"),
         flow("b > j"), flow("f > a", "deal.amount > 1"), flow("f > b", "deal.amount < 9")),
        (start(), user("a"), border("t", "a", cancelActivity="false"), user("b"), end(), end("e2"),
         flow("s > a > e"), flow("t > b > e2")),
        (start(), xor("m"), both("f"), user("a"), user("b"), both("j"), xor("x"), end(),
         flow("s > m > f > a > j > x > e"), flow("f > b > j"), flow("x > m")),
        (start(), pause("t"), sub("p1", start("s1"), user("u"), end("e1"), flow("s1 > u > e1")), end(),
         flow("s > t > p1 > e")),
    ],
)  # fmt: skip
def test_sound_shapes_have_no_errors(parts):
    report = check(diagram(*parts))
    assert [each.code for each in report.findings if each.severity == "error"] == []


@pytest.mark.parametrize(
    "parts",
    [
        (start(), both("f"), user("a"), border("t", "a"), user("b"), both("j"), end(), end("e2"),
         flow("s > f > a > j > e"), flow("f > b > j"), flow("t > e2")),
        (start(), element("eventBasedGateway", "g"), pause("a"), pause("b"), both("j"), end(),
         flow("s > g > a > j > e"), flow("g > b > j")),
        (start(), sub("p1", start("s1"), xor("x"), user("a"), user("b"), both("j"), end("e1"),
                      flow("s1 > x > a > j > e1"), flow("x > b > j")), end(), flow("s > p1 > e")),
    ],
)  # fmt: skip
def test_deadlocks_are_found(parts):
    assert "deadlock" in codes(*parts)


def test_forty_parallel_diamonds_in_a_row_are_judged_at_once():
    parts, path = [start(), end()], ["s"]
    for number in range(40):
        names = [f"{letter}{number}" for letter in "fabj"]
        parts += [both(names[0]), user(names[1]), user(names[2]), both(names[3])]
        parts += [
            flow(f"{names[0]} > {names[2]} > {names[3]}"),
            flow(f"{names[0]} > {names[1]} > {names[3]}"),
        ]
        parts.append(flow(f"{path[-1]} > {names[0]}"))
        path.append(names[3])
    assert codes(*parts, flow(f"{path[-1]} > e")) == []


def test_too_many_ways_are_said_to_be_too_many():
    """Thirteen questions at once, each answer kept apart by a join of its own, make 8,192 different runs."""
    parts = [start(), both("f"), some("j"), end(), flow("s > f"), flow("j > e")]
    for number in range(13):
        parts += [xor(f"x{number}"), user(f"a{number}"), user(f"b{number}"), flow(f"f > x{number}")]
        parts += [flow(f"x{number} > {way}{number} > j") for way in "ab"]
    found = codes(*parts)
    assert "not_explored" in found
    assert "deadlock" not in found


def test_flows_listed_under_another_pool_belong_to_their_steps():
    one = process(flow("s > u > e"), start("s2"), end("e2"), flow("s2 > e2"), id_="pool")
    other = process(start(), user("u"), end(), id_="lanes")
    report = check(document(one, other))
    assert (report.verdict, report.findings) == ("publishable", ())
    assert [sorted(graph.flows) for graph in report.graphs] == [["s2-e2"], ["s-u", "u-e"]]


def test_references_with_a_namespace_prefix():
    parts = (start(), user("u"), end(), end("late"), flow("s > u > e"), flow("b > late"))
    data = diagram(*parts, border("b", "x:u")).replace(b'targetRef="late"', b'targetRef="x:late"')
    assert check(data).findings == ()
    assert check(data).graphs[0].nodes["b"].attached_to == "u"


def test_ids_of_what_is_only_drawn_may_repeat():
    report = check(diagram(start(), end(), flow("s > e"), '<group id="a b"/><group id="a b"/>'))
    assert report.verdict == "publishable"


def test_conditions_that_cannot_be_read_do_not_hide_a_deadlock():
    found = codes(
        start(), xor("x"), user("a"), user("b"), both("j"), end(), flow("s > x"), flow("a > j > e"), flow("b > j"),
        flow("x > a", "((("), flow("x > b", "deal.amount > 1"),
    )  # fmt: skip
    assert {"bad_condition", "deadlock"} <= set(found)


def test_terminate_end_and_links_bring_a_run_to_its_end():
    link = '<linkEventDefinition name="L"/>'
    assert codes(
        start(), xor("m"), both("f"), user("u"), end("stop", "<terminateEventDefinition/>"),
        element("intermediateThrowEvent", "out", link), element("intermediateCatchEvent", "in", link),
        flow("s > m > f > u > stop"), flow("f > out"), flow("in > e"), end(),
    ) == []  # fmt: skip


def test_links_in_a_circle_are_a_circle():
    link = '<linkEventDefinition name="L"/>'
    assert "circle" in codes(
        start(), xor("m"), element("intermediateThrowEvent", "out", link),
        element("intermediateCatchEvent", "in", link), flow("s > m > out"), flow("in > m"),
    )  # fmt: skip


def test_more_of_what_is_wrong_with_values():
    wrong = given('<crm:output name="a" variable="no word"/>', '<crm:output variable="b"/>')
    assert codes(*after_start(service("j", wrong), path="s > j > e")).count("bad_value") == 2
    assert "unsupported" in codes(start(), element("boundaryEvent", "b"), end(), flow("s > e"), flow("b > e"))
    reference = element("intermediateCatchEvent", "k", "<eventDefinitionRef>d</eventDefinitionRef>")
    report = check(diagram(start(), reference, end(), flow("s > k > e")))
    assert "This cannot be run yet: event defined elsewhere." in [each.message for each in report.findings]
    zeebe = (
        '<extensionElements><z:taskDefinition xmlns:z="http://camunda.org/schema/zeebe/1.0" type="mail"/>'
        "</extensionElements>"
    )
    report = check(diagram(start(), element("serviceTask", "k", zeebe), end(), flow("s > k > e")))
    assert "(type mail)" in report.findings[0].message


def test_a_circle_that_nothing_leads_into_has_nowhere_to_start():
    assert "nowhere_to_start" in codes(user("u"), user("v"), flow("u > v > u"))


def test_inclusive_joins_in_a_row_are_sound():
    """The second must wait for the first, whichever the search looks at first."""
    assert codes(
        start(), both("f"), user("x"), user("y"), some("b1"), some("a2"), end(), flow("s > f > x > b1 > a2 > e"),
        flow("f > y > b1"), flow("f > a2"),
    ) == []  # fmt: skip
