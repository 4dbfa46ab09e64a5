"""The repository: migrations are complete, the top level is fixed, nothing names the machine it was written on."""

import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "manage.py", "crm", "leads", "counterparties", "deals", "funnel", "marketing", "telephony", "bpm", "collab",
    "templates", "static", "requirements.txt", "docker-compose.yml", "tests", "run", "test", "docs", "locale",
    "pyproject.toml", "package.json", "package-lock.json", "Dockerfile", ".ci", "README.md", "ARCHITECTURE.md",
    "CHANGELOG.md", ".gitignore", ".dockerignore", ".npmrc",
}  # fmt: skip


def tracked() -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode or not answer.stdout:
        pytest.skip("not a git checkout")
    return answer.stdout.splitlines()


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_top_level_is_fixed():
    assert {name.split("/")[0] for name in tracked()} <= TOP


def test_no_file_names_a_registry_host():
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_every_module_is_about_one_thing():
    """400 lines a module at the most."""
    sizes = {
        name: len((ROOT / name).read_text().splitlines())
        for name in tracked()
        if name.endswith(".py") and "/migrations/" not in name
    }
    assert {name: size for name, size in sizes.items() if size > 400 and not name.startswith("tests/")} == {}
