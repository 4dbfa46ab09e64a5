"""Files made to harm, to hang or to mislead: each is refused at once, with one clear sentence."""

import io
import time
import zipfile

import pytest

from bpm.engine.checking import check
from tests.factories.diagrams import (
    diagram,
    document,
    element,
    end,
    flow,
    process,
    start,
    sub,
    task_chain,
    user,
)


def refused(data):
    report = check(data)
    assert report.verdict == "reject"
    assert report.graphs == ()
    assert len(report.findings) == 1
    assert report.findings[0].message and report.findings[0].remedy
    return report.findings[0]


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.bpmn", GOOD)
    return file.getvalue()


GOOD = diagram(start(), user("u"), end(), flow("s > u > e"))
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
BODY = GOOD.removeprefix(HEAD)
LAUGHS = b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_xml"),
        (b"hello", "not_xml"),
        (GOOD[:-20], "not_xml"),
        (b"<a/>", "not_bpmn"),
        (b"<html><body/></html>", "not_bpmn"),
        (BODY.replace(b"20100524/MODEL", b"20110101/OTHER"), "not_bpmn"),
        (HEAD + LAUGHS + BODY, "doctype"),
        (HEAD + b'<!DOCTYPE d SYSTEM "file:///etc/passwd">' + BODY, "doctype"),
        (HEAD + b"<!DOCTYPE definitions>" + BODY, "doctype"),
        (BODY.replace(b"</definitions>", b"&unheard;</definitions>"), "not_xml"),
        (zipped(), "archive"),
        (b"\x1f\x8b\x08rest", "archive"),
        (BODY.decode().encode("utf-16"), "encoding"),
        (BODY.decode().encode("utf-16-le"), "encoding"),
        (BODY.decode().encode("utf-32"), "encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + BODY, "encoding"),
        (b'<?xml version="1.0" encoding="IBM037"?>' + BODY, "encoding"),
        (b'<?xml version="1.0" encoding="windows-1250"?>' + LAUGHS + BODY, "doctype"),
        (BODY.replace(b'targetNamespace="t"', b'targetNamespace="\xff\xfe"'), "encoding"),
        (GOOD + b" " * 1_100_000, "too_large"),
        (b"<a>" * 300 + b"</a>" * 300, "nesting"),
        (diagram(start(), user("u"), user("u")), "duplicate_id"),
        (diagram(start("__proto__")), "bad_id"),
        (diagram(start("constructor")), "bad_id"),
        (diagram(start("x" * 10_000)), "bad_id"),
        (diagram(start("a b")), "bad_id"),
        (diagram(start(""), end()), "bad_id"),
        (diagram(start("<script>".replace("<", "&lt;"))), "bad_id"),
        (diagram(start(), flow("s > nowhere")), "flow_to_nowhere"),
        (diagram(start(), flow("nowhere > s")), "flow_to_nowhere"),
    ],
)
def test_refused(data, code):
    assert refused(data).code == code


def test_a_byte_order_mark_and_white_space_are_harmless():
    assert check(b"\xef\xbb\xbf" + GOOD).verdict == "publishable"
    assert check(b"\n  " + BODY + b"\n").verdict == "publishable"


@pytest.mark.parametrize("alphabet", ["ISO-8859-2", "windows-1250"])
def test_old_alphabets_of_modelers_are_read(alphabet):
    text = diagram(start(name="Początek źródła"), end(), flow("s > e")).decode().replace("UTF-8", alphabet)
    report = check(text.encode(alphabet))
    assert (report.verdict, report.graphs[0].nodes["s"].name) == ("publishable", "Początek źródła")


def test_a_chain_of_20000_elements_is_refused_quickly():
    body = "".join(f'<task id="t{number}"/>' for number in range(20_000))
    started = time.process_time()
    finding = refused(document(process(body)))
    assert finding.message == "The file holds 20000 elements; the most that is read is 500."
    assert time.process_time() - started < 1


def test_a_mesh_of_flows_is_refused():
    flows = "".join(f'<sequenceFlow id="f{number}" sourceRef="s" targetRef="e"/>' for number in range(2_001))
    assert refused(diagram(start(), end(), flows)).code == "too_many"


def test_21_subprocesses_in_each_other_are_refused_and_20_are_not():
    def nested(depth):
        inner = "" if depth == 1 else nested(depth - 1)
        return sub(f"p{depth}", start(f"s{depth}"), inner)

    assert refused(diagram(start(), nested(21))).code == "nesting"
    assert check(diagram(start(), nested(20))).verdict != "reject"


def test_verdict_on_500_elements_within_a_second():
    started = time.process_time()
    report = check(diagram(*task_chain(498)))
    assert report.verdict == "publishable"
    assert len(report.graphs[0].nodes) == 500
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "9**9**9",
        "'a'*10**9",
        "deal.__init__",
        "[c for c in ().__class__]",
        "exec('1')",
        "${runtime.exec('id')}",
    ],
)
def test_condition_that_reaches_out_is_named_by_its_flow(condition):
    report = check(
        diagram(
            start(), element("exclusiveGateway", "x", default="x-e"), end(), end("b"), flow("s > x > e"),
            flow("x > b", condition, "Way B"),
        )
    )  # fmt: skip
    assert report.verdict == "draft"
    finding = next(each for each in report.findings if each.code == "bad_condition")
    assert (finding.element, finding.name) == ("x-b", "Way B")
    assert "“Way B”" in finding.message


@pytest.mark.parametrize("value", ["${__import__('os')}", "${().__class__}", "=9**9", "${deal.__class__}"])
def test_the_same_in_arguments_assignees_and_times(value):
    argument = f'<extensionElements><crm:input name="text" value="{value}"/></extensionElements>'
    report = check(
        diagram(
            start(),
            user("u", crm_assignee=value, crm_due=value),
            element("serviceTask", "j", argument, crm_operation="a.b"),
            end(),
            flow("s > u > j > e"),
        )
    )
    assert report.verdict == "draft"
    errors = [(each.code, each.element) for each in report.findings if each.severity == "error"]
    assert sorted(errors) == [("bad_time", "u"), ("bad_value", "j"), ("bad_value", "u")]


def test_markup_in_names_stays_text():
    name = "<img src=x onerror=alert(1)>"
    report = check(diagram(start(), user("u", name=name), end(), flow("s > u > e")))
    assert report.verdict == "publishable"
    assert report.graphs[0].nodes["u"].name == name
    assert len(check(diagram(start(name="n" * 9_000))).graphs[0].nodes["s"].name) == 500


def quickly(data):
    started = time.process_time()
    report = check(data)
    assert time.process_time() - started < 2
    return report


def test_long_half_open_expressions_are_refused_quickly():
    value = "${" * 200_000
    inner = f'<extensionElements><crm:input name="a" value="{value}"/></extensionElements>'
    report = quickly(
        diagram(start(), element("serviceTask", "j", inner, crm_operation="a.b"), end(), flow("s > j > e"))
    )
    assert [each.code for each in report.findings] == ["bad_value"]
    assert quickly(diagram(start(), user("u", crm_due=value), end(), flow("s > u > e"))).verdict == "draft"


def test_a_thicket_of_inclusive_joins_is_judged_quickly():
    parts = [start(), element("parallelGateway", "f"), end(), flow("s > f")]
    for number in range(100):
        parts += [element("exclusiveGateway", f"x{number}"), element("inclusiveGateway", f"j{number}")]
        parts += [flow(f"f > x{number} > j{number} > e"), flow(f"x{number} > j{(number + 1) % 100}")]
    assert "not_explored" in [each.code for each in quickly(diagram(*parts)).findings]
