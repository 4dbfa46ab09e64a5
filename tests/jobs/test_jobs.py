"""The life of a job, in one process."""

from datetime import timedelta
from threading import Event

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, transaction
from django.utils import timezone, translation

from crm.jobs import registry, services, worker
from crm.jobs import run as job_run
from crm.jobs.models import Job
from crm.jobs.run import LEASE, JobDoubtful, JobRefused, LeaseLost
from crm.jobs.services import Clock, JobNotOpen, enqueue
from crm.jobs.signals import job_ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def handle(monkeypatch):
    """handle(function, **options) -> makes the function the handler of `test.work`."""
    registry.all_handlers()
    monkeypatch.setattr(registry, "_handlers", dict(registry._handlers))

    def register(function, **options):
        registry._handlers.pop("test.work", None)
        registry.handler("test.work", **options)(function)

    return register


@pytest.fixture
def ended():
    """The jobs that ended while the test ran."""
    found = []

    def remember(sender, job, **kwargs):
        found.append((job.pk, job.status))

    job_ended.connect(remember)
    yield found
    job_ended.disconnect(remember)


def test_a_job_runs_with_its_arguments_and_leaves_a_result(handle, run_jobs, rep, ended):
    seen = []
    handle(lambda run: seen.append((run.args, run.by)) or {"rows": 3})
    job = enqueue(kind="test.work", args={"a": 1}, by=rep)
    assert run_jobs() == 1
    job.refresh_from_db()
    assert (job.status, job.result, job.attempts) == ("done", {"rows": 3}, 1)
    assert seen == [({"a": 1}, rep)]
    assert ended == [(job.pk, "done")]


def test_unknown_kinds_are_refused_when_asked_for():
    with pytest.raises(registry.UnknownKind):
        enqueue(kind="test.nobody")


def test_a_kind_that_went_away_fails_instead_of_looping(run_jobs):
    job = Job.objects.create(kind="test.gone", run_at=timezone.now())
    assert run_jobs() == 0
    job.refresh_from_db()
    assert (job.status, job.reason) == ("failed", "Nothing here knows jobs of this kind: test.gone")


def test_the_future_waits(handle, run_jobs):
    handle(lambda run: None)
    enqueue(kind="test.work", run_at=timezone.now() + timedelta(hours=1))
    assert run_jobs() == 0
    assert run_jobs(now=timezone.now() + timedelta(hours=2)) == 1


def test_urgent_jobs_go_first(handle, run_jobs):
    order = []
    handle(lambda run: order.append(run.args["name"]))
    for name, priority in (("import", 7), ("step", 3), ("mail", 5)):
        enqueue(kind="test.work", args={"name": name}, priority=priority)
    run_jobs()
    assert order == ["step", "mail", "import"]


def test_an_open_key_makes_no_second_job(handle, run_jobs):
    handle(lambda run: None)
    later = timezone.now() + timedelta(hours=3)
    first = enqueue(kind="test.work", key="k", run_at=later)
    second = enqueue(kind="test.work", key="k", run_at=later - timedelta(hours=1))
    assert second.pk == first.pk
    assert second.run_at == later - timedelta(hours=1)
    assert enqueue(kind="test.work", key="other").pk != first.pk
    run_jobs(now=later)
    assert enqueue(kind="test.work", key="k").pk != first.pk


def test_a_running_job_asked_for_again_goes_round_once_more(handle, run_jobs, ended):
    rounds = []

    def work(run):
        rounds.append(run.checkpoint)
        if len(rounds) == 1:
            run.save(checkpoint={"half": True})
            enqueue(kind="test.work", key="k")
            enqueue(kind="test.work", key="k")

    handle(work)
    job = enqueue(kind="test.work", key="k")
    assert run_jobs(now=timezone.now() + timedelta(seconds=5)) == 2
    assert rounds == [{}, {}]
    assert Job.objects.get(kind="test.work").pk == job.pk
    assert ended == [(job.pk, "done")]


def test_a_job_may_plan_its_own_next_time(handle, run_jobs):
    tomorrow = timezone.now() + timedelta(days=1)
    handle(lambda run: enqueue(kind="test.work", key="daily", run_at=tomorrow) and None)
    job = enqueue(kind="test.work", key="daily")
    assert run_jobs() == 1
    job.refresh_from_db()
    assert (job.status, job.run_at, job.rerun_at) == ("due", tomorrow, None)


