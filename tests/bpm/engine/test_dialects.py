"""Diagrams as other modelers write them: Camunda 7 and 8, Flowable, Bizagi, Signavio and Visio are normal input.

The files in tests/bpm/diagrams are our own drawings in the words of those tools.
"""

from pathlib import Path

import pytest

from bpm.engine.checking import check
from bpm.engine.dryrun import dry_run
from bpm.engine.model import Graph

FOLDER = Path(__file__).parents[1] / "diagrams"
ROOT = Path(__file__).parents[3]

EXPECTED = {
    "camunda7": ("publishable", []),
    "camunda8": ("draft", ["foreign_work"]),
    "flowable": ("publishable", []),
    "bizagi": ("publishable", ["empty_pool", "persons_choice"]),
    "signavio": ("publishable", ["implicit_split", "repeat_once", "several_starts", "unnamed", "unnamed"]),
    "visio": (
        "publishable",
        ["implicit_end", "implicit_end", "no_assignee", "no_end", "no_start", "no_start", "persons_choice"],
    ),
}


def report_on(name):
    return check((FOLDER / f"{name}.bpmn").read_bytes())


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(name):
    report = report_on(name)
    assert (report.verdict, sorted(each.code for each in report.findings)) == EXPECTED[name]


@pytest.mark.parametrize(
    "name", [name for name, (verdict, _codes) in EXPECTED.items() if verdict == "publishable"]
)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_publishable_runs_to_its_end(name, seed):
    for graph in report_on(name).graphs:
        played = dry_run(graph, seed)
        assert (played.outcome, played.message) == ("completed", "")


def test_every_diagram_of_the_repository_is_judged_and_survives_json():
    files = [*ROOT.glob("bpm/**/*.bpmn"), *ROOT.glob("tests/**/*.bpmn")]
    assert len(files) >= 8
    for file in files:
        report = check(file.read_bytes())
        assert report.verdict != "reject", file
        for graph in report.graphs:
            assert Graph.from_json(graph.to_json()) == graph


def test_forms_assignees_groups_and_due_dates_of_camunda():
    node = report_on("camunda7").graphs[0].nodes["Activity_register"]
    assert (node.assignee, node.candidate_groups, node.due, node.lane) == (
        "${requester}", ("sales", "service"), "P2D", "Front desk",
    )  # fmt: skip
    assert [(field.key, field.type, field.required) for field in node.form.fields] == [
        ("valid", "bool", True), ("kind", "choice", False), ("damage", "number", False), ("seen", "date", False),
    ]  # fmt: skip
    experts = report_on("camunda7").graphs[0].nodes["Activity_experts"].repeat
    assert (experts.collection, experts.element, experts.condition) == (
        "${experts}", "expert", "${nrOfCompletedInstances/nrOfInstances >= 0.5}",
    )  # fmt: skip


def test_camunda_8_keeps_its_words_elsewhere():
    nodes = report_on("camunda8").graphs[0].nodes
    assert (nodes["Ask"].assignee, nodes["Ask"].candidate_groups, nodes["Ask"].due) == (
        "=requester", ("sales",), "=now()",
    )  # fmt: skip
    assert (nodes["Paid"].trigger.name, nodes["Paid"].trigger.key) == ("paid", "=deal.number")
    assert nodes["Remind"].call.process == "reminder"
    repeat = nodes["Approve"].repeat
    assert (repeat.collection, repeat.element, repeat.output, repeat.output_element, repeat.sequential) == (
        "=approvers", "approver", "answers", "=outcome", True,
    )  # fmt: skip


def test_flowable_names_whoever_starts():
    graph = report_on("flowable").graphs[0]
    assert [(each.name, each.value) for each in graph.nodes["startEvent1"].sets] == [
        ("initiator", "${requester}")
    ]
    assert [each.key for each in graph.nodes["ask"].form.fields] == ["days", "why"]


def test_the_standards_own_words_for_repetition():
    from tests.factories.diagrams import declared, element, user

    inner = (
        "<loopDataInputRef>people</loopDataInputRef><loopDataOutputRef>answers</loopDataOutputRef>"
        '<inputDataItem id="i" name="person"/><outputDataItem id="answer"/>'
    )
    repeat = declared(user("u", element("multiInstanceLoopCharacteristics", "m", inner))).nodes["u"].repeat
    assert (repeat.collection, repeat.element, repeat.output, repeat.output_element) == (
        "people", "person", "answers", "answer",
    )  # fmt: skip
