"""What an operator does with runs: retry, skip, move, suspend, resume, call off.

Each deed stands in the run's log and in its card's history. The run is locked first, so of two operators one comes
second, and is told so.
"""

from __future__ import annotations

from contextlib import suppress

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from bpm import exchange, gates, runner, working
from bpm.effects import FAIL, PRIORITY, TIMER, Gathered
from bpm.engine.advance import UnknownOutcomeError, UnsoundMoveError
from bpm.engine.events import Cancelled, Moved, Retry, Skip, StaleEventError
from bpm.engine.model import Node
from bpm.engine.moving import is_movable, targets
from bpm.models import InstanceStatus, ProcessInstance, graph_of
from crm.jobs.models import Job
from crm.jobs.services import JobNotOpen, enqueue, retry

MOVERS = (
    gates.START, runner.CONTINUE, TIMER, FAIL, working.DONE, exchange.HEAR, exchange.ESCALATE, exchange.RETURN,
)  # fmt: skip
"""The jobs that move a run; one that fails for good leaves the run held up as a whole."""

DEEDS = ("retried", "skipped", "moved")


def may_operate(user, instance: ProcessInstance, record=None) -> bool:
    """Whether the user may step in: the right reaches everybody's records, or those of the departments he heads.

    In the latter case not in a run that he asked for himself: he would pass the gate on his own word.
    """
    scope = user.access.scope("bpm.processinstance", "operate")
    if scope == "subordinates":
        record = record or instance.record()
        is_his = record is not None and record.department_id in user.access.headed_departments()
        return is_his and instance.started_by_id != user.pk
    return scope == "all"


def locked_for(instance: ProcessInstance, by) -> ProcessInstance:
    """The run, locked for an operator. Raises PermissionDenied."""
    if not may_operate(by, instance):
        raise PermissionDenied
    return runner.lock_instance(instance.pk)


def demand_reason(reason: str, text: str) -> str:
    """The reason as it is kept. Raises ValidationError when there is none."""
    reason = reason.replace("\x00", "").strip()[:500]
    if not reason:
        raise ValidationError(text)
    return reason


# One step


@transaction.atomic
def retry_step(*, instance: ProcessInstance, token: int, by) -> ProcessInstance:
    """Lets a held step be tried again. Raises PermissionDenied, ValidationError when it is not held any more."""
    locked = locked_for(instance, by)
    refusal = _("This step is not held up any more.")
    return _operate(locked, Retry(token), ("retried", {"token": token}), refusal, by=by)


@transaction.atomic
def skip_step(
    *, instance: ProcessInstance, token: int, outcome: str = "", reason: str, by
) -> ProcessInstance:
    """Lets a run go on as if the step were done. Raises PermissionDenied, ValidationError."""
    locked = locked_for(instance, by)
    reason = demand_reason(reason, _("Say why the step is left out."))
    note = ("skipped", {"token": token, "reason": reason, "outcome": outcome})
    refusal = _("The run does not wait at this step any more.")
    try:
        return _operate(locked, Skip(token, outcome), note, refusal, by=by)
    except UnknownOutcomeError:
        raise ValidationError(_("Choose how the step is to end.")) from None


def move_targets(instance: ProcessInstance, token: int) -> list[Node]:
    """Where the step's token may be moved so that the run can still end; empty when it does not wait any more."""
    state = runner.read_state(instance, None)
    found = state.tokens.get(token)
    return list(targets(graph_of(instance.version), state, found)) if is_movable(state, found) else []


@transaction.atomic
def move_step(*, instance: ProcessInstance, token: int, node: str, reason: str, by) -> ProcessInstance:
    """Takes a waiting token to another step. Raises PermissionDenied, ValidationError."""
    locked = locked_for(instance, by)
    reason = demand_reason(reason, _("Say why the run goes on elsewhere."))
    refusal = _("The run does not wait at this step any more.")
    try:
        return _operate(
            locked,
            Moved(token, node),
            ("moved", {"token": token, "to": node, "reason": reason}),
            refusal,
            by=by,
        )
    except UnsoundMoveError:
        raise ValidationError(
            _("From there the run could not come to its end. Choose another step.")
        ) from None


def _operate(
    instance: ProcessInstance, event: Retry | Skip | Moved, note: tuple[str, dict], refusal: str, *, by
) -> ProcessInstance:
    """Takes a step on an operator's word, with the log and the history of the card. Raises ValidationError."""
    kind, data = note
    node = _node_of(instance, event.token)
    try:
        runner.take_step(instance, event, by=by, note=(kind, node.id if node else "", data))
    except StaleEventError:
        raise ValidationError(_overtaken(instance, event.token, refusal)) from None
    target = graph_of(instance.version).nodes.get(data.get("to", ""))
    more = {"to": _named(target)} if target else {}
    _record(instance, kind, data.get("reason", ""), by, step=_named(node), **more)
    return instance


def _node_of(instance: ProcessInstance, token: int) -> Node | None:
    places = {each["id"]: each["node"] for each in instance.state.get("tokens", ())}
    return graph_of(instance.version).nodes.get(places.get(token, ""))


