"""kill -9 between and inside slices: nothing is lost, nothing is done twice."""

import time

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def kill_after(actors, marks: list[str]) -> None:
    """Starts a worker, waits until it prints each of these in turn, and kills it at the last."""
    worker = actors.start_worker()
    for mark in marks:
        for line in worker.stdout:
            if line.strip() == mark:
                break
    worker.kill()
    worker.wait()


def wait_until_ended(actors, count: int) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        jobs = actors.jobs()
        if len(jobs) == count and all(status not in ("due", "running") for _, status in jobs):
            return
        time.sleep(0.1)
    raise AssertionError(f"still open: {jobs}")


def test_slices_are_committed_once(actors):
    actors.do("enqueue", "test.slices", "12")
    kill_after(actors, ["inside 0"])
    kill_after(actors, ["committed 3"])
    kill_after(actors, ["inside 7"])
    kill_after(actors, ["committed 8"])
    kill_after(actors, ["committed 9"])
    actors.start_worker()
    wait_until_ended(actors, 1)
    assert actors.effects() == [("slice", step) for step in range(12)]
    assert actors.jobs() == [("test.slices", "done")]


def test_atomic_steps_happen_exactly_once(actors):
    actors.do("enqueue", "test.chain", "10")
    kill_after(actors, ["inside 0"])
    kill_after(actors, ["inside 4"])
    kill_after(actors, ["inside 9"])
    actors.start_worker()
    wait_until_ended(actors, 10)
    assert actors.effects() == [("chain", step) for step in range(10)]
    assert actors.jobs() == [("test.chain", "done")] * 10


def test_two_workers_share_without_doubling(actors):
    actors.do("enqueue", "test.slices", "4", "6")
    actors.start_worker()
    actors.start_worker()
    wait_until_ended(actors, 6)
    assert actors.effects() == sorted(("slice", step) for step in range(4) for _ in range(6))


def test_a_slow_worker_keeps_its_lease(actors):
    actors.do("enqueue", "test.slow", "1")
    actors.start_worker()
    actors.start_worker()
    wait_until_ended(actors, 1)
    assert actors.effects() == [("slow", 0)]
    assert actors.place.select("SELECT status, attempts FROM jobs_job WHERE kind = 'test.slow'") == [
        ("done", 1)
    ]


def test_a_half_sent_mail_is_doubtful(actors):
    actors.do("enqueue", "test.external", "1")
    worker = actors.start_worker()
    assert worker.stdout.readline().startswith("sending")
    worker.kill()
    worker.wait()
    actors.start_worker()
    wait_until_ended(actors, 1)
    assert actors.jobs() == [("test.external", "doubtful")]


def test_eight_threads_asking_for_one_key_make_one_job(actors):
    assert actors.do("race", "8", "10") == "errors: []\n"
    assert actors.jobs() == [("test.external", "due")]
