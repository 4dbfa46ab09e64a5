"""Runs that speak to each other: messages, signals, called processes, repeated tasks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bpm import exchange
from bpm.control import cancel_instance
from bpm.engine.events import Escalated
from bpm.inbox import complete_task
from bpm.models import InstanceStatus, NodeRun, ProcessEvent, ProcessInstance, Subscription, UserTask
from bpm.runner import advance_instance
from crm.jobs.models import Job
from deals.services import request_stage
from telephony.services import attach_call
from tests.factories.bpm import (
    chain,
    diagram,
    make_gate,
    make_version,
    make_waiting,
    run_of,
    task_of,
    user_task,
)
from tests.factories.deals import make_deal, make_stage
from tests.factories.telephony import make_connection, play_flow

MESSAGE = (
    '<bpmn:intermediateCatchEvent id="Hear" name="answer" {key}><bpmn:messageEventDefinition />'
    "</bpmn:intermediateCatchEvent>"
)
SIGNAL = MESSAGE.replace("message", "signal").replace("answer", "alarm").format(key="")
CALL = '<bpmn:callActivity id="Call" calledElement="inner">{inner}</bpmn:callActivity>'


def send(kind, name, extra=""):
    return (
        f'<bpmn:intermediateThrowEvent id="Say" name="{name}" {extra}><bpmn:extensionElements>'
        f'<crm:input name="said" value="${{deal.name}}" /></bpmn:extensionElements><bpmn:{kind}EventDefinition />'
        "</bpmn:intermediateThrowEvent>"
    )


def soon():
    return timezone.now() + timedelta(seconds=30)


@pytest.fixture
def start_run(admin_user, rep, run_jobs):
    """Publishes a chain of elements as a process and starts it on a deal: start_run(key, deal, *middle)."""

    def start(key, deal, *middle):
        version = make_version(admin_user, diagram(chain(*middle), key=key))
        run = ProcessInstance.objects.create(
            version=version, record_kind="deals.deal", record_id=deal.pk, started_by=rep, start_key=key
        )
        exchange.enqueue(kind="bpm.start", key=str(run.pk), args={"instance": run.pk})
        run_jobs(now=soon())
        run.refresh_from_db()
        return run

    return start


def test_a_message_reaches_the_run_that_waits_on_the_same_record(rep, run_jobs, start_run):
    deal, other = make_deal(rep, name="Ours"), make_deal(rep, name="Theirs")
    elsewhere = start_run("elsewhere", other, MESSAGE.format(key=""))
    waiting = start_run("waiting", deal, MESSAGE.format(key=""))
    assert (waiting.status, Subscription.objects.filter(name="answer").count()) == (InstanceStatus.WAITING, 2)
    start_run("sending", deal, send("message", "answer"))
    run_jobs(now=soon())
    waiting.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (waiting.status, waiting.variables["said"]) == (InstanceStatus.COMPLETED, "Ours")
    assert elsewhere.status == InstanceStatus.WAITING
    assert list(Subscription.objects.values_list("instance_id", flat=True)) == [elsewhere.pk]


def test_a_message_finds_its_receiver_by_key_and_waits_until_there_is_one(rep, run_jobs, start_run):
    """It was sent before anybody waited for it: nothing is lost, nothing is delivered twice."""
    deal, other = make_deal(rep, name="Ours"), make_deal(rep, name="Theirs")
    start_run("sending", deal, send("message", "answer", 'crm:correlationKey="k7"'))
    run_jobs(now=soon())
    receiver = start_run("waiting", other, MESSAGE.format(key='crm:correlationKey="k7"'))
    assert receiver.status == InstanceStatus.WAITING
    run_jobs(now=timezone.now() + timedelta(minutes=2))
    receiver.refresh_from_db()
    assert (receiver.status, receiver.variables["said"]) == (InstanceStatus.COMPLETED, "Ours")
    assert Job.objects.filter(kind=exchange.MESSAGE).exclude(status=Job.Status.DONE).count() == 0


def test_a_message_for_nobody_is_given_up_in_the_end(rep, run_jobs, start_run):
    start_run("sending", make_deal(rep), send("message", "answer"))
    for hours in (1, 2, 9, 20):
        run_jobs(now=timezone.now() + timedelta(hours=hours))
    assert Job.objects.filter(kind=exchange.MESSAGE).count() == 1 + len(exchange.PATIENCE)
    assert Job.objects.filter(kind=exchange.MESSAGE).exclude(status=Job.Status.DONE).count() == 0


def test_a_signal_is_heard_by_every_run(rep, run_jobs, start_run):
    runs = [start_run(f"listening{number}", make_deal(rep, name=f"D{number}"), SIGNAL) for number in range(2)]
    start_run("shouting", make_deal(rep, name="Loud"), send("signal", "alarm"))
    run_jobs(now=soon())
    run_jobs(now=soon())
    for run in runs:
        run.refresh_from_db()
    assert [run.status for run in runs] == [InstanceStatus.COMPLETED] * 2
    assert Subscription.objects.count() == 0


def calling(admin_user, rep, run_jobs, inner, *, outputs="", gate=True):
    make_version(admin_user, diagram(chain(inner), key="inner", name="Inner"))
    make_gate(admin_user, chain(CALL.format(inner=outputs)))
    deal = make_deal(rep)
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    for _round in range(3):
        run_jobs(now=soon())
    return (
        deal,
        ProcessInstance.objects.get(parent=None),
        ProcessInstance.objects.exclude(parent=None).first(),
    )


OUT = '<bpmn:extensionElements><crm:output name="Ask_outcome" variable="answer" /></bpmn:extensionElements>'
ASK = user_task("Ask", form='<crm:outcome key="yes" /><crm:outcome key="no" />')


def test_a_called_process_runs_and_gives_back_what_is_drawn(admin_user, rep, run_jobs):
    deal, caller, child = calling(admin_user, rep, run_jobs, ASK, outputs=OUT)
    assert (caller.status, child.parent_token, child.request) == (InstanceStatus.WAITING, 2, None)
    assert exchange.depth_of(child) == 1
    complete_task(task=task_of(deal), outcome="yes", by=rep)
    run_jobs(now=soon())
    caller.refresh_from_db()
    deal.refresh_from_db()
    assert (caller.status, caller.variables["answer"], deal.stage.key) == (
        InstanceStatus.COMPLETED, "yes", "proposal",
    )  # fmt: skip


def test_calling_off_the_caller_calls_off_the_called(admin_user, rep, run_jobs):
    _deal, caller, child = calling(admin_user, rep, run_jobs, ASK)
    cancel_instance(instance=caller, reason="Enough.", by=admin_user)
    run_jobs(now=soon())
    child.refresh_from_db()
    assert child.status == InstanceStatus.CANCELLED
    assert UserTask.objects.open().count() == 0


def test_a_called_process_that_is_called_off_holds_its_caller(admin_user, rep, run_jobs):
    _deal, caller, child = calling(admin_user, rep, run_jobs, ASK)
    cancel_instance(instance=child, reason="Enough.", by=admin_user)
    run_jobs(now=soon())
    caller.refresh_from_db()
    assert caller.status == InstanceStatus.INCIDENT


def test_an_unknown_process_is_an_incident(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(CALL.format(inner="")))
    run = make_waiting(rep)
    visit = NodeRun.objects.get(instance=run, node="Call")
    assert (run.status, visit.code) == (InstanceStatus.INCIDENT, "call")


def test_an_escalation_nobody_catches_rises_to_the_caller(admin_user, rep, run_jobs):
    _deal, caller, child = calling(admin_user, rep, run_jobs, ASK)
    token = child.tasks.get().node_run.token
    advance_instance(instance_id=child.pk, event=Escalated(token, "late"))
    run_jobs(now=soon())
    seen = ProcessEvent.objects.filter(kind="escalated").values_list("instance_id", "data__caught")
    assert sorted(seen) == sorted([(child.pk, False), (caller.pk, False)])


def test_everybody_of_a_list_gets_a_task_of_their_own(admin_user, rep, teammate, head, run_jobs):
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics crm:collection="[&quot;rep&quot;, &quot;head&quot;]" crm:element="who"'
        ' crm:outputCollection="answers" crm:outputElement="outcome" />'
    )
    task = ASK.replace('crm:assignee="requester"', 'crm:assignee="${who}"').replace(
        "</bpmn:userTask>", f"{loop}</bpmn:userTask>"
    )
    make_gate(admin_user, chain(task))
    run = make_waiting(rep)
    mine = {each.assignee.username: each for each in run.tasks.open()}
    assert sorted(mine) == ["head", "rep"]
    assert [visit.loop_index for visit in NodeRun.objects.filter(node="Ask").order_by("token")] == [
        None,
        0,
        1,
    ]
    complete_task(task=mine["head"], outcome="no", by=head)
    complete_task(task=mine["rep"], outcome="yes", by=rep)
    run = run_of(run.record())
    assert (run.status, run.variables["answers"]) == (InstanceStatus.COMPLETED, ["yes", "no"])


# Calls of the record


def test_every_run_that_waits_for_a_call_of_its_card_hears_of_it_once(start_run, admin_user, rep, run_jobs):
    connection, mine, other = make_connection(admin_user, [rep]), make_deal(rep), make_deal(rep, name="Other")
    listen = MESSAGE.replace("answer", "call ended").format(key="")
    first, second, elsewhere = (
        start_run(f"k{place}", deal, listen) for place, deal in enumerate((mine, mine, other))
    )
    attach_call(call=play_flow(connection, "incoming_answered", until=10), cards={"deal": mine}, by=rep)
    for _ in range(2):
        play_flow(connection, "incoming_answered")
        run_jobs(now=soon())
    for run in (first, second, elsewhere):
        run.refresh_from_db()
    assert [run.status for run in (first, second, elsewhere)] == ["completed", "completed", "waiting"]
    assert first.variables["call_result"] == "answered"
    start_run("late", mine, listen)
    run_jobs(now=soon())
    assert Subscription.objects.count() == 2
