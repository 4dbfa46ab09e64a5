"""kill -9 in the middle of every batch, in the check and in the run: the result equals that of an unbroken import."""

import json
import time
from pathlib import Path

import pytest

from tests.factories.processes import Installation, installation
from tests.factories.sheets import large_workbook

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ACTOR = str(Path(__file__).parent / "import_actor.py")
PATIENCE = 90


def do(place: Installation, *arguments: str) -> str:
    return place.run(ACTOR, *arguments)


def report(place: Installation) -> dict:
    return json.loads(do(place, "report").splitlines()[-1])


def work(place: Installation, kill_in_batches: tuple[int, ...] = ()) -> None:
    """Workers one after the other, each but the last killed in its n-th batch."""
    for batch in kill_in_batches:
        worker = place.start(ACTOR, "work")
        for line in worker.stdout:
            if line.strip() == f"inside {batch}":
                break
        worker.kill()
        worker.communicate()
        # The lease of the dead worker has to run out.
        time.sleep(1.6)
    worker = place.start(ACTOR, "work")
    worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0


@pytest.fixture
def place(tmp_path):
    with installation(tmp_path, CRM_LEASE_SECONDS="1.5") as made:
        yield made


# Each worker does one batch and dies inside its second, but the first one, which dies inside its first.
AT_EVERY_BATCH = (1, 2, 2, 2, 2)


def test_an_import_killed_in_each_of_its_batches_ends_like_an_unbroken_one(place, tmp_path):
    path = str(large_workbook(tmp_path / "leads.xlsx", 250))
    reports = []
    for kills in ((), AT_EVERY_BATCH):
        do(place, "setup", path)
        work(place, kills)
        do(place, "start")
        work(place, kills)
        reports.append(report(place))
    unbroken, killed = reports
    assert (unbroken["status"], unbroken["counts"]) == ("done", {"created": 225, "skipped": 25})
    assert (unbroken["events"], unbroken["linked"], unbroken["jobs"]) == ([225, 225], 225, ["done", "done"])
    assert killed == unbroken