def test_failures_are_tried_again_after_1_5_and_30_minutes(handle, run_jobs, ended):
    def work(run):
        raise ValueError("no luck")

    handle(work)
    job = enqueue(kind="test.work")
    moments = [timezone.now() + timedelta(hours=hour) for hour in range(4)]
    waits = []
    for moment in moments[:3]:
        assert run_jobs(now=moment) == 1
        job.refresh_from_db()
        assert job.status == "due"
        waits.append(round((job.run_at - moment).total_seconds() / 60))
    run_jobs(now=moments[3])
    job.refresh_from_db()
    assert waits == [1, 5, 30]
    assert (job.status, job.attempts, job.error) == ("failed", 4, "ValueError: no luck")
    assert ended == [(job.pk, "failed")]


def test_a_failed_slice_leaves_nothing_and_the_next_attempt_goes_on_from_the_checkpoint(
    handle, run_jobs, rep
):
    starts = []

    def work(run):
        starts.append(run.checkpoint.get("step", 0))
        for step in range(starts[-1], 3):
            with run.slice():
                get_user_model().objects.create_user(f"made-{step}")
                if step == 1 and len(starts) == 1:
                    raise ValueError("power cut")
                run.save(
                    checkpoint={"step": step + 1},
                    done=step + 1,
                    total=3,
                    note="Step %(n)s",
                    note_params={"n": step},
                )

    handle(work)
    job = enqueue(kind="test.work")
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.checkpoint, job.progress_done, job.percent, job.note) == (
        "due",
        {"step": 1},
        1,
        33,
        "Step 0",
    )
    run_jobs(now=timezone.now() + timedelta(minutes=2))
    job.refresh_from_db()
    assert starts == [0, 1]
    assert (job.status, job.progress_done, job.error) == ("done", 3, "")
    assert get_user_model().objects.filter(username__startswith="made-").count() == 3


def test_progress_starts_the_count_of_attempts_anew(handle, run_jobs):
    def work(run):
        step = run.checkpoint.get("step", 0)
        if step == 9:
            return
        run.save(checkpoint={"step": step + 1})
        raise ValueError("again")

    handle(work)
    job = enqueue(kind="test.work")
    for hours in range(10):
        run_jobs(now=timezone.now() + timedelta(hours=hours))
    job.refresh_from_db()
    assert job.status == "done"


def test_a_refusal_is_final_and_speaks_to_the_reader(handle, run_jobs):
    def work(run):
        raise JobRefused("The file %(name)s cannot be read.", name="a.xlsx")

    handle(work)
    job = enqueue(kind="test.work")
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.reason) == ("failed", "The file a.xlsx cannot be read.")


def test_doubt_is_shown_to_a_person(handle, run_jobs):
    def work(run):
        raise JobDoubtful("no answer")

    handle(work, external=True)
    job = enqueue(kind="test.work")
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.error) == ("doubtful", "no answer")


def test_an_atomic_handler_and_its_completion_are_one(handle, run_jobs):
    def work(run):
        get_user_model().objects.create_user("half")
        raise ValueError("crash")

    handle(work, atomic=True)
    enqueue(kind="test.work")
    run_jobs()
    assert not get_user_model().objects.filter(username="half").exists()


def test_a_lost_lease_rolls_the_slice_back(handle, rep):
    def work(run):
        with run.slice():
            get_user_model().objects.create_user("ghost")
            Job.objects.filter(pk=run.job.pk).update(lease_token=None, lease_until=None, status="due")

    handle(work)
    job = enqueue(kind="test.work")
    run = worker._claim_next(timezone.now(), Clock())
    with pytest.raises(LeaseLost):
        work(run)
    assert not get_user_model().objects.filter(username="ghost").exists()
    job.refresh_from_db()
    assert job.status == "running"


def test_only_one_claims(handle):
    handle(lambda run: None)
    job = enqueue(kind="test.work")
    now = timezone.now()
    stale = Job.objects.get(pk=job.pk)
    assert worker._claim(job, now, Clock()) is not None
    assert worker._claim(stale, now, Clock()) is None
    assert worker.run_job(job.pk, now=now) is False


def test_an_abandoned_job_is_taken_over(handle, run_jobs):
    handle(lambda run: {"by": "second"})
    job = enqueue(kind="test.work")
    worker._claim_next(timezone.now(), Clock())
    assert run_jobs(now=timezone.now() + timedelta(seconds=20)) == 0
    assert run_jobs(now=timezone.now() + timedelta(seconds=31)) == 1
    job.refresh_from_db()
    assert (job.status, job.attempts, job.result) == ("done", 2, {"by": "second"})


