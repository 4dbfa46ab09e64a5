from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from crm.jobs import services
from crm.jobs.models import Job


@require_GET
def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar of one's own job; it asks for itself again until the job ends."""
    return _progress(request, get_object_or_404(Job, pk=pk, by=request.user))


@require_POST
def job_cancellation(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops one's own job."""
    job = get_object_or_404(Job, pk=pk, by=request.user)
    try:
        job = services.cancel(job=job, by=request.user)
    except services.JobNotOpen:
        job.refresh_from_db()
    return _progress(request, job)


def _progress(request: HttpRequest, job: Job) -> HttpResponse:
    response = render(request, "jobs/_progress.html", {"job": job})
    response["Cache-Control"] = "no-store"
    if not job.is_open:
        response["HX-Trigger"] = "job-done"
    return response
