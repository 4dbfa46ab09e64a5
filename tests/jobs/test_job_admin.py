import pytest
from django.utils import timezone

from crm.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def jobs(rep):
    make = Job.objects.create
    now = timezone.now()
    return {
        "failed": make(
            kind="jobs.purge", by=rep, run_at=now, status="failed", attempts=4, error="ValueError: no luck"
        ),
        "due": make(kind="jobs.purge", run_at=now),
        "done": make(kind="jobs.purge", run_at=now, status="done"),
    }


def act(client, action, jobs):
    chosen = [job.pk for job in jobs.values()]
    return client.post("/admin/jobs/job/", {"action": action, "_selected_action": chosen}, follow=True)


def test_an_admin_sees_what_went_wrong(admin_user, jobs, signed_in):
    page = signed_in(admin_user).get("/admin/jobs/job/?status__exact=failed")
    assert page.status_code == 200
    assert "ValueError: no luck" in page.content.decode()
    assert signed_in(admin_user).get(f"/admin/jobs/job/{jobs['failed'].pk}/change/").status_code == 200
    assert signed_in(admin_user).get("/admin/jobs/job/add/").status_code == 403


def test_an_admin_tries_failed_jobs_again(admin_user, jobs, signed_in):
    page = act(signed_in(admin_user), "retry", jobs)
    assert "1 done, 2 skipped" in page.content.decode()
    assert list(Job.objects.order_by("pk").values_list("status", "error")) == [
        ("due", ""),
        ("due", ""),
        ("done", ""),
    ]


def test_an_admin_cancels_what_waits(admin_user, jobs, signed_in):
    act(signed_in(admin_user), "cancel", jobs)
    assert list(Job.objects.order_by("pk").values_list("status", flat=True)) == [
        "failed",
        "cancelled",
        "done",
    ]


def test_nobody_else_gets_in(rep, jobs, signed_in):
    assert signed_in(rep).get("/admin/jobs/job/").status_code == 302
