"""The short version of `manage.py faults`: some of its faults, once each, against a few live runs."""

import glob
import shutil

import pytest

from tests.bpm.fault_runs import prepared, provoke

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LIVE = 6
MISSING = not glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("redis-server") is None


@pytest.mark.skipif(MISSING, reason="PostgreSQL or Redis is not installed")
def test_no_fault_loses_or_doubles_anything():
    with prepared(LIVE) as servers:
        for fault in ("redis_emptied", "worker_killed", "delivered_twice"):
            outcome = provoke(servers, fault, LIVE, 0)
            assert (outcome.ended, outcome.held, outcome.lost, outcome.doubled) == (LIVE, 0, 0, 0), outcome
