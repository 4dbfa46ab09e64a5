"""Processes that would harm the server or whoever looks at them: what is drawn, and what other servers answer."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from bpm.engine.checking import check
from bpm.models import InstanceStatus, NodeRun, ProcessInstance
from bpm.triggers import start_run
from crm.operations.registry import Input, Operation, OperationFailed, register_operation
from tests.factories.bpm import chain, diagram, make_gate, make_version, make_waiting, service_task, user_task
from tests.factories.deals import make_deal

PAYLOADS = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>')


def work_off(run_jobs):
    run_jobs(now=timezone.now() + timedelta(seconds=1))


def test_a_process_that_calls_itself_is_held_ten_calls_deep(admin_user, rep, run_jobs):
    call = '<bpmn:callActivity id="Call" calledElement="itself" />'
    version = make_version(admin_user, diagram(chain(call), key="itself"))
    start_run(definition=version.definition, record=make_deal(rep), by=rep)
    work_off(run_jobs)
    assert ProcessInstance.objects.count() == 11
    held = NodeRun.objects.get(status="incident")
    deepest = ProcessInstance.objects.latest("pk")
    assert (held.instance, held.code, deepest.status) == (deepest, "depth", InstanceStatus.INCIDENT)
    work_off(run_jobs)
    assert ProcessInstance.objects.count() == 11


def answering(reply):
    """An operation on another server that answers with this text, or fails with it."""

    def answer(context, fails):
        if fails == "yes":
            raise OperationFailed(reply)
        return {"reply": reply}

    inputs = (Input("fails", "text", "Fails"),)
    register_operation(Operation("test.reply", "Reply", answer, inputs, external=True))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_another_server_answers_is_shown_as_text(admin_user, rep, run_jobs, signed_in, payload):
    answering(payload)
    kept = '<crm:output name="reply" variable="reply" /></bpmn:extensionElements>'
    asking = service_task("Ask", "test.reply", fails="no").replace("</bpmn:extensionElements>", kept)
    make_gate(admin_user, chain(asking, user_task("Look")))
    run = make_waiting(rep)
    work_off(run_jobs)
    page = signed_in(admin_user).get(reverse("bpm:instance_detail", args=[run.pk]))
    assert ("reply", payload) in [(each.name, each.text) for each in page.context["variables"]]
    assert (payload in page.text, escape(payload) in page.text) == (False, True)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_why_another_server_failed_is_shown_as_text(admin_user, rep, run_jobs, signed_in, payload):
    answering(payload)
    make_gate(admin_user, chain(service_task("Ask", "test.reply", fails="yes")))
    run = make_waiting(rep)
    work_off(run_jobs)
    page = signed_in(admin_user).get(reverse("bpm:instance_detail", args=[run.pk]))
    assert payload in json.loads(page.context["marks"])["Ask"]["lines"][1]
    assert (payload in page.text, escape(payload) in page.text) == (False, True)


def test_a_flow_into_another_pool_is_refused():
    data = diagram(
        '<bpmn:startEvent id="Start" /><bpmn:endEvent id="End" /><bpmn:sequenceFlow id="f" sourceRef="Start"'
        ' targetRef="Other" /><bpmn:sequenceFlow id="g" sourceRef="Start" targetRef="End" />'
    ).replace(b"</bpmn:definitions>", b'<bpmn:process id="p2" isExecutable="true"><bpmn:endEvent id="Other" />'
              b"</bpmn:process></bpmn:definitions>")  # fmt: skip
    report = check(data)
    assert report.verdict != "publishable"
    assert [each.element for each in report.findings if each.severity == "error"][:1] == ["f"]
