"""Every waiting step says for whom or what it waits, since when and until when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bpm.models import graph_of
from bpm.run_pages import run_list, steps_of
from crm.jobs.models import Job
from crm.operations.registry import Input, Operation, register_operation
from tests.factories.bpm import chain, make_gate, make_waiting, run_of, service_task, user_task


def catch(trigger: str) -> str:
    return f'<bpmn:intermediateCatchEvent id="Wait">{trigger}</bpmn:intermediateCatchEvent>'


TIMER = catch(
    "<bpmn:timerEventDefinition><bpmn:timeDuration>PT2H</bpmn:timeDuration></bpmn:timerEventDefinition>"
)


def waiting_step(instance):
    (step,) = [step for step in steps_of(instance, graph_of(instance.version)) if step.is_open]
    return step


def break_down(context, mood):
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (user_task("Ask"), "Waits for Radek Rep"),
        (user_task("Ask", assignee="", attributes='crm:candidateRole="seller"'), "Waits for "),
        (TIMER, "Waits for its time"),
        (service_task("Do", "test.broken", mood="x"), "Waits for a worker of the server"),
    ],
)
def test_what_a_step_waits_for(admin_user, rep, element, expected):
    register_operation(Operation("test.broken", "Broken", break_down, (Input("mood", "text", "Mood"),)))
    make_gate(admin_user, chain(element))
    instance = make_waiting(rep)
    step = waiting_step(instance)
    if element.startswith("<bpmn:userTask"):
        expected = f"Waits for {instance.tasks.get().holder}"
    assert (step.sentence, step.since_text.startswith("since ")) == (expected, True)
    (row,) = run_list(admin_user, {})["rows"]
    assert [each.sentence for each in row.waiting] == [expected]


def test_a_timer_says_until_when(admin_user, rep):
    make_gate(admin_user, chain(TIMER))
    step = waiting_step(make_waiting(rep))
    assert step.until - step.since == timedelta(hours=2)
    assert ", until " in step.since_text


def test_a_retried_job_says_why_and_when(admin_user, rep, run_jobs):
    register_operation(Operation("test.broken", "Broken", break_down, (Input("mood", "text", "Mood"),)))
    make_gate(admin_user, chain(service_task("Do", "test.broken", mood="x")))
    instance = make_waiting(rep)
    run_jobs(now=timezone.now() + timedelta(seconds=5))
    job = Job.objects.get(kind="bpm.step")
    sentence = waiting_step(run_of(instance.record())).sentence
    assert job.attempts == 1
    assert sentence.startswith("Attempt 1 failed (RuntimeError: broken); the next one is on ")
