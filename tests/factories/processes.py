"""Processes of their own, on a database that they can all reach."""

import os
import re
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


class Installation:
    """A data folder and a database, without web server or workers until a test starts some."""

    def __init__(self, env: dict) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        fixed = {"DJANGO_SETTINGS_MODULE": "crm.settings", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        # The gate silences the doorbell for tests in one process; these processes need it.
        self.env = {**fixed, **os.environ, "CRM_RING": "1", **env, "PYTHONPATH": path}
        self.started: list[subprocess.Popen] = []
        self.log = (Path(env["CRM_DATA_DIR"]) / "processes.log").open("ab")

    def run(self, *command: str) -> str:
        """Runs a Python script or module to its end and gives back what it printed."""
        call = [sys.executable, *map(str, command)]
        done = subprocess.run(
            call, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_tables(self) -> None:
        command = ["manage.py", "migrate", "--run-syncdb", "--skip-checks", "--verbosity", "0"]
        self.run(*command, "--settings", "tests.factories.unmigrated")

    def start(self, *command: str) -> subprocess.Popen:
        """Starts a Python script or module; its standard output can be read."""
        call = [sys.executable, *map(str, command)]
        process = subprocess.Popen(
            call, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.started.append(process)
        return process

    def stop_all(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            process.stdout.close()
        self.started.clear()
        self.log.flush()

    def select(self, statement: str) -> list[tuple]:
        """Asks the database directly."""
        if url := self.env.get("DATABASE_URL"):
            with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        file = Path(self.env["CRM_DATA_DIR"]) / "crm.sqlite3"
        with closing(sqlite3.connect(file, timeout=20)) as connection:
            return connection.execute(statement).fetchall()

    def wait_for(self, statement: str, expected: list, seconds: float) -> None:
        """Asks until the answer is the expected one."""
        end = time.monotonic() + seconds
        while (found := self.select(statement)) != expected:
            assert time.monotonic() < end, found
            time.sleep(0.05)

    def enqueue(self, key: str, *, ring: bool) -> None:
        """Asks for a harmless job, with or without ringing for it."""
        lines = ["import django", "django.setup()", "from crm.jobs.services import enqueue"]
        self.env["CRM_RING"] = "1" if ring else "0"
        self.run("-c", "; ".join([*lines, f"enqueue(kind='notify.purge', key='{key}')"]))


@contextmanager
def installation(folder: Path, **env: str) -> Iterator[Installation]:
    """One with tables: a file in the folder, or one more database on the server that the tests run on."""
    found = {"CRM_DATA_DIR": str(folder), **env}
    url = os.environ.get("DATABASE_URL", "")
    name = f"processes_{uuid.uuid4().hex[:8]}"
    if url:
        _on_server(url, f"CREATE DATABASE {name}")
        found["DATABASE_URL"] = re.sub(r"/[^/]*$", f"/{name}", url)
    made = Installation(found)
    try:
        made.make_tables()
        yield made
    finally:
        made.stop_all()
        if url:
            _on_server(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _on_server(url: str, statement: str) -> None:
    with closing(psycopg2.connect(re.sub(r"/[^/]*$", "/postgres", url))) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(statement)
