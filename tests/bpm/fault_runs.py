"""Faults against live runs, on a PostgreSQL cluster and a Redis of their own; prints what was lost and doubled.

`python -m tests.bpm.fault_runs [--live 200] [--runs 20] [--fault NAME …] [--write docs/faults.md]`
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tests.bpm.fault_servers import FAKETIME, Servers
from tests.factories.processes import Installation

ACTOR, WORKER = "tests/bpm/actor.py", "tests/bpm/fault_worker.py"
PATIENCE = 240.0
HEADINGS = (
    f"{'fault':<22} {'live':>5} {'ended':>6} {'held':>5} {'stuck':>6} {'lost':>5} {'doubled':>8} {'again':>6}"
    f" {'seconds':>8}"
)


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
    """Killed, started empty 5 s later."""
    scene.servers.stop_redis()
    time.sleep(5)
    scene.servers.start_redis()


def redis_emptied(scene: Scene) -> None:
    """Three times, a second apart."""
    for _turn in range(3):
        command = ["redis-cli", "-p", str(scene.servers.redis_port), "flushall"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        time.sleep(1)


def worker_killed(scene: Scene) -> None:
    """`kill -9` for the worker and its children, then a new one."""
    for pid in [scene.worker.pid, *scene.children()]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    scene.start_worker()


def child_killed(scene: Scene) -> None:
    """`kill -9` for a child, three times."""
    for _turn in range(3):
        for pid in scene.children()[:1]:
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)


def worker_stopped(scene: Scene) -> None:
    """SIGTERM, then a new one."""
    scene.worker.terminate()
    scene.worker.wait(60)
    scene.start_worker()


def backends_terminated(scene: Scene) -> None:
    """Every connection, three times."""
    for _turn in range(3):
        scene.servers.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        time.sleep(1)


def database_stopped(scene: Scene) -> None:
    """Immediate stop, started 3 s later."""
    scene.servers.stop_database()
    time.sleep(3)
    scene.servers.start_database()


def network_cut(scene: Scene) -> None:
    """A proxy drops all connections, ten times."""
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
    """A second scheduler and a second worker."""
    scene.start_beat()
    scene.start_worker()


def disk_full(scene: Scene) -> None:
    """Nothing more can be written where the database lies; after 5 s there is room again."""
    filler = scene.servers.fill_disk()
    time.sleep(5)
    filler.unlink()
    if not scene.servers.is_running():
        scene.servers.start_database()


def clock_moved(scene: Scene) -> None:
    """The wall clock of workers and database goes an hour ahead, 10 s later back again."""
    scene.servers.move_clock("+1h")
    time.sleep(10)
    scene.servers.move_clock("+0")


def clock_behind(scene: Scene) -> None:
    """The wall clock goes an hour back and stays there."""
    scene.servers.move_clock("-1h")


FAULTS: dict[str, Callable[[Scene], None]] = {
    each.__name__: each
    for each in (
        nothing, redis_stopped, redis_emptied, worker_killed, child_killed, worker_stopped, backends_terminated,
        database_stopped, network_cut, delivered_twice, two_beats, disk_full, clock_moved, clock_behind,
    )
}  # fmt: skip


OF_THE_CLOCK = ("clock_moved", "clock_behind")


@dataclass
class Outcome:
    """What became of the live runs. `held`: shown as held up. `stuck`: neither ended nor held when time was over.

    `again`: seconds from the end of the fault to the next effect.
    """

    fault: str
    live: int
    ended: int
    held: int
    lost: int
    doubled: int
    again: float
    seconds: float

    @property
    def stuck(self) -> int:
        return self.live - self.ended - self.held

    def __str__(self) -> str:
        return (
            f"{self.fault:<22} {self.live:>5} {self.ended:>6} {self.held:>5} {self.stuck:>6} {self.lost:>5}"
            f" {self.doubled:>8} {self.again:>6.0f} {self.seconds:>8.0f}"
        )


@contextmanager
def prepared(live: int, *, with_clock: bool = False) -> Iterator[Servers]:
    """Servers with a database `ready`, in which so many moves wait for runs that have not begun.

    `with_clock`: PostgreSQL reads a wall clock that may be moved.
    """
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    servers = Servers(folder, with_clock=with_clock)
    try:
        servers.execute("CREATE DATABASE ready")
        place = installation(servers, "ready")
        place.env["CRM_RING"] = "0"
        place.make_tables()
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
            "FAULT_CLOCK": str(servers.clock),
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
        over, seen = time.monotonic(), ask(servers, database, EFFECTS)
        wait_for_effects(servers, database, min(seen + 1, live * 4))
        again = time.monotonic() - over
        wait_for_end(servers, database, live)
    finally:
        for child in scene.children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        place.stop_all()
    ended, held, lost, doubled = count(servers, database)
    outcome = Outcome(fault, live, ended, held, lost, doubled, again, time.monotonic() - begun)
    servers.move_clock("+0")
    servers.execute(f"DROP DATABASE {database} WITH (FORCE)")
    return outcome


EFFECTS = "SELECT count(*) FROM effect"


def ask(servers: Servers, database: str, statement: str) -> int:
    with closing(psycopg2.connect(servers.url(database))) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def wait_for_effects(servers: Servers, database: str, wanted: int) -> None:
    end = time.monotonic() + PATIENCE
    while ask(servers, database, EFFECTS) < wanted and time.monotonic() < end:
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


def is_possible(fault: str, servers: Servers) -> bool:
    """Whether the fault can be provoked here; says so if not."""
    missing = ""
    if fault == "disk_full" and not servers.has_own_disk:
        missing = "the right to mount a file system"
    if fault in OF_THE_CLOCK and not FAKETIME:
        missing = "faketime"
    if missing:
        print(f"{fault:<22} left out: it needs {missing}")
    return not missing


def write_table(document: Path, outcomes: list[Outcome], live: int, runs: int) -> None:
    """Puts the figures where the document has its table; times are the worst of all tries."""
    lines = [
        f"Measured with `--live {live} --runs {runs}` on {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}:", "",
        "| fault | what is done | live | ended | held | stuck | lost | doubled | works again after, s | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for fault in dict.fromkeys(each.fault for each in outcomes):
        tries = [each for each in outcomes if each.fault == fault]
        counts = [
            sum(getattr(each, name) for each in tries)
            for name in ("live", "ended", "held", "stuck", "lost", "doubled")
        ]
        worst = [max(getattr(each, name) for each in tries) for name in ("again", "seconds")]
        what = " ".join((FAULTS[fault].__doc__ or "").split()).rstrip(".")
        lines.append(f"| {fault} | {what} | {' | '.join(f'{value:.0f}' for value in counts + worst)} |")
    before, _start, rest = document.read_text().partition("<!-- table -->")
    _old, _end, after = rest.partition("<!-- end of table -->")
    table = "\n".join(lines)
    document.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->{after}")


def provoke_all(faults: list[str], live: int, runs: int, with_clock: bool) -> list[Outcome]:
    """Each fault so many times, on servers of their own."""
    outcomes = []
    with prepared(live, with_clock=with_clock) as servers:
        for fault in [each for each in faults if is_possible(each, servers)]:
            for number in range(runs):
                outcomes.append(provoke(servers, fault, live, number))
                print(outcomes[-1], flush=True)
    return outcomes


def main(argv: list[str] | None = None) -> bool:
    """Prints the table; whether nothing was lost, doubled or stuck."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", type=int, default=200)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--write", type=Path, help="A document whose table of faults is to be written anew.")
    parser.add_argument("--fault", nargs="*", choices=FAULTS, default=list(FAULTS))
    options = parser.parse_args(argv)
    print(HEADINGS, flush=True)
    outcomes = []
    for with_clock in (False, True):
        wanted = [fault for fault in options.fault if (fault in OF_THE_CLOCK) == with_clock]
        outcomes += provoke_all(wanted, options.live, options.runs, with_clock) if wanted else []
    if options.write:
        write_table(options.write, outcomes, options.live, options.runs)
    return not any(each.lost or each.doubled or each.stuck for each in outcomes)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
