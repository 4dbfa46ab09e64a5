"""One gate: whichever way a deal is asked to move, the same stands in it. What is seen is docs/stage-gates.md."""

import os
from pathlib import Path

import pytest
from django.utils.translation import override

from tests.factories.gates import CHANNELS, PEOPLE, Gate, gates, make_matrix, may_publish, outcome_of

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[2] / "docs" / "stage-gates.md"
WRITE = "CRM_WRITE_STAGE_GATES"
UNOFFERED = ("Bulk edit", "Cell of the list")
INTRODUCTION = """# What stands in the way of a move

Written by `python docs/stage_gates.py` from what a test has seen (`tests/deals/test_stage_gates.py`): every way a deal
is asked to move, every kind of gate that the areas register, everybody's rights. The test fails when this page is not
what the code does.

Nobody but `deals.services.request_stage` moves a deal, so no way round a gate is shorter than another. “Not offered”:
this way knows no stages at all, or not for this person. A file names stages only for those who may pass gates: it tells
of a past the product has not seen; a deal that is there already waits all the same.
"""


def expected(gate: Gate, channel: str, person: str) -> str:
    """What must become of a move, by the rules of ADR 0002 and 0014."""
    if channel in UNOFFERED or (channel == "Import" and person != "head"):
        return "not offered"
    if person == "teammate":
        return "refused"
    if not gate.kind:
        return "moves"
    if gate.side == "only advised":
        if gate.kind == "process":
            return "moves; a process starts"
        return "moves; reminded" if channel in ("Board", "Card") else "moves"
    held = "waits for the process" if gate.kind == "process" else "waits for it"
    return f"{held}; may pass with a reason" if person == "head" else held


def written(seen: dict[tuple[Gate, str, str], str]) -> str:
    parts = [INTRODUCTION]
    for title, person in PEOPLE.items():
        lines = [f"| {gate.title} | " + " | ".join(seen[gate, channel, person] for channel in CHANNELS) + " |"
                 for gate in gates()]  # fmt: skip
        head = f"| gate | {' | '.join(CHANNELS)} |\n|{'---|' * (len(CHANNELS) + 1)}"
        parts.append(f"## {title}\n\n{head}\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def test_every_way_past_every_gate_with_every_right(company, run_jobs, tmp_path, settings):
    with override("en"):
        may_publish(company[login] for login in PEOPLE.values())
        matrix = make_matrix(company, CHANNELS)
        for channel, ask in CHANNELS.items():
            for person in PEOPLE.values():
                ask(matrix, channel, person, run_jobs=run_jobs, folder=tmp_path)
        seen = {
            (gate, channel, person): outcome_of(cell, gate, company[person])
            for (gate, channel, person), cell in matrix.deals.items()
        }
        wanted = {key: expected(*key) for key in seen}
        wrong = {key: (seen[key], wanted[key]) for key in seen if seen[key] != wanted[key]}
        assert wrong == {}
        page = written(seen)
    if os.environ.get(WRITE):
        PAGE.write_text(page)
    assert PAGE.exists() and PAGE.read_text() == page, (
        "docs/stage-gates.md is old: run python docs/stage_gates.py"
    )
