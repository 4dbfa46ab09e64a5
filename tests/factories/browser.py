"""The product as people start it, and a hand that counts what it does."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
START_SECONDS = 400


def unused_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Product:
    """`./run` on a data folder of its own: web server, worker, clock and demo data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, []
        self.url = f"http://127.0.0.1:{unused_port()}"
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "CRM_RING")
        }
        command = [
            sys.executable,
            str(ROOT / "run"),
            "--port",
            self.url.rpartition(":")[2],
            "--data",
            str(folder),
        ]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("READY"):
                self.ready.set()
        self.ready.set()

    def wait(self) -> None:
        """Until it answers. Raises AssertionError with what it said when it does not start."""
        self.ready.wait(START_SECONDS)
        assert any(line.startswith("READY") for line in self.said), "".join(self.said)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(5)

    def select(self, statement: str, *values) -> list[tuple]:
        """Asks the database directly."""
        with closing(sqlite3.connect(self.folder / "crm.sqlite3", timeout=20)) as connection:
            return connection.execute(statement, values).fetchall()

    def until(self, statement: str, *values, seconds: float = 30) -> tuple:
        """The first row the statement finds, however long the worker takes (within reason)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if rows := self.select(statement, *values):
                return rows[0]
            time.sleep(0.2)
        raise AssertionError(f"nothing within {seconds} s: {statement} {values}")


class Hand:
    """A person at a page. `deeds` counts clicks, drags and drops; typing and waiting are free."""

    def __init__(self, page) -> None:
        self.page, self.deeds = page, 0

    def start(self) -> None:
        """Counts from here on."""
        self.deeds = 0

    def click(self, what) -> None:
        self.deeds += 1
        self._one(what).click()

    def choose(self, what, value: str) -> None:
        """Picks from a list of choices: one click to open it, one to choose."""
        self.deeds += 2
        self._one(what).select_option(value)

    def drop_file(self, what, file: Path) -> None:
        self.deeds += 1
        self._one(what).set_input_files(file)

    def drop_on(self, what, file: Path) -> None:
        """Drops a file from the desktop on something that has no field for it."""
        self.deeds += 1
        data = self.page.evaluate_handle(
            "name => { const data = new DataTransfer(); data.items.add(new File(['%PDF-1.4'], name)); return data; }",
            file.name,
        )
        for event in ("dragenter", "dragover", "drop"):
            self._one(what).dispatch_event(event, {"dataTransfer": data})

    def drag(self, what, where) -> None:
        """Drags in small steps, as a mouse does; the middle of `where` is the target."""
        self.deeds += 1
        source, target = self._one(what), self._one(where)
        source.scroll_into_view_if_needed()
        begin = source.bounding_box()
        mouse = self.page.mouse
        mouse.move(begin["x"] + 60, begin["y"] + begin["height"] - 10)
        mouse.down()
        mouse.move(begin["x"] + 66, begin["y"] + begin["height"] - 4, steps=4)
        end = target.bounding_box()
        mouse.move(end["x"] + end["width"] / 2, end["y"] + min(end["height"] / 2, 160), steps=15)
        self.page.wait_for_timeout(100)
        mouse.up()

    def _one(self, what):
        return self.page.locator(what).first if isinstance(what, str) else what


def id_in(url: str) -> int:
    """The number in an address such as /leads/7/."""
    return int(re.search(r"/(\d+)/", url)[1])
