"""Faults against live runs, on a PostgreSQL cluster and a Redis of their own; prints what was lost and doubled.

`python -m tests.bpm.fault_runs [--live 200] [--runs 3] [--fault NAME …]`
"""

from __future__ import annotations

import argparse
import glob
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tests.factories.processes import Installation

ACTOR, WORKER = "tests/bpm/actor.py", "tests/bpm/fault_worker.py"
PATIENCE = 240.0
HEADINGS = f"{'fault':<22} {'live':>5} {'ended':>6} {'held':>5} {'stuck':>6} {'lost':>5} {'doubled':>8} {'seconds':>8}"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Servers:
    """PostgreSQL and Redis that may be broken at will; a proxy stands in front of PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pg_port, self.redis_port = folder, free_port(), free_port()
        self.bin = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))[-1]).parent
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self.data = folder / "pg"
        self.data.mkdir()
        if self.as_user:
            folder.chmod(0o755)
            shutil.chown(self.data, "postgres")
        self._pg(["initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"])
        self.start_database()
        self.redis: subprocess.Popen | None = None
        self.start_redis()
        self.proxy = Proxy(self.pg_port)

    def _pg(self, command: list[str]) -> None:
        command[0] = str(self.bin / command[0])
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*self.as_user, *command], check=True, **quiet)

    def start_database(self) -> None:
        options = f"-p {self.pg_port} -k {self.data} -c listen_addresses=127.0.0.1"
        self._pg(["pg_ctl", "-D", str(self.data), "-w", "-l", str(self.data / "log"), "-o", options, "start"])

    def stop_database(self) -> None:
        self._pg(["pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop"])

    def start_redis(self) -> None:
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.folder)

    def stop_redis(self) -> None:
        self.redis.kill()
        self.redis.wait()

    def execute(self, statement: str, database: str = "postgres") -> None:
        with closing(psycopg2.connect(self.url(database))) as server:
            server.autocommit = True
            with server.cursor() as cursor:
                cursor.execute(statement)

    def url(self, database: str, *, by_proxy: bool = False) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.proxy.port if by_proxy else self.pg_port}/{database}"

    def close(self) -> None:
        self.proxy.listener.close()
        self.stop_redis()
        with suppress(subprocess.CalledProcessError):
            self.stop_database()


class Proxy:
    """Hands bytes on to PostgreSQL; `cut` drops every connection, whatever is under way in it."""

    def __init__(self, target: int) -> None:
        self.target, self.open = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                self.open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        dropped, self.open = self.open, []
        for end in dropped:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Scene:
    """One try: the servers, the installation and its processes."""

    servers: Servers
    place: Installation
    worker: subprocess.Popen | None = None

    def start_worker(self) -> None:
        self.worker = self.place.start(
            "-m", "tests.bpm.fault_worker", "celery", "worker", "-c", "2", "-l", "WARNING"
        )

    def start_beat(self) -> None:
        schedule = Path(self.place.env["CRM_DATA_DIR"]) / f"beat-{len(self.place.started)}"
        self.place.start(
            "-m", "tests.bpm.fault_worker", "celery", "beat", "-s", str(schedule), "-l", "WARNING"
        )

    def children(self) -> list[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(self.worker.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]


def nothing(scene: Scene) -> None:
    """For comparison."""


def redis_stopped(scene: Scene) -> None:
    scene.servers.stop_redis()
    time.sleep(5)
    scene.servers.start_redis()


def redis_emptied(scene: Scene) -> None:
    for _turn in range(3):
        command = ["redis-cli", "-p", str(scene.servers.redis_port), "flushall"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        time.sleep(1)


def worker_killed(scene: Scene) -> None:
    for pid in [scene.worker.pid, *scene.children()]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    scene.start_worker()


def child_killed(scene: Scene) -> None:
    for _turn in range(3):
        for pid in scene.children()[:1]:
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)


def worker_stopped(scene: Scene) -> None:
    scene.worker.terminate()
    scene.worker.wait(60)
    scene.start_worker()


def backends_terminated(scene: Scene) -> None:
    for _turn in range(3):
        scene.servers.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        time.sleep(1)


def database_stopped(scene: Scene) -> None:
    scene.servers.stop_database()
    time.sleep(3)
    scene.servers.start_database()


def network_cut(scene: Scene) -> None:
    for _turn in range(10):
        scene.servers.proxy.cut()
        time.sleep(random.uniform(0.1, 0.6))


def delivered_twice(scene: Scene) -> None:
    """Every job there is, done or not, is rung for again, three times."""
    scene.place.run(
        "-c", "import django; django.setup(); from crm.jobs.models import Job; from crm.jobs import doorbell; "
        "[doorbell.ring(pk) for pk in list(Job.objects.values_list('pk', flat=True)) * 3]",
    )  # fmt: skip


def two_beats(scene: Scene) -> None:
    scene.start_beat()
    scene.start_worker()


FAULTS: dict[str, Callable[[Scene], None]] = {
    each.__name__: each
    for each in (
        nothing, redis_stopped, redis_emptied, worker_killed, child_killed, worker_stopped, backends_terminated,
        database_stopped, network_cut, delivered_twice, two_beats,
    )
}  # fmt: skip


@dataclass
class Outcome:
    """What became of the live runs. `held`: shown as held up. `stuck`: neither ended nor held when time was over."""

    fault: str
    live: int
    ended: int
    held: int
    lost: int
    doubled: int
    seconds: float

    @property
    def stuck(self) -> int:
        return self.live - self.ended - self.held

    def __str__(self) -> str:
        return (
            f"{self.fault:<22} {self.live:>5} {self.ended:>6} {self.held:>5} {self.stuck:>6} {self.lost:>5}"
            f" {self.doubled:>8} {self.seconds:>8.0f}"
        )


@contextmanager
def prepared(live: int) -> Iterator[Servers]:
    """Servers with a database `ready`, in which so many moves wait for runs that have not begun."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    servers = Servers(folder)
    try:
        servers.execute("CREATE DATABASE ready")
        place = installation(servers, "ready")
        place.env["CRM_RING"] = "0"
        place.run("manage.py", "migrate", "--skip-checks", "--verbosity", "0")
        place.run(ACTOR, "setup", str(live))
        yield servers
    finally:
        servers.close()
        shutil.rmtree(folder, ignore_errors=True)


