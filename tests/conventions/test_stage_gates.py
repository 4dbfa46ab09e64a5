"""The page of stage gates knows every kind of gate that is registered, and no other."""

from pathlib import Path

from django.utils.translation import override

from tests.factories.gates import CHANNELS, PEOPLE, gates

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stage-gates.md"


def test_the_page_has_a_row_for_each_kind_of_gate_and_a_column_for_each_way():
    text = PAGE.read_text()
    with override("en"):
        wanted = [gate.title for gate in gates()]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    told = "run python docs/stage_gates.py"
    assert [row for row in rows if row != "gate"] == wanted * len(PEOPLE), told
    assert text.count(f"| gate | {' | '.join(CHANNELS)} |") == len(PEOPLE), told
