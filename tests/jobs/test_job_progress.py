import pytest
from django.utils import timezone

from crm.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(rep):
    progress = {"progress_done": 5, "progress_total": 20, "progress_note": "Row %(row)s"}
    return Job.objects.create(
        kind="jobs.purge", by=rep, run_at=timezone.now(), progress_params={"row": 5}, **progress
    )


def test_the_bar_asks_for_itself_until_the_job_ends(rep, job, signed_in):
    client = signed_in(rep)
    answer = client.get(f"/jobs/{job.pk}/progress/")
    text = answer.content.decode()
    assert 'hx-trigger="every 1s"' in text
    assert "Row 5" in text
    assert "5 / 20" in text
    assert "HX-Trigger" not in answer.headers
    Job.objects.update(status="failed", error="The file %(name)s is broken.", error_params={"name": "x.xlsx"})
    answer = client.get(f"/jobs/{job.pk}/progress/")
    assert answer.headers["HX-Trigger"] == "job-done"
    assert "hx-trigger" not in answer.content.decode()
    assert "The file x.xlsx is broken." in answer.content.decode()


def test_other_peoples_jobs_do_not_exist(teammate, admin_user, job, signed_in):
    for other in (teammate, admin_user):
        assert signed_in(other).get(f"/jobs/{job.pk}/progress/").status_code == 404
        assert signed_in(other).post(f"/jobs/{job.pk}/cancellation/").status_code == 404
    job.refresh_from_db()
    assert job.status == "due"


def test_cancelling_ones_own(rep, job, signed_in):
    answer = signed_in(rep).post(f"/jobs/{job.pk}/cancellation/")
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "job-done")
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert signed_in(rep).post(f"/jobs/{job.pk}/cancellation/").status_code == 200
    assert signed_in(rep).get(f"/jobs/{job.pk}/cancellation/").status_code == 405
