"""Carrying out service tasks: registered operations, with the rights of whoever published the process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from bpm.chains import at_work
from bpm.definitions import find_operation
from bpm.effects import FAIL, Gathered, call_of, is_external
from bpm.engine import state as waits
from bpm.engine.events import JobDone, JobFailed, StaleEventError
from bpm.engine.values import decode, encode
from bpm.models import ProcessInstance
from bpm.runner import is_parked, light, lock_instance, park, take_step
from crm.history.kinds import via_of
from crm.jobs.models import Job
from crm.operations.registry import Context, OperationFailed

logger = logging.getLogger(__name__)

OPERATIONS, SECONDS = 50, 1.0
"""How many operations share a transaction at most, and how long they may keep it open."""


DONE = "bpm.done"
"""What an external operation brought back for a run that was suspended meanwhile."""


@transaction.atomic(savepoint=False)
def carry_out(*, instance_id: int, token: int, call: dict, job: Job | None = None) -> None:
    """Runs an operation and takes the step it completes, or none of both."""
    instance = lock_instance(instance_id)
    if not is_parked(instance, job) and waits_for_job(instance, token):
        event = outcome_of(instance, token, call, undo=transaction.atomic)
        take_step(instance, event, carry_on=carry_on)


def carry_on(step: Gathered) -> None:
    """Operations that follow each other on our own tables share one transaction, for a while.

    One that breaks takes back what it did and is left to a job of its own, which is repeated and then held up
    there and nowhere else.
    """
    end = time.monotonic() + SECONDS
    for _turn in range(OPERATIONS):
        token, effect = next(iter(step.jobs.items()), (0, None))
        if effect is None or step.more or is_external(effect) or time.monotonic() > end:
            return
        try:
            event = outcome_of(
                step.instance, token, call_of(effect), undo=transaction.atomic, record=step.record
            )
        except Exception:
            logger.exception("An operation of run %s broke and is tried again alone", step.instance.pk)
            return
        del step.jobs[token]
        step.note("job_started", effect.node, operation=effect.operation)
        step.look_again()
        step.apply(event)


def call_out(*, instance_id: int, token: int, call: dict, job: Job) -> None:
    """Runs an external operation outside any transaction, then takes the step in one of its own."""
    instance = light(ProcessInstance.objects.all()).get(pk=instance_id)
    if instance.is_suspended and _put_off(instance_id, job):
        return
    if not waits_for_job(instance, token):
        return
    event = outcome_of(instance, token, {**call, "key": str(job.uid)}, undo=nullcontext)
    with transaction.atomic():
        instance = lock_instance(instance_id)
        if instance.is_suspended:
            _park_result(instance, event)
            return
        with suppress(StaleEventError):
            take_step(instance, event, carry_on=carry_on)


@transaction.atomic
def _put_off(instance_id: int, job: Job) -> bool:
    return is_parked(lock_instance(instance_id), job)


def _park_result(instance: ProcessInstance, event: JobDone | JobFailed) -> None:
    """The other side has acted; what it said must not be lost, nor may the run go on with it yet."""
    args = {"instance": instance.pk, "token": event.token}
    if isinstance(event, JobDone):
        kind, said = DONE, {"values": encode(event.values)}
    else:
        kind, said = FAIL, {"code": event.code, "message": event.message}
    park(instance, kind, f"{instance.pk}:{event.token}", args | said)


def waits_for_job(instance: ProcessInstance, token: int) -> bool:
    """Whether the run still stands there: a job that is delivered twice, or too late, does nothing."""
    if not instance.is_open:
        return False
    tokens = {each["id"]: each for each in instance.state.get("tokens", ())}
    return tokens.get(token, {}).get("wait", {}).get("kind") == waits.JOB


def outcome_of(
    instance: ProcessInstance,
    token: int,
    call: dict,
    *,
    undo: Callable[[], AbstractContextManager],
    record=None,
) -> JobDone | JobFailed:
    """What the operation came to; within `undo` what it did before it failed is taken back."""
    try:
        with undo():
            return JobDone(token, _run(instance, call, record) or {})
    except OperationFailed as failure:
        return JobFailed(token, failure.code, str(failure))
    except ValidationError as error:
        return JobFailed(token, "failed", "; ".join(error.messages))
    except PermissionDenied:
        text = _("%(user)s, who published the process, is not allowed to do this.")
        return JobFailed(token, "denied", text % {"user": instance.version.published_by})


def _run(instance: ProcessInstance, call: dict, record) -> dict:
    operation = find_operation(call["operation"], call["version"])
    if operation is None:
        raise OperationFailed(
            _("The operation “%(name)s” does not exist here any more.") % {"name": call["operation"]}
        )
    record = record or instance.record()
    if record is None:
        raise OperationFailed(_("The record is gone."))
    context = Context(
        record=record, by=instance.version.published_by, requester=instance.started_by,
        via=via_of(instance.version.definition), key=str(call.get("key", "")),
    )  # fmt: skip
    known = {given.name for given in operation.inputs}
    arguments = {name: value for name, value in decode(call["arguments"]).items() if name in known}
    with at_work(instance):
        return operation.handler(context, **arguments)
