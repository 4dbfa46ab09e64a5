"""kill -9 in the middle of every batch, in the check and in the run: the result equals that of an unbroken import."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from tests.factories.sheets import large_workbook

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ROOT = Path(settings.BASE_DIR)
ACTOR = Path(__file__).parent / "import_actor.py"
PATIENCE = 90


class Actors:
    """Processes on a database of their own."""

    def __init__(self, env: dict) -> None:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.env = {**os.environ, **env, "PYTHONPATH": path}

    def run(self, *command: str) -> str:
        arguments = [sys.executable, *command]
        done = subprocess.run(arguments, env=self.env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def do(self, *arguments: str) -> str:
        return self.run(str(ACTOR), *arguments)

    def report(self) -> dict:
        return json.loads(self.do("report").splitlines()[-1])

    def work(self, kill_in_batches: tuple[int, ...] = ()) -> None:
        """Workers one after the other, each but the last killed in its n-th batch."""
        for batch in kill_in_batches:
            worker = self._start()
            for line in worker.stdout:
                if line.strip() == f"inside {batch}":
                    break
            worker.kill()
            worker.communicate()
            # The lease of the dead worker has to run out.
            time.sleep(1.6)
        worker = self._start()
        worker.communicate(timeout=PATIENCE)
        assert worker.returncode == 0

    def _start(self) -> subprocess.Popen:
        command = [sys.executable, str(ACTOR), "work"]
        return subprocess.Popen(
            command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )


@pytest.fixture(scope="module")
def actors(tmp_path_factory):
    env = {"CRM_DATA_DIR": str(tmp_path_factory.mktemp("imports")), "CRM_LEASE_SECONDS": "1.5"}
    url, name = os.environ.get("DATABASE_URL", ""), f"imports_{uuid.uuid4().hex[:8]}"
    if url:
        on_server(url, f"CREATE DATABASE {name}")
        env["DATABASE_URL"] = re.sub(r"/[^/]*$", f"/{name}", url)
    found = Actors(env)
    found.run("manage.py", "migrate", "--skip-checks", "--verbosity", "0")
    yield found
    if url:
        on_server(url, f"DROP DATABASE {name} WITH (FORCE)")


def on_server(url: str, statement: str) -> None:
    server = psycopg2.connect(re.sub(r"/[^/]*$", "/postgres", url))
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(statement)
    server.close()


# Each worker does one batch and dies inside its second, but the first one, which dies inside its first.
AT_EVERY_BATCH = (1, 2, 2, 2, 2)


def test_an_import_killed_in_each_of_its_batches_ends_like_an_unbroken_one(actors, tmp_path):
    path = str(large_workbook(tmp_path / "leads.xlsx", 250))
    reports = []
    for kills in ((), AT_EVERY_BATCH):
        actors.do("setup", path)
        actors.work(kills)
        actors.do("start")
        actors.work(kills)
        reports.append(actors.report())
    unbroken, killed = reports
    assert (unbroken["status"], unbroken["counts"]) == ("done", {"created": 225, "skipped": 25})
    assert (unbroken["events"], unbroken["linked"], unbroken["jobs"]) == ([225, 225], 225, ["done", "done"])
    assert killed == unbroken
