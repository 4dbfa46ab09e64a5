"""A process of its own for the tests that kill it: `actor.py setup | enqueue … | race … | work`."""

import os
import sys
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ["CRM_RING"] = "0"
django.setup()

from django.db import connection, transaction  # noqa: E402

from crm.jobs import worker  # noqa: E402
from crm.jobs.registry import handler  # noqa: E402
from crm.jobs.services import enqueue  # noqa: E402


def effect(name: str, step: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect (name, step) VALUES (%s, %s)", [name, step])


@handler("test.slices")
def slices(run):
    """Many slices: the parent kills this process somewhere in or between them."""
    for step in range(run.checkpoint.get("step", 0), run.args["steps"]):
        with run.slice():
            effect("slice", step)
            run.save(checkpoint={"step": step + 1}, done=step + 1)
            print("inside", step, flush=True)
            time.sleep(0.01)
        print("committed", step, flush=True)
        time.sleep(0.01)


@handler("test.chain", atomic=True)
def chain(run):
    """A step that plans the next one, as a process does."""
    step = run.args["step"]
    effect("chain", step)
    if step + 1 < run.args["steps"]:
        enqueue(kind="test.chain", key=f"chain:{step + 1}", args={**run.args, "step": step + 1})
    print("inside", step, flush=True)
    time.sleep(0.02)


@handler("test.external", external=True)
def external(run):
    print("sending", run.job.pk, flush=True)
    time.sleep(60)


@handler("test.slow")
def slow(run):
    """Longer than its lease, which a thread keeps alive meanwhile."""
    print("thinking", flush=True)
    time.sleep(4)
    with run.slice():
        effect("slow", 0)


def setup() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS effect (name varchar(20), step integer)")
        cursor.execute("DELETE FROM effect")
        cursor.execute("DELETE FROM jobs_job")


def work() -> None:
    while True:
        worker.sweep()
        worker.drain(seconds=2)
        time.sleep(0.05)


def race(threads: str, rounds: str) -> None:
    """Everybody asks for the same key, inside transactions, as often as `rounds` says."""
    errors = []

    def ask() -> None:
        try:
            for _ in range(int(rounds)):
                with transaction.atomic():
                    enqueue(kind="test.external", key="the one")
        except Exception as error:
            errors.append(repr(error))
        finally:
            connection.close()

    crowd = [threading.Thread(target=ask) for _ in range(int(threads))]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    print("errors:", errors)


def ask_for(kind: str, steps: str, count: str = "1") -> None:
    for _ in range(int(count)):
        enqueue(kind=kind, args={"steps": int(steps), "step": 0})


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"setup": setup, "enqueue": ask_for, "race": race, "work": work}[verb](*rest)
