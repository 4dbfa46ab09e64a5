"""Telling a worker that there is work. Losing a ring costs seconds, never the work.

A thread of its own rings: whoever asked for the work never waits for the broker, however dead it is.
"""

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from django.conf import settings

logger = logging.getLogger(__name__)

# A broker that is down is asked again only after this time; each asking takes seconds.
PAUSE_SECONDS = 5
# So many rings wait while the broker does not answer; the sweep finds the work of the others.
MOST_WAITING = 10_000
_silent_until = 0.0
_room = BoundedSemaphore(MOST_WAITING)
_ringer = ThreadPoolExecutor(1, thread_name_prefix="doorbell")


def ring(job_id: int) -> None:
    """Asks the workers to do this job now. Returns at once and never fails."""
    _later("jobs.ring", [job_id], expires=60)


def call_drain(count: int) -> None:
    """Asks `count` workers to look for due work."""
    for _ in range(count):
        _later("jobs.drain", [], expires=10)


def _later(name: str, args: list, *, expires: int) -> None:
    if _is_silent() or not _room.acquire(blocking=False):
        return
    try:
        _ringer.submit(_send, name, args, expires)
    except RuntimeError:  # the process ends
        _room.release()


def _is_silent() -> bool:
    return not getattr(settings, "JOBS_RING", True) or time.monotonic() < _silent_until


def _send(name: str, args: list, expires: int) -> None:
    global _silent_until
    try:
        if _is_silent():
            return
        from crm.celery import app

        app.send_task(name, args=args, expires=expires, retry=False, ignore_result=True)
    except Exception as error:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("The broker does not answer (%s); the sweep will find the work", error)
    finally:
        _room.release()


def _after_fork() -> None:
    """Threads do not live on in a child."""
    global _room, _ringer
    _room = BoundedSemaphore(MOST_WAITING)
    _ringer = ThreadPoolExecutor(1, thread_name_prefix="doorbell")


os.register_at_fork(after_in_child=_after_fork)
