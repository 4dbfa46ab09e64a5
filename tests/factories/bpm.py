"""Processes: the shipped examples and small diagrams, uploaded, published and bound through the services."""

from itertools import pairwise
from pathlib import Path

from django.conf import settings

from bpm.definitions import bind_gate, publish_version, upload_diagram
from bpm.models import ProcessInstance, ProcessVersion, StageGate, UserTask
from bpm.runner import begin
from deals.services import request_stage
from tests.factories.deals import make_deal, make_funnel

EXAMPLES = Path(settings.BASE_DIR) / "bpm" / "examples"
GRANTS = {"commercial_offer": ["End_offer_attached"], "contract_approval": ["End_agreed"]}

_SHELL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:crm="https://contentum.example/bpmn/crm" id="d" targetNamespace="https://contentum.example/bpmn/processes">
  <bpmn:process id="{key}" name="{name}" crm:object="deals.deal" isExecutable="true">{body}</bpmn:process>
</bpmn:definitions>"""


def chain(*middle: str) -> str:
    """start → these elements in a row → end `End_ok`; each element is written with `id="…"` first."""
    ids = ["Start", *(part.split('id="', 1)[1].split('"', 1)[0] for part in middle), "End_ok"]
    flows = [
        f'<bpmn:sequenceFlow id="f{rank}" sourceRef="{source}" targetRef="{target}" />'
        for rank, (source, target) in enumerate(pairwise(ids))
    ]
    return "".join(['<bpmn:startEvent id="Start" />', *middle, '<bpmn:endEvent id="End_ok" />', *flows])


def diagram(body: str, *, key: str = "test_process", name: str = "Test process") -> bytes:
    """A BPMN file with one process on deals."""
    return _SHELL.format(key=key, name=name, body=body).encode()


def user_task(key: str, *, assignee: str = "requester", form: str = "", attributes: str = "") -> str:
    """A user task; `form` holds crm:field and crm:outcome elements."""
    inner = f"<bpmn:extensionElements><crm:form>{form}</crm:form></bpmn:extensionElements>" if form else ""
    who = f'crm:assignee="{assignee}"' if assignee else ""
    return f'<bpmn:userTask id="{key}" name="{key}" {who} {attributes}>{inner}</bpmn:userTask>'


def service_task(key: str, operation: str, **inputs: str) -> str:
    """A service task that calls an operation."""
    given = "".join(f'<crm:input name="{name}" value="{value}" />' for name, value in inputs.items())
    inner = f"<bpmn:extensionElements>{given}</bpmn:extensionElements>" if given else ""
    return f'<bpmn:serviceTask id="{key}" name="{key}" crm:operation="{operation}">{inner}</bpmn:serviceTask>'


def make_version(by, data: bytes, *, publish: bool = True) -> ProcessVersion:
    """One uploaded process, published unless told otherwise."""
    (version,) = upload_diagram(data=data, file_name="test.bpmn", by=by).versions
    return publish_version(version=version, by=by) if publish else version


def make_example(by, key: str, stage_key: str) -> StageGate:
    """A shipped example that guards a stage of the standard funnel."""
    version = make_version(by, (EXAMPLES / f"{key.replace('_', '-')}.bpmn").read_bytes())
    stage = make_funnel().stages.get(key=stage_key)
    return bind_gate(stage=stage, definition=version.definition, granting_ends=GRANTS[key], by=by)


def make_gate(
    by, body: str, *, stage_key: str = "proposal", key: str = "test_process", ends=("End_ok",), **gate
) -> StageGate:
    """A small process that guards a stage."""
    version = make_version(by, diagram(body, key=key))
    stage = make_funnel().stages.get(key=stage_key)
    return bind_gate(stage=stage, definition=version.definition, granting_ends=list(ends), by=by, **gate)


def run_of(deal) -> ProcessInstance:
    """The latest run on a deal."""
    return ProcessInstance.objects.filter(record_kind="deals.deal", record_id=deal.pk).latest("id")


def task_of(deal) -> UserTask:
    """The one open task on a deal."""
    return UserTask.objects.open().get(instance__record_id=deal.pk)


def make_waiting(by, *, stage_key: str = "proposal", **values) -> ProcessInstance:
    """A deal whose move waits, its run already begun; the gate must be there."""
    deal = make_deal(by, **values)
    request_stage(deal=deal, stage=make_funnel().stages.get(key=stage_key), by=by)
    instance = run_of(deal)
    begin(instance_id=instance.pk)
    return run_of(deal)
