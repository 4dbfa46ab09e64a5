"""The compose file: valid, and its commands are processes that work on PostgreSQL and Redis."""

import os
import shutil
import socket
import subprocess
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.factories.processes import installation

ROOT = Path(settings.BASE_DIR)
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SECRETS = {"POSTGRES_PASSWORD": "p", "SECRET_KEY": "s" * 50}


def docker_compose() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True, check=False).returncode
        ):
            return command
    return None


def test_the_file_has_the_whole_company():
    services = COMPOSE["services"]
    assert set(services) == {"prepare", "web", "worker", "beat", "listener", "postgres", "redis"}
    for name, service in services.items():
        assert "image" in service, name
        assert name == "prepare" or "healthcheck" in service, name
    for name in ("web", "worker", "beat", "listener"):
        assert services[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    used = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_docker_accepts_it():
    command = docker_compose()
    if command is None:
        pytest.skip("docker compose is missing")
    env = {**os.environ, **SECRETS}
    done = subprocess.run(
        [*command, "config", "-q"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_image_runs_without_root_and_knows_its_files():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER crm" in lines
    for name in ("requirements.txt", "package.json", "package-lock.json", ".npmrc"):
        assert (ROOT / name).exists()
        assert any(line.startswith("COPY") and name in line for line in lines)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def redis_url():
    """The Redis the environment names, else one of our own."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is missing")
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


def command_of(name: str, **changes: str) -> list[str]:
    """What a container runs, as arguments of `python -m`."""
    words = COMPOSE["services"][name].get("command") or ["uvicorn", "crm.asgi:application", "--port", "8000"]
    return ["-m", *(changes.get(word, word) for word in words)]


@pytest.mark.slow
def test_its_processes_work_together(tmp_path, redis_url):
    if not os.environ.get("DATABASE_URL"):
        pytest.skip("PostgreSQL is missing: DATABASE_URL is not set")
    port, schedule = str(free_port()), str(tmp_path / "schedule")
    with installation(tmp_path, REDIS_URL=redis_url) as place:
        place.start(*command_of("web", **{"8000": port}))
        place.start(*command_of("worker"))
        place.start(*command_of("beat", **{"/tmp/celerybeat-schedule": schedule}))
        place.wait_for(
            "SELECT status FROM jobs_job WHERE kind = 'jobs.purge' AND status = 'done'", [("done",)], 40
        )
        for key, ring, limit in (("rung", True, 10), ("unheard", False, 20)):
            place.enqueue(key, ring=ring)
            place.wait_for(f"SELECT status FROM jobs_job WHERE key = '{key}'", [("done",)], limit)
        with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=10)) as page:
            assert page.status == 200
