#!/usr/bin/env python3
"""Writes docs/stage-gates.md from what the matrix of gates sees.

.venv/bin/python docs/stage_gates.py
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = "tests/deals/test_stage_gates.py"


def main() -> None:
    environment = {**os.environ, "CRM_WRITE_STAGE_GATES": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", TEST], cwd=ROOT, env=environment, check=False
    )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
