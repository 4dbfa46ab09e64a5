"""Keeps the processes of one installation running: starts them, starts them again, stops them all together.

Nothing but the standard library: `./run` uses it under the system's Python.
"""

import contextlib
import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

BASE = Path(__file__).resolve().parent.parent


class NeverReady(Exception):
    """The web server does not answer."""


def die_with_parent():
    """The children must not outlive a killed supervisor (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Child:
    """One process that is started again when it dies. `wanted`: a file; it runs only while that exists."""

    def __init__(self, name, command, log, wanted=None):
        self.name, self.command, self.log, self.wanted = name, command, log, wanted
        self.process, self.wait_until, self.pause = None, 0.0, 0.5

    def start(self, env):
        if self.log.exists() and self.log.stat().st_size > 5_000_000:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                self.command,
                cwd=BASE,
                env=env,
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 (this script has one thread)
            )
        self.started = time.monotonic()

    def look_after(self, env):
        """Starts it again when it is gone; a little later each time if it dies at once."""
        if self.wanted and not self.wanted.exists():
            self.signal(signal.SIGTERM)
            return
        if self.process is None:
            self.start(env)
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.wait_until:
            self.pause = 0.5 if now - self.started > 10 else min(self.pause * 2, 10)
            self.wait_until = now + self.pause
            print(
                f"  {self.name} stopped ({self.process.returncode}); starting it again (see {self.log})",
                flush=True,
            )
        elif now >= self.wait_until:
            self.wait_until = 0.0
            self.start(env)

    def signal(self, number):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def answers(url):
    """Whether a page comes back, if only a refusal or a redirect to the public address."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/accounts/login/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def supervise(crew, env, url, announce):
    """Runs until Ctrl-C or SIGTERM, and calls `announce` once the web server answers. No child is left behind."""
    stopping = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    try:
        for child in crew:
            if not child.wanted:
                child.start(env)
        ready, deadline = False, time.monotonic() + 90
        while not stopping:
            time.sleep(0.2)
            for child in crew:
                child.look_after(env)
            if not ready and answers(url):
                ready = True
                announce()
            elif not ready and time.monotonic() > deadline:
                raise NeverReady(crew[0].log)
    finally:
        shut_down(crew)
    print("Stopped.", flush=True)


def shut_down(crew):
    for child in crew:
        child.signal(signal.SIGTERM)
    end = time.monotonic() + 10
    while any(child.process and child.process.poll() is None for child in crew) and time.monotonic() < end:
        time.sleep(0.05)
    for child in crew:
        child.signal(signal.SIGKILL)