def test_a_job_that_kills_every_worker_is_given_up(handle, run_jobs):
    handle(lambda run: None)
    job = enqueue(kind="test.work")
    for hour in range(4):
        assert worker._claim_next(timezone.now() + timedelta(hours=hour), Clock()) is not None
    assert run_jobs(now=timezone.now() + timedelta(hours=5)) == 0
    job.refresh_from_db()
    assert (job.status, job.reason) == ("failed", "The worker stopped in the middle of every attempt")


def test_cancelling(handle, run_jobs, rep, ended):
    handle(lambda run: None)
    waiting = services.cancel(job=enqueue(kind="test.work"), by=rep)
    assert waiting.status == "cancelled"
    with pytest.raises(JobNotOpen):
        services.cancel(job=waiting, by=rep)

    def work(run):
        for step in range(3):
            with run.slice():
                run.save(checkpoint={"step": step})
            if step == 1:
                services.cancel(job=run.job, by=rep)

    handle(work)
    job = enqueue(kind="test.work", by=rep)
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.checkpoint) == ("cancelled", {"step": 1})
    assert ended == [(waiting.pk, "cancelled"), (job.pk, "cancelled")]


def test_a_stopping_worker_lets_go_between_slices(handle, run_jobs):
    def work(run):
        for step in range(run.checkpoint.get("step", 0), 4):
            run.save(checkpoint={"step": step + 1})
            if step == 1:
                job_run.stopping.set()
        return {"last": step}

    handle(work)
    job = enqueue(kind="test.work")
    worker._execute(worker._claim_next(timezone.now(), Clock()))
    job_run.stopping.clear()
    job.refresh_from_db()
    assert (job.status, job.checkpoint, job.lease_token) == ("due", {"step": 2}, None)
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.result) == ("done", {"last": 3})


def test_handlers_write_in_the_language_of_whom_they_work_for(handle, run_jobs, rep):
    rep.language = "pl"
    rep.save()
    handle(lambda run: {"language": translation.get_language()})
    job = enqueue(kind="test.work", by=rep)
    run_jobs()
    job.refresh_from_db()
    assert job.result == {"language": "pl"}


def test_retrying_goes_on_from_the_checkpoint(handle, run_jobs, admin_user):
    def work(run):
        if run.checkpoint:
            return {"from": run.checkpoint}
        run.save(checkpoint={"step": 5})
        raise JobRefused("no")

    handle(work)
    job = enqueue(kind="test.work", key="k")
    run_jobs()
    services.retry(job=job, by=admin_user)
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.result, job.error) == ("done", {"from": {"step": 5}}, "")
    with pytest.raises(JobNotOpen):
        services.retry(job=job, by=admin_user)


def test_a_timer_can_be_moved(handle):
    handle(lambda run: None)
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2)
    enqueue(kind="test.work", key="timer", run_at=soon)
    job = services.open_job(kind="test.work", key="timer")
    assert services.reschedule(job=job, run_at=later) is True
    job.refresh_from_db()
    assert job.run_at == later
    services.cancel(job=job, by=None)
    assert services.reschedule(job=job, run_at=soon) is False


def test_long_jobs_leave_room_for_others(handle, settings, run_jobs):
    settings.JOBS_LONG_LIMIT = 1
    handle(lambda run: None, long=True)
    first, second = enqueue(kind="test.work"), enqueue(kind="test.work")
    assert worker._claim_next(timezone.now(), Clock()).job.pk == first.pk
    assert worker._claim_next(timezone.now(), Clock()) is None
    assert worker.run_job(second.pk, now=timezone.now()) is False


def test_the_sweep_plans_periodic_jobs_and_counts_what_is_due(handle, run_jobs):
    handle(lambda run: None, every=timedelta(hours=1))
    now = timezone.now()
    worker.sweep(now)
    worker.sweep(now)
    job = Job.objects.get(kind="test.work")
    run_jobs(now=now)
    assert Job.objects.filter(kind="test.work").count() == 1
    worker.sweep(now)
    job.refresh_from_db()
    following = Job.objects.exclude(pk=job.pk).get(kind="test.work")
    assert following.run_at == job.finished_at + timedelta(hours=1)


def test_a_lost_ring_is_found_by_the_sweep(handle, run_jobs):
    handle(lambda run: None)
    worker.sweep(timezone.now())
    run_jobs()
    assert worker.sweep(timezone.now()) == 0
    enqueue(kind="test.work")
    assert worker.sweep(timezone.now()) == 1


