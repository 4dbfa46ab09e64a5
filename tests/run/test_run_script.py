"""`./run`: one clear line for whatever stops it, and a product that runs for whatever does not."""

import contextlib
import fcntl
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import namedtuple
from pathlib import Path

import pytest
from django.conf import settings

from tests.factories.processes import Installation

ROOT = Path(settings.BASE_DIR)
CAPTURED = {"cwd": ROOT, "capture_output": True, "text": True}


@pytest.fixture
def script():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("run_script", str(ROOT / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_script", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*words, **env) -> subprocess.CompletedProcess:
    found = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    found |= {"CRM_RING": "1"} | env
    command = [sys.executable, "run", *map(str, words)]
    return subprocess.run(command, env=found, stdin=subprocess.DEVNULL, timeout=400, check=False, **CAPTURED)


def said(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_taken_port(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        line = said(start("--port", taken, "--data", tmp_path))
    assert line == f"run: port {taken} on 127.0.0.1 is taken; choose another with --port."


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    line = said(start("--data", tmp_path / "file" / "data"))
    assert line.endswith("cannot be written (Not a directory); choose another with --data.")


def test_a_second_start_on_the_same_folder(tmp_path):
    (tmp_path / "logs").mkdir()
    with (tmp_path / "run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = said(start("--data", tmp_path))
    assert (
        line
        == f"run: Contentum CRM already runs on {tmp_path}; stop it first, or choose another folder with --data."
    )


def test_the_demo_stays_on_this_machine(tmp_path):
    line = said(start("--data", tmp_path, "--host", "0.0.0.0"))
    assert (
        line
        == "run: the demo has known passwords and listens on 127.0.0.1 only, not on 0.0.0.0; see --empty."
    )


def test_a_demo_folder_never_becomes_a_real_one(tmp_path):
    (tmp_path / "mode").write_text("demo")
    line = said(start("--empty", "--data", tmp_path))
    assert line == f"run: {tmp_path} holds demo data; choose another folder with --data."


def test_empty_without_terminal_or_environment(tmp_path, port):
    line = said(start("--empty", "--data", tmp_path, "--port", port, CRM_ADMIN_LOGIN="boss"))
    assert (
        line
        == "run: --empty without a terminal needs CRM_ADMIN_EMAIL, CRM_ADMIN_PASSWORD in the environment."
    )


def test_a_full_disk(script, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(script.shutil, "disk_usage", lambda path: usage(10**9, 9 * 10**8, 5 * 10**6))
    with pytest.raises(SystemExit) as stopped:
        script.data_folder(str(tmp_path))
    assert stopped.value.code == f"run: only 5 MB are free on the disk of {tmp_path}; 300 MB are needed."


def test_an_old_python(script, monkeypatch):
    monkeypatch.setattr(script.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        script.right_python()
    assert stopped.value.code == "run: Python 3.11 or newer is needed; this is 3.9."


def test_no_venv_module(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        script.prepare_packages(tmp_path)
    assert stopped.value.code.startswith(
        "run: Python's venv module is missing; install it, on Debian with: apt-get install python3."
    )


@pytest.mark.slow
def test_a_real_installation_is_set_up_from_the_environment(script, tmp_path, port):
    (tmp_path / "static").mkdir()
    (tmp_path / "static.stamp").write_text(script.static_fingerprint())
    answers = {
        "CRM_ADMIN_LOGIN": "boss",
        "CRM_ADMIN_EMAIL": "boss@example.com",
        "CRM_ADMIN_PASSWORD": "correct horse battery",
    }
    done = start(
        "--empty",
        "--prepare",
        "--data",
        tmp_path,
        "--port",
        port,
        CRM_COMPANY="Acme",
        CRM_CURRENCY="EUR",
        **answers,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "mode").read_text() == "empty"
    remembered = (tmp_path / "settings.env").read_text()
    assert "CRM_COMPANY=Acme\nCRM_CURRENCY=EUR\n" in remembered
    assert "correct horse" not in remembered
    query = "from crm.people.models import User; print([(u.username, u.is_superuser) for u in User.objects.all()])"
    env = {**os.environ, "CRM_DATA_DIR": str(tmp_path)}
    env.pop("DATABASE_URL", None)
    shown = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", query], env=env, check=True, **CAPTURED
    )
    assert shown.stdout.strip() == "[('boss', True)]"


@pytest.fixture
def running(tmp_path, port):
    """The demo, started by the script; gives the process, its printed lines and the address."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "CRM_RING")
    }
    process = subprocess.Popen(
        [sys.executable, "run", "--port", str(port), "--data", str(tmp_path)],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("READY"):
            break
    yield process, lines, f"http://127.0.0.1:{port}/"
    if process.poll() is None:
        process.terminate()
        process.wait(20)
    process.stdout.close()


def children_of(pid: int) -> dict[str, int]:
    """Process ids by what they are: web, worker, beat."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    names = {"uvicorn": "web", " worker ": "worker", " beat ": "beat"}
    rows = [line.strip().split(" ", 1) for line in listed.stdout.splitlines()]
    return {name: int(row[0]) for row in rows for mark, name in names.items() if mark in row[1]}


def all_children_of(pid: int, without: int = 0) -> dict[str, int]:
    """The same once all three are there and the process `without` is gone."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = children_of(pid)
        if set(found) == {"web", "worker", "beat"} and without not in found.values():
            return found
        time.sleep(0.2)
    raise AssertionError(found)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ps"), reason="ps is missing")
def test_the_demo_runs_restarts_its_worker_and_stops_whole(running, tmp_path):
    process, lines, url = running
    assert lines[-1] == f"READY {url}", lines
    with urllib.request.urlopen(url + "accounts/login/", timeout=10) as page:
        assert page.status == 200
    first = all_children_of(process.pid)
    os.kill(first["worker"], signal.SIGKILL)
    second = all_children_of(process.pid, without=first["worker"])
    assert second["worker"] != first["worker"]
    assert (second["web"], second["beat"]) == (first["web"], first["beat"])
    env = {"CRM_DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
    for key, ring, limit in (("rung", True, 10), ("unheard", False, 20)):
        Installation(env).enqueue(key, ring=ring)
        Installation(env).wait_for(f"SELECT status FROM jobs_job WHERE key = '{key}'", [("done",)], limit)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    for pid in second.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            pytest.fail(f"{pid} is still there")
