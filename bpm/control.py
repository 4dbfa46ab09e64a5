"""What an operator does with runs: retry, skip, call off."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bpm import gates, runner
from bpm.effects import PRIORITY, Gathered
from bpm.engine.advance import UnknownOutcomeError
from bpm.engine.events import Cancelled, Retry, Skip, StaleEventError
from bpm.models import InstanceStatus, ProcessInstance
from crm.jobs.services import enqueue


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


def _locked(instance: ProcessInstance, by) -> ProcessInstance:
    if not may_operate(by, instance):
        raise PermissionDenied
    return runner.lock_instance(instance.pk)


@transaction.atomic
def retry_step(*, instance: ProcessInstance, token: int, by) -> ProcessInstance:
    """Lets a held step be tried again. Raises PermissionDenied, ValidationError when it is not held any more."""
    locked = _locked(instance, by)
    try:
        runner.take_step(locked, Retry(token), by=by, note=("retried", "", {"token": token}))
    except StaleEventError:
        raise ValidationError(_("This step is not held up any more.")) from None
    return locked


@transaction.atomic
def skip_step(
    *, instance: ProcessInstance, token: int, outcome: str = "", reason: str, by
) -> ProcessInstance:
    """Lets a run go on as if the step were done. Raises PermissionDenied, ValidationError."""
    locked = _locked(instance, by)
    if not reason.strip():
        raise ValidationError(_("Say why the step is left out."))
    note = ("skipped", "", {"token": token, "reason": reason.strip()[:500], "outcome": outcome})
    try:
        runner.take_step(locked, Skip(token, outcome), by=by, note=note)
    except StaleEventError:
        raise ValidationError(_("The run does not wait at this step any more.")) from None
    except UnknownOutcomeError:
        raise ValidationError(_("Choose how the step is to end.")) from None
    return locked


@transaction.atomic
def resume_instance(*, instance: ProcessInstance, by) -> None:
    """Starts a run again that never got going, or stopped between two steps."""
    locked = _locked(instance, by)
    if locked.status != InstanceStatus.INCIDENT and locked.rev:
        raise ValidationError(_("The run is not held up any more."))
    kind = runner.CONTINUE if locked.rev else gates.START
    enqueue(kind=kind, key=str(locked.pk), args={"instance": locked.pk}, by=by, priority=PRIORITY)


@transaction.atomic
def cancel_instance(*, instance: ProcessInstance, reason: str, by) -> ProcessInstance:
    """Calls a run off; a move that waits for it is refused. Raises PermissionDenied, ValidationError."""
    locked = _locked(instance, by)
    if not reason.strip():
        raise ValidationError(_("Say why the run is called off."))
    return _cancel(locked, by=by, reason=reason.strip()[:500])


@transaction.atomic
def call_off(*, instance_id: int, by) -> None:
    """Calls off the run of a request that was decided without it."""
    instance = runner.lock_instance(instance_id)
    if instance.is_open:
        _cancel(instance, by=by, reason="")


def _cancel(instance: ProcessInstance, *, by, reason: str) -> ProcessInstance:
    try:
        runner.take_step(
            instance, Cancelled(), by=by, note=("cancelled", "", {"reason": reason}), reason=reason
        )
    except StaleEventError:
        raise ValidationError(_("The run has ended already.")) from None
    return instance


@transaction.atomic
def mark_held(*, instance_id: int, message: str) -> None:
    """A run whose step failed in every attempt is shown as held up, with the technical reason in its log."""
    instance = runner.lock_instance(instance_id)
    if not instance.is_open:
        return
    record = instance.record()
    step = Gathered(instance, record, runner.read_state(instance, record), None, timezone.now())
    step.note("held", message=message)
    step.write_log()
    ProcessInstance.objects.filter(pk=instance.pk).update(status=InstanceStatus.INCIDENT)
