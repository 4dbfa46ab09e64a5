"""Telling a worker that there is work. Losing a ring costs seconds, never the work."""

import logging
import time

from django.conf import settings

logger = logging.getLogger(__name__)

# A broker that is down answers only after a second; without a pause every request would wait for it.
PAUSE_SECONDS = 5
_silent_until = 0.0


def ring(job_id: int) -> None:
    """Asks the workers to do this job now. Never fails."""
    _send("jobs.ring", [job_id], expires=60)


def call_drain(count: int) -> None:
    """Asks `count` workers to look for due work."""
    for _ in range(count):
        _send("jobs.drain", [], expires=10)


def _send(name: str, args: list, *, expires: int) -> None:
    global _silent_until
    if not getattr(settings, "JOBS_RING", True) or time.monotonic() < _silent_until:
        return
    from crm.celery import app

    try:
        app.send_task(name, args=args, expires=expires, retry=False, ignore_result=True)
    except Exception:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("The broker does not answer; the sweep will find the work", exc_info=True)
