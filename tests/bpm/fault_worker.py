"""What the fault runs start: `fault_worker.py celery …` (worker or beat) and `fault_worker.py people`."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from crm.celery import app
from tests.bpm.actor import UserTask, complete_task  # sets Django up and registers the operation that marks


def people() -> None:
    """Does every task that is open, whatever breaks meanwhile."""
    from django.db import Error, connection

    while True:
        try:
            for task in UserTask.objects.open().select_related("assignee")[:20]:
                complete_task(task=task, by=task.assignee)
        except Error:
            connection.close()
        time.sleep(0.1)


def moved(_now=timezone.now):
    """The wall clock of the machine, moved by as many hours as the fault runs say."""
    return _now() + timedelta(hours=int(Path(os.environ["FAULT_CLOCK"]).read_text().rstrip("h")))


if __name__ == "__main__":
    timezone.now = moved
    # The actor silences the doorbell; here it is part of what is tried.
    settings.JOBS_RING = True
    verb, *rest = sys.argv[1:]
    people() if verb == "people" else app.start(rest)
