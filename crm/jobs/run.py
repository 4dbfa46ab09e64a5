"""What a handler holds in its hands while it does a job: arguments, checkpoint, slices, progress."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction

from crm.jobs.models import Job
from crm.jobs.registry import Handler
from crm.jobs.services import Clock, database_now

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=float(os.environ.get("CRM_LEASE_SECONDS", "30")))
RENEW_SECONDS = LEASE.total_seconds() / 3

stopping = threading.Event()
"""Set when this worker is asked to stop: jobs let go before their next slice."""


class Interrupted(BaseException):
    """Ends a handler from outside. Not an Exception, so that a handler's own error handling lets it through."""


class LeaseLost(Interrupted):
    """Another worker has the job now; whatever this one was about to commit rolls back."""


class JobCancelled(Interrupted):
    """Somebody asked to cancel the job."""


class JobYielded(Interrupted):
    """This worker stops; another one goes on from the checkpoint."""


class JobRefused(Exception):
    """Raised by a handler when repeating makes no sense: the job fails at once, with a text for the reader.

    `text` is an English msgid marked with `gettext_noop`, `params` its parameters.
    """

    def __init__(self, text: str, **params) -> None:
        self.text, self.params = text, params
        super().__init__(text % params if params else text)


class JobDoubtful(Exception):
    """Raised by an external handler that cannot know whether the other side acted: a person has to look."""


class JobRun:
    """One attempt at a job.

    `job`, `args`, `by`: what was asked for and by whom. `checkpoint`: what the last committed slice saved, {} at first.
    """

    def __init__(self, job: Job, handler: Handler, claimed_at: datetime, clock: Clock) -> None:
        self.job = job
        self.handler = handler
        self.claimed_at = claimed_at
        self.clock = clock
        self.args: dict = job.arguments
        self.by = job.by
        self.checkpoint: dict = dict(job.checkpoint)
        self._pending: dict | None = None

    def mine(self):
        """The job's row as long as this worker holds the lease: the condition of every write."""
        return Job.objects.filter(pk=self.job.pk, status=Job.Status.RUNNING, lease_token=self.job.lease_token)

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody wants the job to end. One query. Slices look by themselves."""
        return self.mine().filter(cancel_requested=True).exists()

    @contextmanager
    def slice(self) -> Iterator["JobRun"]:
        """A transaction that commits its work together with what `save` was told, or not at all.

        Keep it under a second: on SQLite nobody else can write meanwhile.
        """
        self._look_up()
        with transaction.atomic():
            self._pending = {}
            try:
                yield self
                pending = self._pending
            finally:
                self._pending = None
            self._write(pending)
        self._remember(pending)

    def save(
        self,
        *,
        checkpoint: dict | None = None,
        done: int | None = None,
        total: int | None = None,
        note: str | None = None,
        note_params: dict | None = None,
        result: dict | None = None,
    ) -> None:
        """Notes where to go on after a crash and what to show meanwhile; in a slice it commits with the slice.

        `checkpoint` replaces the former one. `note` is a msgid marked with `gettext_noop`.
        """
        fields = {
            "checkpoint": checkpoint,
            "progress_done": done,
            "progress_total": total,
            "progress_note": note,
            "progress_params": (note_params or {}) if note is not None else None,
            "result": result,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        if self._pending is not None:
            self._pending.update(fields)
            return
        with self.slice():
            self._pending.update(fields)

    def _look_up(self) -> None:
        """Between two slices is the moment to stop."""
        if self.handler.atomic:
            return
        cancelled = self.mine().values_list("cancel_requested", flat=True).first()
        if cancelled is None:
            raise LeaseLost
        if cancelled:
            raise JobCancelled
        if stopping.is_set():
            raise JobYielded

    def _write(self, pending: dict) -> None:
        fields = {**pending, "lease_until": database_now() + LEASE}
        if pending.get("checkpoint", self.checkpoint) != self.checkpoint:
            # A job that gets ahead is not the one that kills its workers.
            fields["attempts"] = 1
        if not self.mine().update(**fields):
            raise LeaseLost

    def _remember(self, pending: dict) -> None:
        for name, value in pending.items():
            setattr(self.job, name, value)
        self.checkpoint = dict(pending.get("checkpoint", self.checkpoint))


@contextmanager
def renewed_lease(run: JobRun) -> Iterator[None]:
    """Keeps the lease alive from a thread with its own connection, however long a slice takes."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_SECONDS):
            try:
                if not run.mine().update(lease_until=database_now() + LEASE):
                    return
            except Exception:
                logger.warning("The lease of %s could not be renewed", run.job, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{run.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.is_alive():
            thread.join(timeout=1)
