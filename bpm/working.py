"""Carrying out service tasks: registered operations, with the rights of whoever published the process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from bpm.definitions import find_operation
from bpm.engine import state as waits
from bpm.engine.events import Event, JobDone, JobFailed, StaleEventError
from bpm.engine.values import decode
from bpm.models import ProcessInstance
from bpm.runner import lock_instance, take_step
from crm.history.kinds import via_of
from crm.operations.registry import Context, OperationFailed


@transaction.atomic
def carry_out(*, instance_id: int, token: int, call: dict) -> None:
    """Runs an operation and takes the step it completes, or none of both."""
    instance = lock_instance(instance_id)
    if waits_for_job(instance, token):
        take_step(instance, outcome_of(instance, token, call, undo=transaction.atomic))


def call_out(*, instance_id: int, token: int, call: dict, uid: str) -> None:
    """Runs an external operation outside any transaction, then takes the step in one of its own."""
    rows = ProcessInstance.objects.select_related(
        "version__definition", "version__published_by", "started_by"
    )
    instance = rows.get(pk=instance_id)
    if not waits_for_job(instance, token):
        return
    event = outcome_of(instance, token, {**call, "key": uid}, undo=nullcontext)
    with transaction.atomic():
        try:
            take_step(lock_instance(instance_id), event)
        except StaleEventError:
            return


def waits_for_job(instance: ProcessInstance, token: int) -> bool:
    """Whether the run still stands there: a job that is delivered twice, or too late, does nothing."""
    if not instance.is_open:
        return False
    tokens = {each["id"]: each for each in instance.state.get("tokens", ())}
    return tokens.get(token, {}).get("wait", {}).get("kind") == waits.JOB


def outcome_of(
    instance: ProcessInstance, token: int, call: dict, *, undo: Callable[[], AbstractContextManager]
) -> Event:
    """What the operation came to; within `undo` what it did before it failed is taken back."""
    try:
        with undo():
            return JobDone(token, _run(instance, call) or {})
    except OperationFailed as failure:
        return JobFailed(token, "failed", str(failure))
    except ValidationError as error:
        return JobFailed(token, "failed", "; ".join(error.messages))
    except PermissionDenied:
        text = _("%(user)s, who published the process, is not allowed to do this.")
        return JobFailed(token, "denied", text % {"user": instance.version.published_by})


def _run(instance: ProcessInstance, call: dict) -> dict:
    operation = find_operation(call["operation"], call["version"])
    if operation is None:
        raise OperationFailed(
            _("The operation “%(name)s” does not exist here any more.") % {"name": call["operation"]}
        )
    record = instance.record()
    if record is None:
        raise OperationFailed(_("The record is gone."))
    context = Context(
        record=record, by=instance.version.published_by, requester=instance.started_by,
        via=via_of(instance.version.definition), key=str(call.get("key", "")),
    )  # fmt: skip
    known = {given.name for given in operation.inputs}
    arguments = {name: value for name, value in decode(call["arguments"]).items() if name in known}
    return operation.handler(context, **arguments)
