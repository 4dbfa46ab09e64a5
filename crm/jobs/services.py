"""Asking for durable jobs, and changing one's mind."""

import logging
import time
import uuid
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from crm.jobs import doorbell
from crm.jobs.models import Job
from crm.jobs.registry import handler_for
from crm.jobs.signals import job_ended

logger = logging.getLogger(__name__)


class JobNotOpen(Exception):
    """The job has ended (or has not), so what was asked of it makes no sense any more."""


class Clock:
    """The database's clock, read once and counted on, for work that takes seconds."""

    def __init__(self) -> None:
        self._read, self._at = database_now(), time.monotonic()

    def now(self) -> datetime:
        return self._read + timedelta(seconds=time.monotonic() - self._at)


def database_now() -> datetime:
    """The moment all workers agree on: the database's clock, where it is a server."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return cursor.fetchone()[0]


@transaction.atomic(savepoint=False)
def enqueue(
    *,
    kind: str,
    key: str | None = None,
    args: dict | None = None,
    by=None,
    run_at: datetime | None = None,
    total: int | None = None,
    priority: int = 5,
) -> Job:
    """Makes sure that a job of `kind` runs after this transaction, at `run_at` or at once.

    With a `key` that is already open no second job is made: a waiting one is brought forward to `run_at` if that
    is earlier, a running one goes round again once it ends. The arguments stay those of the first request, so the
    key must say everything that matters. Raises UnknownKind.
    """
    handler = handler_for(kind)
    moment = run_at or timezone.now()
    fields = {
        "kind": kind,
        "key": key,
        "arguments": args or {},
        "by": by,
        "run_at": moment,
        "progress_total": total,
        "priority": priority,
        "max_attempts": handler.max_attempts,
    }
    job = _keyed(fields) if key is not None else Job.objects.create(**fields)
    if moment <= timezone.now():
        transaction.on_commit(partial(doorbell.ring, job.pk), robust=True)
    return job


def _keyed(fields: dict) -> Job:
    """The open job of this key, asked for again, or a new one. Safe against others doing the same at once."""
    same = Job.objects.open().filter(kind=fields["kind"], key=fields["key"])
    fresh = Q(status=Job.Status.DUE, attempts=0)
    moment = Value(fields["run_at"], output_field=Job._meta.get_field("run_at"))
    again = {
        "run_at": Case(When(fresh, then=Least(F("run_at"), moment)), default=F("run_at")),
        "rerun_at": Case(
            When(fresh, then=F("rerun_at")), default=Least(Coalesce(F("rerun_at"), moment), moment)
        ),
    }
    for _attempt in range(20):
        draft = Job(uid=uuid.uuid4(), **fields)
        # ON CONFLICT DO NOTHING: an IntegrityError would poison the caller's transaction on PostgreSQL.
        Job.objects.bulk_create([draft], ignore_conflicts=True)
        if pk := Job.objects.filter(uid=draft.uid).values_list("pk", flat=True).first():
            draft.pk, draft._state.adding = pk, False
            return draft
        if same.update(**again) and (job := same.first()):
            return job
    raise RuntimeError(f"The open job {fields['kind']} {fields['key']} keeps changing")


def open_job(*, kind: str, key: str) -> Job | None:
    """The job of this key that has not ended, if there is one."""
    return Job.objects.open().filter(kind=kind, key=key).first()


@transaction.atomic
def reschedule(*, job: Job, run_at: datetime) -> bool:
    """Moves a waiting job to another time. False when it already runs or has ended."""
    moved = Job.objects.filter(pk=job.pk, status=Job.Status.DUE).update(run_at=run_at)
    if moved and run_at <= timezone.now():
        transaction.on_commit(partial(doorbell.ring, job.pk), robust=True)
    return bool(moved)


@transaction.atomic
def cancel(*, job: Job, by) -> Job:
    """Ends a waiting job at once, a running one before its next slice. Raises JobNotOpen."""
    waiting = Job.objects.filter(pk=job.pk, status=Job.Status.DUE)
    running = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING)
    if waiting.update(
        status=Job.Status.CANCELLED, finished_at=timezone.now(), cancel_requested=True, rerun_at=None
    ):
        job.refresh_from_db()
        job_ended.send(sender=Job, job=job)
    elif running.update(cancel_requested=True, rerun_at=None):
        job.refresh_from_db()
    else:
        raise JobNotOpen(str(job))
    logger.info("job %s cancelled by %s", job, by)
    return job


@transaction.atomic
def retry(*, job: Job, by) -> Job:
    """Puts a failed, cancelled or doubtful job back to work from its checkpoint. Raises JobNotOpen."""
    closed = Job.objects.filter(pk=job.pk, status__in=Job.RETRYABLE)
    if job.key is not None and open_job(kind=job.kind, key=job.key):
        raise JobNotOpen(str(job))
    revived = closed.update(
        status=Job.Status.DUE,
        run_at=timezone.now(),
        attempts=0,
        error="",
        error_params={},
        cancel_requested=False,
        finished_at=None,
    )
    if not revived:
        raise JobNotOpen(str(job))
    logger.info("job %s retried by %s", job, by)
    job.refresh_from_db()
    transaction.on_commit(partial(doorbell.ring, job.pk), robust=True)
    return job
