"""What Celery calls, and the housekeeping of the jobs themselves."""

from datetime import timedelta

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from django.utils import timezone

from crm.celery import app
from crm.jobs import run as job_run
from crm.jobs import worker
from crm.jobs.models import Job
from crm.jobs.registry import handler

KEPT = timedelta(days=30)
CHAIN_SECONDS = 5


@app.task(name="jobs.ring")
def ring(job_id: int) -> None:
    """Does one job, and then what it left due: the next step of a process need not wait for its own ring."""
    worker.run_job(job_id)
    worker.drain(seconds=CHAIN_SECONDS)


@app.task(name="jobs.drain")
def drain() -> None:
    """Does whatever is due."""
    worker.drain()


@app.task(name="jobs.sweep")
def sweep() -> None:
    """Every five seconds, from beat."""
    worker.sweep()


@handler("jobs.purge", every=timedelta(hours=6))
def purge(run: job_run.JobRun) -> dict:
    """Forgets jobs that went well a month ago."""
    old = Job.objects.filter(
        status__in=(Job.Status.DONE, Job.Status.CANCELLED), finished_at__lt=timezone.now() - KEPT
    )
    count = 0
    while ids := list(old.values_list("pk", flat=True)[:500]):
        with run.slice():
            count += Job.objects.filter(pk__in=ids).delete()[0]
    return {"deleted": count}


@worker_shutting_down.connect
def let_go(**_kwargs) -> None:
    """Long jobs end before their next slice, so that a stop takes seconds."""
    job_run.stopping.set()


@worker_process_init.connect
@worker_ready.connect
def take_up(**_kwargs) -> None:
    job_run.stopping.clear()
