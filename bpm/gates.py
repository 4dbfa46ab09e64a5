"""Stage gates: a request to pass a guarded way becomes a run, whose end lets go of the request or refuses it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from bpm import chains
from bpm.assigning import head_of
from bpm.effects import PRIORITY
from bpm.engine import state as waits
from bpm.engine.phrases import Phrase
from bpm.engine.state import State
from bpm.models import (
    InstanceStatus,
    ProcessInstance,
    ProcessVersion,
    StageGate,
    UserTask,
    VersionStatus,
    graph_of,
)
from crm.history.kinds import via_of
from crm.jobs.services import enqueue
from deals.gates import Guard
from deals.models import Deal, StageRequest
from deals.services import RequestDecided, StageRefused, refuse_request, release_hold, set_waits
from deals.signals import Hold
from funnel.models import Mode, Way

START, CANCEL = "bpm.start", "bpm.cancel"
CHAIN_LIMIT, CHAIN_WINDOW = 20, timedelta(minutes=1)


def gates_between(left_id: int | None, entered_id: int | None) -> list[tuple[StageGate, ProcessVersion]]:
    """The gates behind one stage and in front of another, each with the version a new run starts on."""
    asked = Q(stage_id=left_id, way=Way.EXIT) | Q(stage_id=entered_id, way=Way.ENTRY)
    gates = StageGate.objects.filter(asked, is_active=True, definition__is_active=True)
    found = [
        (gate, gate.definition.published()) for gate in gates.select_related("definition").order_by("pk")
    ]
    return [(gate, version) for gate, version in found if version]


def hold_request(request: StageRequest) -> list[Hold]:
    """Starts a run for each process in the way of the move; the deal is locked by the caller.

    A run of an advisory gate starts as well, and holds nothing.
    """
    if not request.leaves_stage:
        return []
    entered = request.to_stage_id if request.changes_stage else None
    found = gates_between(request.from_stage_id, entered)
    if found:
        _demand_no_circle(request.deal)
    runs = [(gate, _start(request, gate, version)) for gate, version in found]
    return [
        Hold(label=gate.definition.name, label_pl=gate.definition.name_pl, source=source_of(instance))
        for gate, instance in runs
        if gate.mode == Mode.BLOCKING
    ]


def _start(request: StageRequest, gate: StageGate, version: ProcessVersion) -> ProcessInstance:
    holds = gate.mode == Mode.BLOCKING
    instance = ProcessInstance.objects.create(
        version=version,
        record_kind="deals.deal",
        record_id=request.deal_id,
        start_key=f"stage_request:{request.pk}:{gate.pk}",
        request=request if holds else None,
        granting_ends=gate.granting_ends if holds else [],
        started_by=request.requested_by,
        cause=(cause := chains.cause()),
        depth=cause.depth + 1 if cause else 0,
    )
    enqueue(kind=START, key=str(instance.pk), args={"instance": instance.pk}, priority=PRIORITY)
    return instance


def source_of(instance: ProcessInstance) -> str:
    """Under this name a run holds its request."""
    return f"process:{instance.pk}"


def _demand_no_circle(deal: Deal) -> None:
    """Processes that move each other's deal round in a circle are stopped here."""
    recent = ProcessInstance.objects.filter(
        record_kind="deals.deal", record_id=deal.pk, started_at__gte=timezone.now() - CHAIN_WINDOW
    )
    if recent.count() >= CHAIN_LIMIT:
        raise StageRefused(_("Too many processes were started for this deal just now. Wait a minute."))


def first_variables(instance: ProcessInstance, record) -> dict:
    """What a run knows at its start, beside the card's facts."""
    head = head_of(record.owner, {instance.started_by_id}) if record is not None else None
    owner = record.owner if record is not None else None
    return {
        "requester": instance.started_by.username,
        "owner": owner.username if owner else None,
        "head": head.username if head else None,
        "request_id": instance.request_id,
        "from_stage": instance.request.from_stage.key if instance.request else None,
        "to_stage": instance.request.to_stage.key if instance.request else None,
        "outcome": None,
        "comment": None,
    }


def abandon(request_id: int, *, by) -> None:
    """The request was taken back or passed by: its run is called off by a job, since the deal is locked now."""
    for pk in ProcessInstance.objects.filter(request_id=request_id, ended_at=None).values_list(
        "pk", flat=True
    ):
        enqueue(kind=CANCEL, key=str(pk), args={"instance": pk}, by=by, priority=PRIORITY)


def settle(instance: ProcessInstance, state: State, *, by, reason: str = "") -> None:
    """Keeps the request's waits current while the run goes on, and decides the request when it has ended."""
    if instance.request_id is None:
        return
    request = StageRequest.objects.select_related("deal").get(pk=instance.request_id)
    if not request.is_pending:
        return
    if instance.is_open:
        set_waits(request=request, waits=waits_of(instance, state), source=source_of(instance))
        return
    decider, via = by or _last_decider(instance), via_of(instance.version.definition)
    try:
        if granted(instance, state):
            release_hold(request=request, source=source_of(instance), by=decider, via=via)
        else:
            refuse_request(request=request, by=decider, reason=reason or _reason(instance, state), via=via)
    except RequestDecided:
        return