def _overtaken(instance: ProcessInstance, token: int, refusal: str) -> str:
    """The refusal, with who was quicker if it was an operator."""
    deeds = instance.events.filter(kind__in=DEEDS, data__token=token).select_related("actor")
    last = deeds.order_by("-seq").first()
    if last is None or last.actor is None:
        return refusal
    when = date_format(localtime(last.at), "DATETIME_FORMAT")
    return refusal + " " + _("%(user)s was quicker (%(when)s).") % {"user": last.actor, "when": when}


def _named(node: Node | None) -> dict[str, str]:
    return {"name": node.label, "name_pl": node.names.get("pl", "")} if node else {"name": ""}


def _record(instance: ProcessInstance, kind: str, reason: str, by, **payload) -> None:
    """The deed in the history of the card."""
    runner.record_on_card(instance, instance.record(), f"process_{kind}", by=by, note=reason, **payload)


# The run as a whole


@transaction.atomic
def suspend_instance(*, instance: ProcessInstance, reason: str, by) -> ProcessInstance:
    """Stops a run where it stands: what comes for it waits. Raises PermissionDenied, ValidationError."""
    locked = locked_for(instance, by)
    reason = demand_reason(reason, _("Say why the run is suspended."))
    if locked.is_suspended:
        raise ValidationError(_("The run is suspended already."))
    if not locked.is_open:
        raise ValidationError(_("The run has ended already."))
    _switch(locked, InstanceStatus.SUSPENDED, ("suspended", {"reason": reason}), by=by)
    return locked


@transaction.atomic
def resume_instance(*, instance: ProcessInstance, by) -> ProcessInstance:
    """Lets a suspended run go on, first with what came meanwhile. Raises PermissionDenied, ValidationError."""
    locked = locked_for(instance, by)
    if not locked.is_suspended:
        raise ValidationError(_("The run is not suspended any more."))
    status = runner.status_of(runner.read_state(locked, None))
    if failed_jobs(locked):
        status = InstanceStatus.INCIDENT
    _switch(locked, status, ("resumed", {"parked": len(locked.parked)}), by=by)
    for job in locked.parked:
        enqueue(kind=job["kind"], key=job["key"], args=job["args"], priority=PRIORITY)
    return locked


def _switch(instance: ProcessInstance, status: str, note: tuple[str, dict], *, by) -> None:
    record, now, (kind, data) = instance.record(), timezone.now(), note
    step = Gathered(instance, record, runner.read_state(instance, record), by, now)
    step.note(kind, **data)
    step.write_log_alone(status=status, last_activity_at=now, parked=[])
    instance.status, instance.last_activity_at = status, now
    _record(instance, kind, data.get("reason", ""), by)
    gates.settle(instance, step.state, by=by)


def failed_jobs(instance: ProcessInstance) -> list[Job]:
    """The jobs that should have moved the run and failed for good."""
    failed = Job.objects.filter(kind__in=MOVERS, status=Job.Status.FAILED, arguments__instance=instance.pk)
    return list(failed.order_by("pk"))


@transaction.atomic
def retry_instance(*, instance: ProcessInstance, by) -> ProcessInstance:
    """Starts a run again that never got going, or stopped between two steps. Raises ValidationError."""
    locked = locked_for(instance, by)
    if not locked.is_open or (locked.status != InstanceStatus.INCIDENT and locked.rev):
        raise ValidationError(_("The run is not held up any more."))
    for job in failed_jobs(locked):
        with suppress(JobNotOpen):
            retry(job=job, by=by)
    kind = runner.CONTINUE if locked.rev else gates.START
    enqueue(kind=kind, key=str(locked.pk), args={"instance": locked.pk}, by=by, priority=PRIORITY)
    _switch(locked, InstanceStatus.RUNNING, ("retried", {}), by=by)
    return locked


@transaction.atomic
def cancel_instance(*, instance: ProcessInstance, reason: str, by) -> ProcessInstance:
    """Calls a run off; a move that waits for it is refused. Raises PermissionDenied, ValidationError."""
    locked = locked_for(instance, by)
    reason = demand_reason(reason, _("Say why the run is called off."))
    _cancel(locked, by=by, reason=reason)
    _record(locked, "cancelled", reason, by)
    return locked


@transaction.atomic
def call_off(*, instance_id: int, by) -> None:
    """Calls off the run of a request that was decided without it."""
    instance = runner.lock_instance(instance_id)
    if instance.is_open:
        _cancel(instance, by=by, reason="")


def _cancel(instance: ProcessInstance, *, by, reason: str) -> None:
    note = ("cancelled", "", {"reason": reason})
    try:
        runner.take_step(instance, Cancelled(), by=by, note=note, reason=reason)
    except StaleEventError:
        raise ValidationError(_("The run has ended already.")) from None


@transaction.atomic
def mark_held(*, instance_id: int, message: str, job: Job | None = None) -> None:
    """A run whose step failed in every attempt is shown as held up, with the technical reason in its log."""
    instance = runner.lock_instance(instance_id)
    if not instance.is_open or runner.is_parked(instance, job):
        return
    record = instance.record()
    step = Gathered(instance, record, runner.read_state(instance, record), None, timezone.now())
    step.note("held", message=message)
    step.write_log_alone(status=InstanceStatus.INCIDENT)
