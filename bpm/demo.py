"""Demo processes: the shipped examples published, guarding stages, started by hand or by a closed deal, with runs."""

from __future__ import annotations

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from bpm.definitions import bind_gate, publish_version, upload_diagram
from bpm.gates import START
from bpm.inbox import complete_task
from bpm.models import ProcessDefinition, ProcessInstance, TriggerKind, UserTask
from bpm.runner import begin
from bpm.trigger_rules import add_trigger
from bpm.working import carry_out
from crm.jobs.models import Job
from crm.web.demo import Demo, demo_step
from deals.models import Deal, DealStatus
from deals.services import request_stage
from funnel.models import Stage

EXAMPLES = Path(__file__).parent / "examples"
_GATES = [
    ("commercial-offer.bpmn", "proposal", ["End_offer_attached"]),
    ("contract-approval.bpmn", "contract", ["End_agreed"]),
]
_STARTS = [
    ("won-handover.bpmn", TriggerKind.WON),
    ("lost-reason.bpmn", TriggerKind.LOST),
    ("deal-review.bpmn", TriggerKind.HAND),
]


@demo_step(90)
def load(demo: Demo) -> None:
    admin = demo.users["admin"]
    for file, stage_key, ends in _GATES:
        definition = _published(file, admin)
        for stage in Stage.objects.filter(key=stage_key, funnel__position=_first_funnel()):
            bind_gate(stage=stage, definition=definition, granting_ends=ends, by=admin)
    for file, kind in _STARTS:
        add_trigger(definition=_published(file, admin), kind=kind, by=admin)
    _runs(demo)


def _published(file: str, by) -> ProcessDefinition:
    (version,) = upload_diagram(data=(EXAMPLES / file).read_bytes(), file_name=file, by=by).versions
    return publish_version(version=version, by=by).definition


def _first_funnel() -> int:
    return Stage.objects.order_by("funnel__position").values_list("funnel__position", flat=True).first() or 0


def _runs(demo: Demo) -> None:
    """Two offers awaited, one attached; two contracts awaited, one agreed and one returned."""
    for login, count in (("rep", 3), ("teammate", 2)):
        user = demo.users[login]
        for rank, deal in enumerate(_deals(user, "proposal", count)):
            instance = _move(deal, "proposal", user)
            if rank == 0:
                _answer(instance, user, "attach", files={"offer": _offer(deal)})
    head = demo.users["head"]
    comment = "The discount is too high for a two-year contract. Ask for 8 % at most."
    answers = [("agree", ""), ("return", comment), ("", "")]
    for deal, (outcome, comment) in zip(
        _deals(demo.users["rep"], "contract", 3, above=50_000), answers, strict=False
    ):
        instance = _move(deal, "contract", demo.users["rep"])
        if outcome:
            _answer(instance, head, outcome, comment=comment)


def _deals(user, target: str, count: int, above: int = 0) -> list[Deal]:
    """Open deals of a person that stand before the guarded stage and wait for nothing."""
    goal = Stage.objects.filter(key=target, funnel__position=_first_funnel()).first()
    if goal is None:
        return []
    rows = Deal.objects.filter(
        owner=user,
        status=DealStatus.ACTIVE,
        funnel=goal.funnel,
        stage__position__lt=goal.position,
        amount__gt=above,
    )
    return list(rows.exclude(stage_requests__status="pending").order_by("-stage__position", "id")[:count])


def _move(deal: Deal, stage_key: str, by) -> ProcessInstance:
    stage = Stage.objects.get(funnel_id=deal.funnel_id, key=stage_key)
    request = request_stage(deal=deal, stage=stage, by=by)
    instance = ProcessInstance.objects.get(request=request)
    Job.objects.filter(kind=START, key=str(instance.pk)).delete()
    begin(instance_id=instance.pk)
    return instance


def _answer(instance: ProcessInstance, by, outcome: str, **answers) -> None:
    task = UserTask.objects.open().filter(instance=instance).first()
    if task is None:
        return
    complete_task(task=task, outcome=outcome, by=by, **answers)
    # Demo data must not wait for a worker: the steps behind the answer are taken here.
    for job in Job.objects.filter(kind="bpm.step", key__startswith=f"{instance.pk}:", status=Job.Status.DUE):
        carry_out(instance_id=instance.pk, token=job.arguments["token"], call=job.arguments)
        job.delete()


def _offer(deal: Deal) -> SimpleUploadedFile:
    text = f"%PDF-1.4\n% Oferta: {deal.name}\n".encode()
    return SimpleUploadedFile(f"oferta-{deal.pk}.pdf", text, "application/pdf")
