"""`manage.py bench_processes [--runs 50]`: what one worker manages in a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from random import Random

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from bpm.definitions import publish_version, upload_diagram
from bpm.effects import TIMER
from bpm.inbox import complete_task
from bpm.models import InstanceStatus, NodeRun, ProcessInstance, ProcessVersion, UserTask
from bpm.triggers import start_run
from crm.jobs import worker
from crm.jobs.models import Job
from crm.people.models import User
from crm.web.bench.measuring import DatabaseClock
from deals.models import Deal

STEPS = 10
_SHELL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:crm="https://contentum.example/bpmn/crm" id="d" targetNamespace="https://contentum.example/bpmn/processes">
  <bpmn:process id="bench_{kind}" name="{kind}" crm:object="deals.deal" isExecutable="true">{body}</bpmn:process>
</bpmn:definitions>"""
_OPERATION = (
    '<bpmn:serviceTask id="S{rank}" name="S{rank}" crm:operation="deals.set_field"><bpmn:extensionElements>'
    '<crm:input name="field" value="name" /><crm:input name="value" value="Step {rank}" />'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)
_MESSAGE = (
    '<bpmn:serviceTask id="S{rank}" name="S{rank}" crm:operation="notify.user"><bpmn:extensionElements>'
    '<crm:input name="user" value="owner" /><crm:input name="text" value="Step {rank}" />'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)
_TASK = '<bpmn:userTask id="S{rank}" name="S{rank}" crm:assignee="requester" />'
_TIMER = (
    '<bpmn:intermediateCatchEvent id="S{rank}"><bpmn:timerEventDefinition><bpmn:timeDuration>PT0.001S'
    "</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
)
_HOUR = _TIMER.replace("PT0.001S", "PT1H")


class Command(BaseCommand):
    help = "Measures processes of ten steps in a database of their own, which is dropped again."

    def add_arguments(self, parser):
        parser.add_argument("--runs", type=int, default=50)
        parser.add_argument(
            "--timers", type=int, default=0, help="So many timers that came due while nothing ran."
        )

    def handle(self, *args, runs: int, timers: int, **options):
        settings.JOBS_RING, settings.DEMO = False, True
        with _database_of_its_own():
            worker.drain(seconds=600)  # what the demo data left to be done is not measured
            self.stdout.write(f"{connection.vendor}, one worker, {runs} runs of {STEPS} steps each")
            self.stdout.write(
                f"{'steps are':<28} {'steps/s':>8} {'runs/s':>8} {'queries a step':>15} {'CPU ms a step':>14}"
            )
            for label, kind, element in (
                ("operations (a message)", "messages", _MESSAGE),
                ("operations (set a field)", "operations", _OPERATION),
                ("people's tasks", "tasks", _TASK),
                ("timers", "timers", _TIMER),
            ):
                self._measure(label, kind, element, runs)
            if timers:
                self._measure_backlog(timers)

    def _measure_backlog(self, count: int) -> None:
        """Timers that came due, each at a moment of its own, in an hour in which no worker ran."""
        version = _published("backlog", _HOUR, steps=1)
        earlier = set(Job.objects.filter(kind=TIMER).values_list("pk", flat=True))
        deals, requester = list(Deal.objects.order_by("pk")[:100]), User.objects.get(username="admin")
        for number in range(count):
            start_run(definition=version.definition, record=deals[number % len(deals)], by=requester)
        worker.drain(seconds=3600)
        begun = timezone.now()
        waiting = Job.objects.filter(kind=TIMER).exclude(pk__in=earlier)
        for place, pk in enumerate(Random(1).sample(list(waiting.values_list("pk", flat=True)), count)):
            waiting.filter(pk=pk).update(run_at=begun - timedelta(hours=1) * (place + 1) / count)
        seconds, _cpu, queries = _timed(lambda: worker.drain(seconds=3600))
        self._demand_in_order(version, count)
        self.stdout.write(
            f"{count} timers that came due in an hour: {seconds:.1f} s, {count / seconds:.0f} a second, each once, in "
            f"the order in which they came due, {queries / count:.1f} queries each"
        )

    @staticmethod
    def _demand_in_order(version: ProcessVersion, count: int) -> None:
        fired = NodeRun.objects.filter(instance__version=version, node="S0", status="done").order_by(
            "ended_at", "pk"
        )
        due = {
            job.arguments["instance"]: job.run_at
            for job in Job.objects.filter(kind=TIMER, status=Job.Status.DONE)
        }
        moments = [due[pk] for pk in fired.values_list("instance_id", flat=True)]
        if len(moments) != count or moments != sorted(moments):
            raise RuntimeError(f"{len(moments)} of {count} timers fired, not each once and in order.")

    def _measure(self, label: str, kind: str, element: str, runs: int) -> None:
        version = _published(kind, element)
        deals = list(Deal.objects.order_by("pk")[:100])
        requester = User.objects.get(username="admin")
        for number in range(runs):
            start_run(
                definition=version.definition, record=deals[number % len(deals)], by=requester,
                start_key=f"bench:{version.pk}:{number}",
            )  # fmt: skip
        seconds, cpu, queries = _timed(lambda: _work_off(version))
        ended = ProcessInstance.objects.filter(version=version, status=InstanceStatus.COMPLETED).count()
        steps = NodeRun.objects.filter(instance__version=version, node__startswith="S", status="done")
        steps = steps.exclude(node="Start").count()
        if (ended, steps) != (runs, runs * STEPS):
            raise RuntimeError(f"Only {ended} of {runs} runs ended, with {steps} steps.")
        self.stdout.write(
            f"{label:<28} {steps / seconds:>8.1f} {runs / seconds:>8.1f} {queries / steps:>15.1f} "
            f"{cpu * 1000 / steps:>14.1f}"
        )


@contextmanager
def _database_of_its_own() -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    with redirect_stdout(StringIO()):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        call_command("demo", stdout=StringIO())
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _published(kind: str, element: str, steps: int = STEPS) -> ProcessVersion:
    ids = ["Start", *(f"S{rank}" for rank in range(steps)), "End"]
    parts = ['<bpmn:startEvent id="Start" />', *(element.format(rank=rank) for rank in range(steps))]
    parts += ['<bpmn:endEvent id="End" />']
    parts += [
        f'<bpmn:sequenceFlow id="f{rank}" sourceRef="{source}" targetRef="{target}" />'
        for rank, (source, target) in enumerate(pairwise(ids))
    ]
    by = User.objects.get(username="admin")
    data = _SHELL.format(kind=kind, body="".join(parts)).encode()
    (version,) = upload_diagram(data=data, file_name="bench.bpmn", by=by).versions
    return publish_version(version=version, by=by)


def _work_off(version: ProcessVersion) -> None:
    """The worker, and people who do their tasks at once, until every run has ended."""
    live = ProcessInstance.objects.filter(version=version, ended_at=None)
    while live.exists():
        worker.drain(now=timezone.now(), seconds=600)
        for task in UserTask.objects.open().filter(instance__version=version).select_related("assignee"):
            complete_task(task=task, by=task.assignee)


def _timed(act: Callable[[], None]) -> tuple[float, float, int]:
    """Seconds by the wall, seconds of processor (ours and the database's), and queries."""
    count, clock = 0, DatabaseClock()

    def counting(execute, sql, params, many, context):
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    begun, cpu = time.perf_counter(), time.process_time() + clock.read_ms() / 1000
    with connection.execute_wrapper(counting):
        act()
    spent = time.process_time() + clock.read_ms() / 1000 - cpu
    return time.perf_counter() - begun, spent, count
