"""`manage.py bpmn`: its JSON, its exit codes and its plain output."""

import json

import pytest
from django.core.management import call_command

from tests.factories.diagrams import both, diagram, document, element, end, flow, process, start, user, xor

GOOD = diagram(start(), user("u", name="Ask"), end(), flow("s > u > e"))
DRAFT = diagram(start(), element("scriptTask", "k", name="Count"), end(), flow("s > k > e"))


@pytest.fixture
def bpmn(tmp_path, capsys):
    """Writes files and calls the command on them: (exit code, output)."""

    def call(action, *contents, options=("--json",)):
        names = []
        for number, content in enumerate(contents):
            path = tmp_path / f"{number}.bpmn"
            if content is not None:
                path.write_bytes(content)
            names.append(str(path))
        code = 0
        try:
            call_command("bpmn", action, *names, *options)
        except SystemExit as left:
            code = left.code
        return code, capsys.readouterr().out

    return call


def test_check(bpmn, tmp_path):
    code, output = bpmn("check", GOOD, DRAFT)
    assert code == 0
    assert json.loads(output) == [
        {"file": str(tmp_path / "0.bpmn"), "verdict": "publishable", "processes": ["p"], "findings": []},
        {
            "file": str(tmp_path / "1.bpmn"),
            "verdict": "draft",
            "processes": ["p"],
            "findings": [
                {
                    "severity": "error",
                    "element": "k",
                    "name": "Count",
                    "message": "This cannot be run yet: script task.",
                    "remedy": "Scripts are never run: use a service task with an operation such as deals.set_field.",
                }
            ],
        },
    ]


@pytest.mark.parametrize("content", [b"no xml", None, b"<!DOCTYPE x><x/>"])
def test_check_of_a_rejected_file_exits_with_1(bpmn, content):
    code, output = bpmn("check", GOOD, content)
    assert code == 1
    assert [row["verdict"] for row in json.loads(output)] == ["publishable", "reject"]
    assert json.loads(output)[1]["processes"] == []


def test_run(bpmn, tmp_path):
    code, output = bpmn("run", GOOD)
    assert code == 0
    assert json.loads(output) == [
        {
            "file": str(tmp_path / "0.bpmn"),
            "processes": [{"id": "p", "outcome": "completed", "message": "", "visited": ["s", "u", "e"]}],
        }
    ]


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (DRAFT, "error"),
        (b"no xml", "error"),
        (
            diagram(
                start(),
                xor("x"),
                user("a"),
                user("b"),
                both("j"),
                end(),
                flow("s > x > a > j > e"),
                flow("x > b > j"),
            ),
            "stuck",
        ),
    ],
)
def test_run_that_goes_wrong_exits_with_1(bpmn, content, outcome):
    code, output = bpmn("run", GOOD, content)
    assert code == 1
    assert json.loads(output)[1]["processes"][0]["outcome"] == outcome


def test_plain_output_and_seed(bpmn):
    assert "publishable" in bpmn("check", GOOD, options=())[1]
    assert "error: Count: This cannot be run yet: script task." in bpmn("check", DRAFT, options=())[1]
    assert "s → u → e" in bpmn("run", GOOD, options=("--seed", "7"))[1]


def test_several_files_are_deployed_together(bpmn):
    """A process calls one of another file; what goes wrong there is told by the caller."""
    caller = document(
        process(start(), element("callActivity", "k", calledElement="q"), end(), flow("s > k > e"))
    )
    broken = document(process(start(), xor("x"), xor("y"), flow("s > x > y > x"), id_="q"))
    code, output = bpmn("run", caller, broken)
    rows = json.loads(output)
    assert code == 1
    assert [row["processes"][0]["outcome"] for row in rows] == ["stuck", "stuck"]
    assert rows[0]["processes"][0]["message"].startswith("In the process it calls (q):")
    assert bpmn("run", caller)[0] == 0