def installation(servers: Servers, database: str) -> Installation:
    folder = servers.folder / database
    folder.mkdir(exist_ok=True)
    return Installation(
        {
            "CRM_DATA_DIR": str(folder), "DATABASE_URL": servers.url(database, by_proxy=True),
            "REDIS_URL": f"redis://127.0.0.1:{servers.redis_port}/0", "CRM_LEASE_SECONDS": "3",
        }
    )  # fmt: skip


def provoke(servers: Servers, fault: str, live: int, number: int) -> Outcome:
    """One fault in the middle of `live` runs; waits until all have ended or are held up."""
    database = f"run_{fault}_{number}"
    servers.execute(f"CREATE DATABASE {database} TEMPLATE ready")
    place = installation(servers, database)
    scene = Scene(servers, place)
    begun = time.monotonic()
    try:
        scene.start_worker()
        scene.start_beat()
        place.start("-m", "tests.bpm.fault_worker", "people")
        wait_for_effects(servers, database, live // 4 + 1)
        FAULTS[fault](scene)
        wait_for_end(servers, database, live)
    finally:
        for child in scene.children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        place.stop_all()
    ended, held, lost, doubled = count(servers, database)
    outcome = Outcome(fault, live, ended, held, lost, doubled, time.monotonic() - begun)
    servers.execute(f"DROP DATABASE {database} WITH (FORCE)")
    return outcome


def ask(servers: Servers, database: str, statement: str) -> int:
    with closing(psycopg2.connect(servers.url(database))) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def wait_for_effects(servers: Servers, database: str, wanted: int) -> None:
    end = time.monotonic() + PATIENCE
    while ask(servers, database, "SELECT count(*) FROM effect") < wanted and time.monotonic() < end:
        time.sleep(0.2)


def wait_for_end(servers: Servers, database: str, live: int) -> None:
    settled = "SELECT count(*) FROM bpm_processinstance WHERE ended_at IS NOT NULL OR status = 'incident'"
    end = time.monotonic() + PATIENCE
    while ask(servers, database, settled) < live and time.monotonic() < end:
        time.sleep(0.5)


def count(servers: Servers, database: str) -> tuple[int, int, int, int]:
    """Ended, held, lost and doubled: an ended run must have left each of its four effects, and its move, once."""
    ended = ask(servers, database, "SELECT count(*) FROM bpm_processinstance WHERE status = 'completed'")
    held = ask(servers, database, "SELECT count(*) FROM bpm_processinstance WHERE status = 'incident'")
    effects = ask(
        servers, database,
        "SELECT count(DISTINCT (name, deal)) FROM effect JOIN bpm_processinstance ON record_id = deal"
        " WHERE status = 'completed'",
    )  # fmt: skip
    moves = ask(servers, database, "SELECT count(*) FROM deals_stagerequest WHERE status = 'applied'")
    doubled = ask(servers, database, "SELECT count(*) - count(DISTINCT (name, deal)) FROM effect")
    doubled += ask(
        servers, database,
        "SELECT count(*) - count(DISTINCT deal_id) FROM deals_stagetransition WHERE cause = 'request'",
    )  # fmt: skip
    return ended, held, ended * 4 - effects + ended - moves, doubled


def main(argv: list[str] | None = None) -> bool:
    """Prints the table; whether nothing was lost, doubled or stuck."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fault", nargs="*", choices=FAULTS, default=list(FAULTS))
    options = parser.parse_args(argv)
    print(HEADINGS, flush=True)
    outcomes = []
    with prepared(options.live) as servers:
        for fault in options.fault:
            for number in range(options.runs):
                outcomes.append(provoke(servers, fault, options.live, number))
                print(outcomes[-1], flush=True)
    return not any(each.lost or each.doubled or each.stuck for each in outcomes)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