def test_asking_inside_a_rolled_back_transaction_leaves_nothing(handle):
    handle(lambda run: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue(kind="test.work", key="k")
        raise ZeroDivisionError
    assert not Job.objects.exists()


def test_a_dead_broker_does_not_break_the_request(
    handle, settings, django_capture_on_commit_callbacks, monkeypatch
):
    from crm.celery import app
    from crm.jobs import doorbell

    asked, given_up = [], Event()

    def die(name, args, **kwargs):
        asked.append(args[0])
        assert given_up.wait(30)
        raise ConnectionError("refused")

    settings.JOBS_RING = True
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)
    monkeypatch.setattr(app, "send_task", die)
    handle(lambda run: None)
    with django_capture_on_commit_callbacks(execute=True):
        jobs = [enqueue(kind="test.work") for _turn in range(3)]
    # The requests are over while the broker still keeps the first ring waiting; the others are not tried.
    assert {Job.objects.get(pk=job.pk).status for job in jobs} == {"due"}
    given_up.set()
    doorbell._ringer.submit(int).result()
    doorbell.ring(jobs[0].pk)
    doorbell._ringer.submit(int).result()
    assert asked == [jobs[0].pk]


def test_the_end_of_a_job_and_the_claim_of_the_next_are_one_transaction(handle):
    done = []

    def work(run):
        done.append(run.job.key)
        if run.job.key == "b" and run.job.attempts == 1:
            raise RuntimeError("broken")

    handle(work, atomic=True)
    jobs = [enqueue(kind="test.work", key=key) for key in "abc"]
    run = worker._claim_next(timezone.now(), clock := Clock())
    following = worker._execute(run, lambda: worker._claim_plain(timezone.now(), clock))
    states = [Job.objects.get(pk=job.pk) for job in jobs]
    assert ([job.status for job in states], following.job) == (["done", "running", "due"], jobs[1])
    assert worker._execute(following, lambda: worker._claim_plain(timezone.now(), clock)) is None
    states = [Job.objects.get(pk=job.pk) for job in jobs]
    assert [(job.status, job.attempts) for job in states] == [("done", 1), ("due", 1), ("due", 0)]
    assert worker.drain(now=timezone.now() + timedelta(hours=1)) == 2
    assert (done[:2], sorted(done[2:])) == (["a", "b"], ["b", "c"])


def test_what_needs_a_second_look_is_not_claimed_in_passing(handle):
    handle(lambda run: None, atomic=True)
    job = enqueue(kind="test.work")
    clock = Clock()
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    assert worker._claim_plain(timezone.now(), clock) is None
    Job.objects.filter(pk=job.pk).update(cancel_requested=False, status="running", lease_until=timezone.now())
    assert worker._claim_plain(timezone.now() + timedelta(seconds=1), clock) is None
    Job.objects.filter(pk=job.pk).update(status="due")
    assert worker._claim_plain(timezone.now(), clock).job.pk == job.pk


def test_a_clock_that_was_ahead_leaves_nothing_behind_in_the_future(handle):
    handle(lambda run: None)
    now, ahead = timezone.now(), timezone.now() + timedelta(hours=1)
    at_once, timer, later, leased = (enqueue(kind="test.work", key=key) for key in "abcd")
    Job.objects.filter(pk=at_once.pk).update(created_at=ahead, run_at=ahead)
    Job.objects.filter(pk=timer.pk).update(created_at=ahead, run_at=ahead + timedelta(minutes=5))
    Job.objects.filter(pk=later.pk).update(run_at=now + timedelta(days=1))
    Job.objects.filter(pk=leased.pk).update(status="running", lease_until=ahead)
    worker.sweep(now)
    found = {job.key: job for job in Job.objects.filter(kind="test.work")}
    assert [found[key].run_at - now for key in "abc"] == [
        timedelta(),
        timedelta(minutes=5),
        timedelta(days=1),
    ]
    assert found["d"].lease_until == now + LEASE
    worker.sweep(now)
    assert Job.objects.get(pk=timer.pk).run_at == now + timedelta(minutes=5)


def test_a_database_that_was_away_is_tried_again_soon_and_only_once(handle):
    def work(run):
        raise OperationalError("server closed the connection unexpectedly")

    handle(work)
    job, waits = enqueue(kind="test.work"), []
    for _attempt in range(2):
        now = max(timezone.now(), Job.objects.get(pk=job.pk).run_at)
        worker.drain(now=now)
        waits.append((Job.objects.get(pk=job.pk).run_at - now).total_seconds())
    assert [round(seconds) for seconds in waits] == [5, 60], waits
