"""The engine's own quick tests go through every line and every branch of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_branch_of_the_engine_is_tested(tmp_path):
    """Without the slow property tests: what only chance finds does not count."""
    env = {**os.environ, "COVERAGE_FILE": str(tmp_path / "data"), "CRM_DATA_DIR": str(tmp_path)}
    run = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow",
    ]
    done = subprocess.run(
        [*run, "tests/bpm/engine"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)]
    subprocess.run(command, cwd=ROOT, env=env, timeout=120, check=True)
    files = json.loads(report.read_text())["files"]
    assert len(files) > 25
    missed = {
        name: (file["missing_lines"], file["missing_branches"])
        for name, file in files.items()
        if file["missing_lines"] or file["missing_branches"]
    }
    assert missed == {}