def _last_decider(instance: ProcessInstance):
    """Whoever did the run's last task; a run that asked nobody decides for whoever asked for the move."""
    done = instance.tasks.exclude(done_by=None).order_by("-done_at", "-id").select_related("done_by").first()
    return done.done_by if done else instance.started_by


def granted(instance: ProcessInstance, state: State) -> bool:
    """Only a run that completed at one of the gate's ends lets the deal in."""
    return instance.status == InstanceStatus.COMPLETED and bool(set(state.ends) & set(instance.granting_ends))


def _reason(instance: ProcessInstance, state: State) -> str:
    """What the last person who commented said, else the name of the end."""
    comment = (
        instance.tasks.exclude(comment="")
        .order_by("-done_at", "-id")
        .values_list("comment", flat=True)
        .first()
    )
    if comment:
        return comment
    nodes, language = graph_of(instance.version).nodes, instance.started_by.language
    names = [nodes[end].names.get(language, "") or nodes[end].label for end in state.ends]
    with override(language):
        return ", ".join(name for name in names if name) or _("The process was called off.")


# What a run waits for

_SILENT = (waits.JOIN, waits.SCOPE, waits.LOOP)


def waits_of(instance: ProcessInstance, state: State) -> list[dict]:
    """One entry for each thing the run waits for, people first."""
    if instance.is_suspended:
        with override("pl"):
            label_pl = _("suspended")
        return [
            _wait("suspended", label_pl, None, "", instance.last_activity_at, None, instance_url(instance))
        ]
    tasks = {task.node_run.token: task for task in open_tasks(instance)}
    nodes = graph_of(instance.version).nodes
    found = []
    for waiting in state.waiting():
        if state.tokens[waiting.token].host or waiting.kind in _SILENT:
            continue
        if task := tasks.get(waiting.token):
            found.append(_task_wait(task))
        else:
            found.append(_node_wait(instance, nodes[waiting.node], waiting))
    return sorted(found, key=lambda wait: wait["holder_id"] is None)


def open_tasks(instance: ProcessInstance) -> Iterable[UserTask]:
    return instance.tasks.open().select_related("assignee", "candidate_role", "node_run")


def _task_wait(task: UserTask) -> dict:
    return _wait(
        task.name, task.name_pl, task.assignee_id, task.holder, task.opened_at, task.due_at, task_url(task)
    )


def _node_wait(instance: ProcessInstance, node, waiting) -> dict:
    label, label_pl = node.label, node.names.get("pl", "") or node.label
    if waiting.kind == waits.INCIDENT:
        held = Phrase(gettext_noop("held up at “%(node)s”"), {"node": label})
        with override("pl"):
            label_pl = Phrase(held.text, {"node": label_pl}).said(_)
        label = held.said()
    return _wait(label, label_pl, None, "", waiting.since, waiting.until, instance_url(instance))


def _wait(
    label: str,
    label_pl: str,
    holder_id: int | None,
    holder: str,
    since: datetime,
    due: datetime | None,
    target: str,
) -> dict:
    return {
        "label": label, "label_pl": label_pl, "holder_id": holder_id, "holder": holder, "since": since.isoformat(),
        "due": due.isoformat() if due else None, "target": target,
    }  # fmt: skip


def task_url(task: UserTask) -> str:
    return reverse("bpm:task_detail", args=[task.pk])


def instance_url(instance: ProcessInstance) -> str:
    return reverse("bpm:instance_detail", args=[instance.pk])


def list_guards(stage_ids: list[int]) -> dict[int, list[Guard]]:
    """{stage id: the processes bound to its ways}, those that hold nothing at present included. One query."""
    published = ProcessVersion.objects.filter(
        definition=OuterRef("definition"), status=VersionStatus.PUBLISHED
    )
    gates = StageGate.objects.filter(stage_id__in=stage_ids, is_active=True).annotate(runs=Exists(published))
    found: dict[int, list[Guard]] = {}
    for gate in gates.select_related("definition").order_by("way", "pk"):
        works = gate.definition.is_active and gate.runs
        guard = Guard(
            gate.way, gate.mode, str(gate.definition), reverse("bpm:definition_detail", args=[gate.definition_id]),
            "" if works else _("not published: it holds nothing"),
        )  # fmt: skip
        found.setdefault(gate.stage_id, []).append(guard)
    return found


def describe_gates(stage_ids: list[int]) -> dict[int, str]:
    """{stage id: name of the process} of the stages among these that a process holds the way into. One query."""
    gates = StageGate.objects.filter(
        stage_id__in=stage_ids, is_active=True, way=Way.ENTRY, mode=Mode.BLOCKING, definition__is_active=True,
        definition__versions__status=VersionStatus.PUBLISHED,
    )  # fmt: skip
    return {gate.stage_id: str(gate.definition) for gate in gates.select_related("definition")}
