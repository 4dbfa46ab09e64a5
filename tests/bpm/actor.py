"""A process of its own for the test that kills it: `actor.py setup COUNT | work`.

With KILL_AT=n it sends itself SIGKILL at the n-th of the moments that matter: inside an operation, after a step's
rows are written but not committed, and right after a commit.
"""

import os
import signal
import sys
import time
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ["CRM_RING"] = "0"
django.setup()

from django.db import connection, transaction  # noqa: E402

from bpm import runner  # noqa: E402
from bpm.inbox import complete_task  # noqa: E402
from bpm.models import UserTask  # noqa: E402
from crm.jobs import worker  # noqa: E402
from crm.operations.registry import Input, Operation, register_operation  # noqa: E402
from tests.factories.bpm import make_gate, service_task, user_task  # noqa: E402

remaining = int(os.environ.get("KILL_AT", "0"))


def moment() -> None:
    """Perhaps the last one."""
    global remaining
    remaining -= 1
    if remaining == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def mark(context, name):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect (name, deal) VALUES (%s, %s)", [name, context.record.pk])
    moment()
    return {}


def watched_step(*args, _step=runner.take_step, **kwargs):
    """The real step, with a moment before its commit and one after it."""
    _step(*args, **kwargs)
    moment()
    transaction.on_commit(moment)


for module in ("bpm.runner", "bpm.working", "bpm.control"):
    module = sys.modules.get(module) or __import__(module, fromlist=["x"])
    if hasattr(module, "take_step"):
        module.take_step = watched_step

register_operation(Operation("test.mark", "Mark", mark, (Input("name", "text", "Name"),)))


def body() -> str:
    """A task, then two branches of operations that meet again, a timer, and one more operation."""
    timer = (
        '<bpmn:intermediateCatchEvent id="T"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1S</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )
    nodes = [
        '<bpmn:startEvent id="S" />',
        user_task("Ask"),
        '<bpmn:parallelGateway id="Split" />',
        *(service_task(name, "test.mark", name=name) for name in ("A", "B", "C", "D")),
        '<bpmn:parallelGateway id="Join" />',
        timer,
        '<bpmn:endEvent id="End_ok" />',
    ]
    ways = [
        "S Ask",
        "Ask Split",
        "Split A",
        "Split B",
        "A C",
        "C Join",
        "B Join",
        "Join T",
        "T D",
        "D End_ok",
    ]
    flows = [
        '<bpmn:sequenceFlow id="f{}" sourceRef="{}" targetRef="{}" />'.format(rank, *way.split())
        for rank, way in enumerate(ways)
    ]
    return "".join(nodes + flows)


def setup(count: str) -> None:
    """So many deals whose move waits; their runs have not begun."""
    from deals.services import request_stage
    from tests.factories.deals import make_deal, make_funnel
    from tests.factories.people import make_company

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (name varchar(20), deal bigint)")
    company = make_company()
    make_gate(company["admin"], body())
    deal = make_deal(company["rep"], amount=Decimal(1))
    stage = make_funnel().stages.get(key="proposal")
    for number in range(int(count)):
        other = make_deal(company["rep"], name=f"Deal {number}", counterparty=deal.counterparty)
        request_stage(deal=other, stage=stage, by=company["rep"])


def work() -> None:
    """The worker, and people who do what they are asked."""
    while True:
        worker.sweep()
        worker.drain(seconds=1)
        for task in UserTask.objects.open().select_related("assignee")[:2]:
            complete_task(task=task, by=task.assignee)
        time.sleep(0.02)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"setup": setup, "work": work}[verb](*rest)
