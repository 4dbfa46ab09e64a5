"""Trying many held runs again in one go, as a job that says what became of each."""

from __future__ import annotations

import logging
from collections import Counter

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from bpm import control
from bpm.engine import state as waits
from bpm.models import InstanceStatus, ProcessInstance
from crm.jobs.models import Job
from crm.jobs.run import JobRun
from crm.jobs.services import enqueue

logger = logging.getLogger(__name__)

RETRY_HELD = "bpm.retry_held"
MOST_RUNS = 1_000

CAUSES = {
    "nobody": (_("nobody can do the task"), ("nobody",)),
    "failed": (_("an operation failed"), ("failed", "operation")),
    "opted_out": (_("somebody does not wish to be reached"), ("opted_out",)),
    "denied": (_("something is not allowed"), ("denied",)),
    "doubtful": (_("doubtful whether it happened"), ("doubtful",)),
    "no_flow": (_("no way on"), ("no_flow",)),
    "condition": (_("a condition cannot be decided"), ("condition",)),
    "value": (_("a value cannot be worked out"), ("value",)),
    "time": (_("a time cannot be used"), ("time",)),
    "call": (_("a process cannot be called"), ("call", "depth")),
    "deadlock": (_("a branch can no longer arrive"), ("deadlock",)),
    "limit": (_("a limit is exceeded"), ("loop", "lifetime", "tokens", "rounds")),
}
"""Why steps are held up: what each cause is called, and the codes of incidents that belong to it."""

WENT_ON, HELD, REFUSED, OVER, BROKE = "went_on", "held", "refused", "over", "broke"
OUTCOMES = {
    WENT_ON: _("going on"),
    HELD: _("held up again"),
    REFUSED: _("left out: you may not step in there"),
    OVER: _("not held up any more"),
    BROKE: _("could not be tried again"),
}


def held_runs(user, *, process: int | None = None, cause: str = ""):
    """The held runs on records the user sees, of one process and held for one cause if these are given."""
    rows = ProcessInstance.objects.visible_to(user).filter(status=InstanceStatus.INCIDENT)
    if process:
        rows = rows.filter(version__definition=process)
    return rows.held_with(CAUSES[cause][1]) if cause in CAUSES else rows


def may_retry(user) -> bool:
    """Whether the user may step in anywhere at all."""
    return user.access.may(ProcessInstance, "operate")


@transaction.atomic
def request_retry(*, process: int | None = None, cause: str = "", by) -> Job:
    """Asks for the present held runs to be tried again. Raises PermissionDenied, ValidationError without any."""
    if not may_retry(by):
        raise PermissionDenied
    rows = held_runs(by, process=process, cause=cause).order_by("-pk")
    found = list(rows.values_list("pk", flat=True)[:MOST_RUNS])
    if not found:
        raise ValidationError(_("No such run is held up any more."))
    args = {"process": process, "cause": cause, "runs": sorted(found)}
    return enqueue(kind=RETRY_HELD, key=f"{by.pk}:{process or 0}:{cause}", args=args, by=by, total=len(found))


def work_through(run: JobRun) -> dict:
    """One run a transaction: each is locked alone, and what is done stays done when the worker dies."""
    items: list[list] = run.checkpoint.get("items", [])
    note = gettext_noop("Trying the runs again")
    for pk in run.args["runs"][len(items) :]:
        with run.slice():
            items = [*items, [pk, _attempt(pk, run.by)]]
            run.save(checkpoint={"items": items}, done=len(items), note=note)
    return {"items": items}


def _attempt(pk: int, by) -> str:
    instance = ProcessInstance.objects.visible_to(by).select_related("version").filter(pk=pk).first()
    if instance is None or not control.may_operate(by, instance):
        return REFUSED
    if instance.status != InstanceStatus.INCIDENT:
        return OVER
    try:
        with transaction.atomic():
            return _retry(instance, by)
    except ValidationError:
        return OVER
    except Exception:
        logger.exception("Run %s could not be tried again", pk)
        return BROKE


def _retry(instance: ProcessInstance, by) -> str:
    tokens = instance.state.get("tokens", ())
    held = [token["id"] for token in tokens if token.get("wait", {}).get("kind") == waits.INCIDENT]
    if not held:
        control.retry_instance(instance=instance, by=by)
        return WENT_ON
    for token in held:
        instance = control.retry_step(instance=instance, token=token, by=by)
    return HELD if instance.status == InstanceStatus.INCIDENT else WENT_ON


def counts_of(items: list[list]) -> list[tuple[str, int]]:
    """(outcome, how many), in a fixed order, those that did not happen left out."""
    counted = Counter(outcome for _pk, outcome in items)
    return [(str(label), counted[key]) for key, label in OUTCOMES.items() if counted[key]]
