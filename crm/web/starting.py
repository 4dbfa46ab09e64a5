"""Pages of starting for real."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.views.decorators.http import require_http_methods

from crm.jobs.services import open_job
from crm.web import htmx
from crm.web.demo_removal import JOB, KEY, has_demo, may_remove, plan_removal, start_removal
from crm.web.tokens import once


@require_http_methods(["GET", "POST"])
@once
def demo_removal(request):
    """What removing the demo data would take away; a POST has it removed."""
    if not may_remove(request.user):
        raise PermissionDenied
    job, unsure = open_job(kind=JOB, key=KEY), False
    if request.method == "POST" and has_demo() and job is None:
        unsure = request.POST.get("sure") != "1"
        if not unsure:
            start_removal(by=request.user)
            return htmx.redirect(request, request.path)
    plan = plan_removal() if job is None and has_demo() else []
    context = {"job": job, "plan": plan, "unsure": unsure}
    return htmx.page(request, "web/demo_removal.html", context, status=422 if unsure else 200)
