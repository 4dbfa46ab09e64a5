"""What the fault runs start: `fault_worker.py celery …` (worker or beat) and `fault_worker.py people`."""

import sys
import time

from django.conf import settings

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


if __name__ == "__main__":
    # The actor silences the doorbell; here it is part of what is tried.
    settings.JOBS_RING = True
    verb, *rest = sys.argv[1:]
    people() if verb == "people" else app.start(rest)
