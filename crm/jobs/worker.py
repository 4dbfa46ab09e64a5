"""Doing jobs: claim one, run its handler, close it. Celery tasks and tests come through here."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value
from django.utils.translation import gettext_noop

from crm.jobs import doorbell
from crm.jobs.models import Job
from crm.jobs.registry import Handler, UnknownKind, all_handlers, handler_for, surroundings
from crm.jobs.run import (
    LEASE,
    JobCancelled,
    JobDoubtful,
    JobRefused,
    JobRun,
    JobYielded,
    LeaseLost,
    renewed_lease,
)
from crm.jobs.services import Clock, database_now, enqueue
from crm.jobs.signals import job_ended

logger = logging.getLogger(__name__)

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
DRAIN_SECONDS = 20
AWAY = timedelta(seconds=5)
CLOCK_TOLERANCE = timedelta(seconds=10)
PERIODIC = "periodic"
UNLEASED = {"lease_token": None, "lease_until": None}


def run_job(job_id: int, *, now: datetime | None = None) -> bool:
    """Does this job if it is due and nobody else does it. Whether it was done here."""
    clock = Clock()
    moment = now or clock.now()
    job = _candidates(moment).filter(pk=job_id).first()
    run = _claim(job, moment, clock) if job else None
    if run:
        _execute(run)
    return run is not None


def drain(*, now: datetime | None = None, seconds: float = DRAIN_SECONDS) -> int:
    """Does due jobs, the most urgent first, until none is left or the time is over. How many were done."""
    end, count, clock = time.monotonic() + seconds, 0, Clock()

    def following() -> JobRun | None:
        return _claim_plain(now or clock.now(), clock) if time.monotonic() < end else None

    run = None
    while run is not None or time.monotonic() < end:
        run = run or _claim_next(now or clock.now(), clock)
        if run is None:
            return count
        run = _execute(run, following)
        count += 1
    doorbell.call_drain(1)
    return count


def sweep(now: datetime | None = None) -> int:
    """Finds what the doorbell missed and what dead workers left behind, and calls workers for it. How many are due."""
    moment = now or database_now()
    _mind_the_clock(moment)
    _plan_periodic(moment)
    due = _candidates(moment)[:4].count()
    doorbell.call_drain(due)
    return due


def _mind_the_clock(now: datetime) -> None:
    """A clock that was ahead and went back leaves jobs and leases of the future: they count from now on."""
    ahead = Job.objects.filter(status=Job.Status.DUE, run_at__gt=now, created_at__gt=now + CLOCK_TOLERANCE)
    wait = F("run_at") - F("created_at")
    ahead.update(run_at=ExpressionWrapper(Value(now) + wait, output_field=DateTimeField()), created_at=now)
    leased = Job.objects.filter(status=Job.Status.RUNNING, lease_until__gt=now + LEASE + CLOCK_TOLERANCE)
    leased.update(lease_until=now + LEASE)


def _plan_periodic(now: datetime) -> None:
    """Every periodic kind has one open job, due its interval after the last one ended."""
    periodic = {handler.kind: handler.every for handler in all_handlers() if handler.every}
    planned = Job.objects.open().filter(kind__in=periodic, key=PERIODIC).values_list("kind", flat=True)
    for kind in periodic.keys() - set(planned):
        ended = Job.objects.filter(kind=kind, key=PERIODIC, finished_at__isnull=False)
        last = ended.order_by("-finished_at").values_list("finished_at", flat=True).first()
        enqueue(kind=kind, key=PERIODIC, run_at=last + periodic[kind] if last else now)


def _candidates(now: datetime):
    """Due jobs by urgency, without the long ones while enough of these run."""
    rows = _by_urgency(now)
    return rows.exclude(kind__in=_long_kinds()) if _enough_long(now) else rows


def _by_urgency(now: datetime):
    return Job.objects.claimable(now).order_by("priority", "run_at", "pk")


def _long_kinds() -> list[str]:
    return [handler.kind for handler in all_handlers() if handler.long]


def _enough_long(now: datetime) -> bool:
    """Whether no more of the long jobs may run beside those that do."""
    running = Job.objects.filter(status=Job.Status.RUNNING, kind__in=_long_kinds(), lease_until__gte=now)
    return running.count() >= getattr(settings, "JOBS_LONG_LIMIT", 1)


def _claim_next(now: datetime, clock: Clock) -> JobRun | None:
    """The most urgent due job, claimed; None when nothing is due."""
    rows = _by_urgency(now)
    # Where reading asks for no lock a look is cheaper than a transaction.
    while connection.features.has_select_for_update_skip_locked or rows.exists():
        with transaction.atomic():
            job = _unlocked(rows).first()
            if job is not None and job.kind in _long_kinds() and _enough_long(now):
                rows = rows.exclude(kind__in=_long_kinds())
                continue
            if job is None:
                return None
            if run := _claim(job, now, clock):
                return run
    return None


def _claim_plain(now: datetime, clock: Clock) -> JobRun | None:
    """The most urgent due job, claimed within the transaction that ends the one before it: one commit for both.

    None also where more is to be thought about: long jobs, orphans, what is to be cancelled.
    """
    job = _unlocked(_by_urgency(now)).first()
    if job is None or job.status != Job.Status.DUE or job.cancel_requested or job.kind in _long_kinds():
        return None
    return _claim(job, now, clock)


def _unlocked(rows):
    """Without the rows that another worker is claiming now."""
    if not connection.features.has_select_for_update_skip_locked:
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def _claim(job: Job, now: datetime, clock: Clock) -> JobRun | None:
    """Makes the job ours by a conditional UPDATE. None when it went to another worker or needs no running."""
    row = Job.objects.claimable(now).filter(pk=job.pk, status=job.status, lease_token=job.lease_token)
    try:
        handler = handler_for(job.kind)
    except UnknownKind:
        _close(
            row,
            job,
            Job.Status.FAILED,
            gettext_noop("Nothing here knows jobs of this kind: %(kind)s"),
            {"kind": job.kind},
        )
        return None
    if _buried(row, job, handler):
        return None
    lease = {"lease_token": uuid.uuid4(), "lease_until": now + LEASE}
    if not row.update(status=Job.Status.RUNNING, attempts=F("attempts") + 1, **lease):
        return None
    job.status, job.attempts = Job.Status.RUNNING, job.attempts + 1
    job.lease_token, job.lease_until = lease["lease_token"], lease["lease_until"]
    return JobRun(job, handler, now, clock)


def _buried(row, job: Job, handler: Handler) -> bool:
    """Closes a job that must not run again although its lease ended."""
    orphaned = job.status == Job.Status.RUNNING
    if job.cancel_requested:
        _close(row, job, Job.Status.CANCELLED)
    elif orphaned and handler.external:
        _close(
            row,
            job,
            Job.Status.DOUBTFUL,
            gettext_noop("The worker stopped half-way; it may have been sent or not"),
        )
    elif orphaned and job.attempts >= job.max_attempts:
        _close(row, job, Job.Status.FAILED, gettext_noop("The worker stopped in the middle of every attempt"))
    else:
        return False
    return True


Following = Callable[[], JobRun | None]


def _execute(run: JobRun, following: Following = lambda: None) -> JobRun | None:
    """Runs the handler and writes down how it ended; the job that `following` claimed in the same transaction.

    Raises nothing that a handler raises.
    """
    logger.info("job %s attempt %s", run.job, run.job.attempts)
    try:
        with renewed_lease(run), surroundings(run.by):
            return _handle(run, following)
    except LeaseLost:
        logger.warning("job %s went to another worker", run.job)
    except JobCancelled:
        _close(run.mine(), run.job, Job.Status.CANCELLED)
    except JobYielded:
        run.mine().update(
            status=Job.Status.DUE, attempts=F("attempts") - 1, run_at=database_now(), **UNLEASED
        )
    except JobRefused as refusal:
        _close(run.mine(), run.job, Job.Status.FAILED, refusal.text, refusal.params)
    except JobDoubtful as doubt:
        _close(run.mine(), run.job, Job.Status.DOUBTFUL, str(doubt))
    except Exception as error:
        logger.exception("job %s failed", run.job)
        _fail(run, error)
    return None


def _handle(run: JobRun, following: Following) -> JobRun | None:
    if run.handler.atomic:
        with transaction.atomic():
            _finish(run, run.handler.function(run))
            return following()
    result = run.handler.function(run)
    with transaction.atomic():
        _finish(run, result)
        return following()


def _finish(run: JobRun, result: dict | None) -> None:
    """Done, or round again if somebody asked meanwhile. Raises LeaseLost, which rolls the effects back."""
    job, now = run.job, run.clock.now()
    fields = {"status": Job.Status.DONE, "finished_at": now, "error": "", "error_params": {}, **UNLEASED}
    if result is not None:
        fields["result"] = result
    if job.progress_total:
        fields["progress_done"] = job.progress_total
    if run.mine().filter(rerun_at=None).update(**fields):
        for name, value in fields.items():
            setattr(job, name, value)
        job_ended.send(sender=Job, job=job)
    elif not _again(run.mine(), job):
        raise LeaseLost


def _again(row, job: Job) -> bool:
    """Sends a job that was asked for while it ran to a fresh start."""
    fresh = {
        "attempts": 0,
        "checkpoint": {},
        "progress_done": 0,
        "error": "",
        "error_params": {},
        "rerun_at": None,
    }
    again = row.filter(rerun_at__isnull=False).update(
        status=Job.Status.DUE, run_at=F("rerun_at"), **fresh, **UNLEASED
    )
    if again:
        transaction.on_commit(partial(doorbell.ring, job.pk), robust=True)
    return bool(again)


def _fail(run: JobRun, error: Exception) -> None:
    """Tries again after a while, or gives up."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    job, text = run.job, f"{type(error).__name__}: {error}"[:2000]
    # A slice that got ahead has begun the count anew.
    attempts = run.mine().values_list("attempts", flat=True).first()
    if attempts is None:
        return
    if attempts >= job.max_attempts:
        _close(run.mine(), job, Job.Status.FAILED, text)
        return
    # A database that was away is soon back; what is wrong with the job itself takes longer to mend.
    waits = (AWAY, *BACK_OFF) if isinstance(error, OperationalError | InterfaceError) else BACK_OFF
    run_at = max(run.claimed_at, database_now()) + waits[min(attempts, len(waits)) - 1]
    run.mine().update(status=Job.Status.DUE, run_at=run_at, error=text, error_params={}, **UNLEASED)


@transaction.atomic
def _close(row, job: Job, status: str, error: str = "", params: dict | None = None) -> None:
    """Ends a job for good, unless it was asked for again meanwhile or is no longer the one we looked at."""
    if status != Job.Status.CANCELLED and _again(row, job):
        return
    fields = {
        "status": status,
        "error": error,
        "error_params": params or {},
        "finished_at": database_now(),
        **UNLEASED,
    }
    if row.update(**fields):
        for name, value in fields.items():
            setattr(job, name, value)
        job_ended.send(sender=Job, job=job)
