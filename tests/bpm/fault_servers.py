"""PostgreSQL and Redis for the fault runs: servers, a disk, a clock and a network that may be broken at will."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path

import psycopg2

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
DISK = "1500m"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Servers:
    """PostgreSQL and Redis that may be broken at will; a proxy stands in front of PostgreSQL."""

    def __init__(self, folder: Path, *, with_clock: bool = False) -> None:
        self.with_clock = with_clock and bool(FAKETIME)
        self.folder, self.pg_port, self.redis_port = folder, free_port(), free_port()
        self.bin = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))[-1]).parent
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self.data = folder / "disk" / "pg"
        self.has_own_disk = own_disk(folder / "disk")
        self.data.mkdir()
        self.clock = folder / "clock"
        self.move_clock("+0")
        if self.as_user:
            folder.chmod(0o755)
            shutil.chown(self.data, "postgres")
        self._pg(["initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"])
        self.start_database()
        self.redis: subprocess.Popen | None = None
        self.start_redis()
        self.proxy = Proxy(self.pg_port)

    def clock_env(self) -> dict[str, str]:
        """What makes PostgreSQL read the wall clock that `move_clock` moves; Python could not sleep with it."""
        if not self.with_clock:
            return {}
        return {
            "LD_PRELOAD": FAKETIME[0], "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip

    def move_clock(self, by: str) -> None:
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(by)
        fresh.chmod(0o644)
        fresh.replace(self.clock)

    def _pg(self, command: list[str]) -> None:
        command[0] = str(self.bin / command[0])
        if command[-1] == "start":
            command = ["env", *(f"{name}={value}" for name, value in self.clock_env().items()), *command]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*self.as_user, *command], check=True, **quiet)

    def start_database(self) -> None:
        options = f"-p {self.pg_port} -k {self.data} -c listen_addresses=127.0.0.1"
        self._pg(["pg_ctl", "-D", str(self.data), "-w", "-l", str(self.data / "log"), "-o", options, "start"])

    def is_running(self) -> bool:
        command = [*self.as_user, str(self.bin / "pg_ctl"), "-D", str(self.data), "status"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill_disk(self) -> Path:
        """Leaves nothing free where the database writes."""
        filler = self.data.parent / "filler"
        with filler.open("wb") as file, suppress(OSError):
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        return filler

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
        if self.has_own_disk:
            subprocess.run(["umount", str(self.data.parent)], check=False)


def own_disk(folder: Path) -> bool:
    """A small file system in memory of the folder's own, where we may make one."""
    folder.mkdir()
    folder.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    return os.getuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


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
