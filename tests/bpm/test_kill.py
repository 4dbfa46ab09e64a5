"""kill -9 at every kind of moment while runs are under way: nothing is lost, nothing is done twice."""

from pathlib import Path

import pytest

from tests.factories.processes import installation

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ACTOR = Path(__file__).parent / "actor.py"
RUNS = 10


@pytest.fixture
def place(tmp_path):
    with installation(tmp_path, CRM_LEASE_SECONDS="1.5") as made:
        made.run(ACTOR, "setup", str(RUNS))
        yield made


def test_killed_workers_lose_and_double_nothing(place):
    killed = 0
    for moment in (1, 2, 3, 4, 5, 7, 9, 11, 13, 16, 19, 23):
        place.env["KILL_AT"] = str(moment)
        worker = place.start(ACTOR, "work")
        killed += worker.wait(timeout=60) == -9
    assert killed == 12
    place.env["KILL_AT"] = "0"
    place.start(ACTOR, "work")
    place.wait_for(
        "SELECT status, count(*) FROM bpm_processinstance GROUP BY status", [("completed", RUNS)], 90
    )
    place.wait_for("SELECT count(*) FROM jobs_job WHERE kind LIKE 'bpm.%' AND status <> 'done'", [(0,)], 20)
    place.stop_all()

    effects = place.select(
        "SELECT name, count(*), count(DISTINCT deal) FROM effect GROUP BY name ORDER BY name"
    )
    assert effects == [(name, RUNS, RUNS) for name in "ABCD"]
    visits = place.select(
        "SELECT node, count(*) FROM bpm_noderun WHERE status = 'done' GROUP BY node ORDER BY node"
    )
    once = ["A", "Ask", "B", "C", "D", "End_ok", "S", "Split", "T"]
    assert visits == sorted([*((node, RUNS) for node in once), ("Join", 2 * RUNS)])
    assert place.select("SELECT count(*) FROM bpm_noderun WHERE status <> 'done'") == [(0,)]
    moves = place.select(
        "SELECT count(*), count(DISTINCT deal_id) FROM deals_stagetransition WHERE cause = 'request'"
    )
    assert moves == [(RUNS, RUNS)]
    gaps = place.select(
        "SELECT count(*) FROM (SELECT instance_id FROM bpm_processevent GROUP BY instance_id"
        " HAVING max(seq) <> count(*)) AS gapped"
    )
    assert gaps == [(0,)]
    assert place.select("SELECT count(*) FROM deals_stagerequest WHERE status <> 'applied'") == [(0,)]
