"""Runs: timers, operations, incidents, repeated deliveries, and who is asked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from bpm.control import cancel_instance, mark_held, retry_instance, retry_step, skip_step
from bpm.definitions import bind_gate, publish_version
from bpm.engine.events import StaleEventError, TaskDone, TimerDue
from bpm.inbox import complete_task
from bpm.models import InstanceStatus, NodeRun, NodeStatus, ProcessEvent, UserTask, VersionStatus
from bpm.runner import advance_instance, begin
from bpm.working import carry_out
from crm.history.kinds import show_via
from crm.jobs.models import Job
from crm.jobs.run import JobDoubtful
from crm.notify.models import Notification
from crm.operations.registry import Input, Operation, OperationFailed, register_operation
from deals.models import RequestStatus
from deals.services import request_stage
from tests.factories.bpm import (
    chain,
    diagram,
    make_example,
    make_gate,
    make_version,
    make_waiting,
    run_of,
    service_task,
    task_of,
    user_task,
)
from tests.factories.deals import make_deal, make_funnel, make_stage

TIMER = (
    '<bpmn:intermediateCatchEvent id="Wait"><bpmn:timerEventDefinition><bpmn:timeDuration>PT2H</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
)
calls: list[tuple] = []


def flaky(context, mood):
    """Fails on request, after having written something."""
    context.record.name = f"touched {len(calls)}"
    context.record.save(update_fields=["name"])
    calls.append((mood, context.by.username, context.requester.username, show_via(context.via)))
    if mood == "refuse":
        raise OperationFailed("The moon is full.")
    if mood == "crash":
        raise RuntimeError("broken")
    return {"mood": mood}


@pytest.fixture(autouse=True)
def operation():
    calls.clear()
    register_operation(Operation("test.flaky", "Flaky", flaky, (Input("mood", "text", "Mood"),)))


def soon():
    """Late enough for jobs that a job has just asked for."""
    return timezone.now() + timedelta(seconds=30)


def move(deal, by, run_jobs):
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=by)
    run_jobs(now=soon())
    request.refresh_from_db()
    return request


def test_a_timer_lets_the_run_go_on_when_it_is_due(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(TIMER))
    deal = make_deal(rep)
    request = move(deal, rep, run_jobs)
    assert (run_of(deal).status, request.waits[0]["label"], request.waits[0]["due"] is not None) == (
        InstanceStatus.WAITING, "Wait", True,
    )  # fmt: skip
    run_jobs(now=timezone.now() + timedelta(minutes=119))
    assert run_of(deal).status == InstanceStatus.WAITING
    run_jobs(now=timezone.now() + timedelta(minutes=121))
    deal.refresh_from_db()
    assert (run_of(deal).status, deal.stage.key) == (InstanceStatus.COMPLETED, "proposal")


def test_cancelling_drops_the_timer(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(TIMER))
    deal = make_deal(rep)
    request = move(deal, rep, run_jobs)
    cancel_instance(instance=run_of(deal), reason="Not needed any more.", by=admin_user)
    request.refresh_from_db()
    assert (request.status, request.answer) == (RequestStatus.REFUSED, "Not needed any more.")
    assert Job.objects.get(kind="bpm.timer").status == Job.Status.CANCELLED


def test_an_operation_acts_for_the_publisher(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(service_task("Do", "test.flaky", mood="good")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    deal.refresh_from_db()
    assert calls == [("good", "admin", "rep", "Test process")]
    assert (deal.stage.key, deal.name) == ("proposal", "touched 0")


def test_a_refused_operation_is_undone_and_held(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(service_task("Do", "test.flaky", mood="refuse")))
    deal = make_deal(rep)
    request = move(deal, rep, run_jobs)
    deal.refresh_from_db()
    visit = NodeRun.objects.get(node="Do")
    assert (deal.name, run_of(deal).status, visit.status) == (
        "Service contract",
        InstanceStatus.INCIDENT,
        NodeStatus.INCIDENT,
    )
    assert visit.reason["params"]["problem"] == "The moon is full."
    assert request.waits[0]["label"] == "held up at “Do”"
    assert Notification.objects.get(kind="bpm.incident").user == admin_user


def test_a_crashing_operation_is_retried_and_then_held(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(service_task("Do", "test.flaky", mood="crash")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    assert (len(calls), run_of(deal).status) == (2, InstanceStatus.RUNNING)  # in the chain, then alone
    for minutes in (2, 8, 40):
        run_jobs(now=timezone.now() + timedelta(minutes=minutes))
    run_jobs(now=timezone.now() + timedelta(minutes=41))
    deal.refresh_from_db()
    assert (len(calls), run_of(deal).status, deal.name) == (5, InstanceStatus.INCIDENT, "Service contract")


def test_an_operator_retries_a_held_step(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(service_task("Do", "test.flaky", mood="${deal.name}")))
    deal = make_deal(rep, name="refuse")
    move(deal, rep, run_jobs)
    token = NodeRun.objects.get(node="Do").token
    deal.name = "good"
    deal.save(update_fields=["name"])
    retry_step(instance=run_of(deal), token=token, by=admin_user)
    run_jobs(now=soon())
    assert [mood for mood, *_rest in calls] == ["refuse", "good"]
    assert run_of(deal).status == InstanceStatus.COMPLETED
    with pytest.raises(ValidationError):
        retry_step(instance=run_of(deal), token=token, by=admin_user)


def test_an_operator_leaves_a_held_step_out(admin_user, head, rep, outsider, run_jobs):
    make_gate(admin_user, chain(service_task("Do", "test.flaky", mood="refuse")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    token = NodeRun.objects.get(node="Do").token
    for stranger in (rep, outsider):
        with pytest.raises(PermissionDenied):
            skip_step(instance=run_of(deal), token=token, reason="so", by=stranger)
    with pytest.raises(ValidationError):
        skip_step(instance=run_of(deal), token=token, reason=" ", by=head)
    skip_step(instance=run_of(deal), token=token, reason="Told them by phone.", by=head)
    deal.refresh_from_db()
    assert (run_of(deal).status, deal.stage.key) == (InstanceStatus.COMPLETED, "proposal")


def test_repeated_deliveries_change_nothing(admin_user, rep, run_jobs):
    body = chain(user_task("First"), service_task("Do", "test.flaky", mood="good"), user_task("Ask"))
    make_gate(admin_user, body)
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    complete_task(task=task_of(deal), by=rep)
    run_jobs(now=soon())
    instance, job = run_of(deal), Job.objects.get(kind="bpm.step")
    begin(instance_id=instance.pk)
    carry_out(instance_id=instance.pk, token=job.arguments["token"], call=job.arguments)
    with pytest.raises(StaleEventError):
        advance_instance(instance_id=instance.pk, event=TimerDue(job.arguments["token"]))
    assert (len(calls), run_of(deal).rev, UserTask.objects.count()) == (1, instance.rev, 2)


def test_rows_follow_the_state(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(user_task("Ask"), service_task("Do", "test.flaky", mood="good")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    assert list(NodeRun.objects.order_by("token").values_list("node", "status")) == [
        ("Start", "done"),
        ("Ask", "active"),
    ]
    complete_task(task=task_of(deal), by=rep)
    run_jobs(now=soon())
    assert list(NodeRun.objects.order_by("token").values_list("node", "status")) == [
        ("Start", "done"), ("Ask", "done"), ("Do", "done"), ("End_ok", "done"),
    ]  # fmt: skip
    assert NodeRun.objects.filter(ended_at=None).count() == 0
    numbers = list(ProcessEvent.objects.values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_circle_without_tasks_is_stopped(admin_user, rep, run_jobs):
    body = (
        '<bpmn:startEvent id="Start" /><bpmn:exclusiveGateway id="G" default="f3" /><bpmn:task id="T" />'
        '<bpmn:endEvent id="End_ok" />'
        '<bpmn:sequenceFlow id="f1" sourceRef="Start" targetRef="G" />'
        '<bpmn:sequenceFlow id="f3" sourceRef="G" targetRef="T" />'
        '<bpmn:sequenceFlow id="f2" sourceRef="G" targetRef="End_ok"><bpmn:conditionExpression>${deal.name == "x"}'
        '</bpmn:conditionExpression></bpmn:sequenceFlow><bpmn:sequenceFlow id="f4" sourceRef="T" targetRef="G" />'
    )
    version = make_version(admin_user, diagram(body), publish=False)
    assert version.errors[0]["code"] == "circle"
    version.is_publishable = True
    version.save()
    publish_version(version=version, by=admin_user)
    bind_gate(
        stage=make_funnel().stages.get(key="proposal"),
        definition=version.definition,
        granting_ends=["End_ok"],
        by=admin_user,
    )
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    run = run_of(deal)
    assert (run.status, NodeRun.objects.get(status=NodeStatus.INCIDENT).code) == (
        InstanceStatus.INCIDENT,
        "loop",
    )
    assert run.rev == 6  # 2,000 visits a transaction, then a new one


@pytest.mark.parametrize(
    ("assignee", "expected"),
    [
        ("requester", "rep"),
        ("owner", "rep"),
        ("head", "head"),
        ("teammate", "teammate"),
        ("${deal.owner}", "rep"),
        ("", "rep"),
    ],
)
def test_who_is_asked(admin_user, rep, run_jobs, assignee, expected):
    make_gate(admin_user, chain(user_task("Ask", assignee=assignee)))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    assert task_of(deal).assignee.username == expected


def test_the_head_himself_asks_the_one_above(admin_user, head, run_jobs):
    make_gate(admin_user, chain(user_task("Ask", assignee="head")))
    deal = make_deal(head)
    move(deal, head, run_jobs)
    assert task_of(deal).assignee == admin_user


@pytest.mark.parametrize("assignee", ["nobody", "outsider", "marketing"])
def test_nobody_who_could_do_it_is_an_incident(admin_user, rep, run_jobs, assignee):
    """Unknown, or may not see the deal."""
    make_gate(admin_user, chain(user_task("Ask", assignee=assignee)))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    assert (run_of(deal).status, NodeRun.objects.get(node="Ask").code) == (InstanceStatus.INCIDENT, "nobody")
    assert UserTask.objects.count() == 0


def test_running_runs_stay_on_their_version(admin_user, rep, run_jobs):
    gate = make_gate(admin_user, chain(user_task("Ask")))
    instance = make_waiting(rep)
    make_gate(admin_user, chain(user_task("Other")))
    assert list(gate.definition.versions.order_by("number").values_list("status", flat=True)) == [
        VersionStatus.RETIRED, VersionStatus.PUBLISHED,
    ]  # fmt: skip
    assert (instance.version.number, make_waiting(rep, name="Second").version.number) == (1, 2)
    complete_task(task=instance.tasks.get(), by=rep)
    assert instance.record().stage.key == "proposal"


def test_money_in_conditions_is_exact(admin_user, rep, head, run_jobs):
    make_example(admin_user, "contract_approval", "contract")
    below = make_waiting(rep, stage_key="contract", name="A", amount=Decimal("50000.00"))
    above = make_waiting(rep, stage_key="contract", name="B", amount=Decimal("50000.01"))
    assert (below.status, above.status) == (InstanceStatus.COMPLETED, InstanceStatus.WAITING)


def test_a_task_answered_by_the_engine_alone_is_refused(admin_user, rep):
    make_gate(admin_user, chain(user_task("Ask")))
    instance = make_waiting(rep)
    with pytest.raises(StaleEventError):
        advance_instance(instance_id=instance.pk, event=TaskDone(99))


def test_an_unanswered_contract_reminds_the_head_and_goes_on_waiting(admin_user, rep, head, run_jobs):
    make_example(admin_user, "contract_approval", "contract")
    run = make_waiting(rep, stage_key="contract", amount=Decimal(60_000))
    run_jobs(now=timezone.now() + timedelta(hours=25))
    run_jobs(now=timezone.now() + timedelta(hours=25))
    (told,) = Notification.objects.filter(kind="bpm.message")
    assert (told.user, told.sentence) == (
        head,
        "The contract of “Service contract” waits for your agreement.",
    )
    complete_task(task=run.tasks.get(), outcome="agree", by=head)
    assert (run.record().stage.key, run_of(run.record()).status) == ("contract", InstanceStatus.COMPLETED)


def test_an_answer_calls_the_reminder_off(admin_user, rep, head):
    make_example(admin_user, "contract_approval", "contract")
    run = make_waiting(rep, stage_key="contract", amount=Decimal(60_000))
    complete_task(task=run.tasks.get(), outcome="agree", by=head)
    assert Job.objects.get(kind="bpm.timer").status == Job.Status.CANCELLED


def test_a_gateway_without_conditions_asks_a_person(admin_user, rep):
    body = (
        '<bpmn:startEvent id="S" /><bpmn:exclusiveGateway id="G" name="Ready?" /><bpmn:endEvent id="End_ok" />'
        '<bpmn:endEvent id="End_no" /><bpmn:sequenceFlow id="a" sourceRef="S" targetRef="G" />'
        '<bpmn:sequenceFlow id="y" name="yes" sourceRef="G" targetRef="End_ok" />'
        '<bpmn:sequenceFlow id="n" name="no" sourceRef="G" targetRef="End_no" />'
    )
    make_gate(admin_user, body)
    run = make_waiting(rep)
    task = run.tasks.get()
    assert (task.name, task.is_choice, task.assignee) == ("Ready?", True, rep)
    with pytest.raises(ValidationError):
        complete_task(task=task, outcome="elsewhere", by=rep)
    complete_task(task=task, outcome="n", by=rep)
    run.request.refresh_from_db()
    assert (run.request.status, run.request.answer) == (RequestStatus.REFUSED, "End_no")


def test_an_external_operation_is_called_outside_and_recorded_after(admin_user, rep, run_jobs):
    def send(context):
        calls.append(("sent", len(connection.savepoint_ids)))
        return {}

    register_operation(Operation("test.send", "Send", send, external=True))
    make_gate(admin_user, chain(service_task("Send", "test.send")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    deal.refresh_from_db()
    assert ([call[0] for call in calls], deal.stage.key) == (["sent"], "proposal")
    assert Job.objects.get(kind="bpm.call").status == Job.Status.DONE


def test_a_doubtful_call_is_held_for_an_operator(admin_user, rep, run_jobs):
    def send(context):
        raise JobDoubtful("no answer")

    register_operation(Operation("test.doubt", "Doubt", send, external=True))
    make_gate(admin_user, chain(service_task("Send", "test.doubt")))
    deal = make_deal(rep)
    move(deal, rep, run_jobs)
    run_jobs(now=soon())
    assert (run_of(deal).status, NodeRun.objects.get(node="Send").code) == (
        InstanceStatus.INCIDENT,
        "doubtful",
    )


def test_a_run_that_never_got_going_is_held_and_can_be_retried(admin_user, rep, head, run_jobs):
    make_gate(admin_user, chain(user_task("Ask")))
    deal = make_deal(rep)
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    mark_held(instance_id=run_of(deal).pk, message="broken")
    assert run_of(deal).status == InstanceStatus.INCIDENT
    retry_instance(instance=run_of(deal), by=head)
    run_jobs(now=soon())
    assert (run_of(deal).status, task_of(deal).assignee) == (InstanceStatus.WAITING, rep)
