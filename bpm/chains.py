"""Which run is at work, so that runs it starts know their cause: processes that start each other stop somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone
from django.utils.translation import gettext_noop

from bpm.models import InstanceStatus, ProcessEvent, ProcessInstance
from crm.history.kinds import via_of
from crm.history.services import record_event
from crm.notify.services import notify

DEEPEST = 5
"""How many runs may start each other in a row before the next one is held for a person to look at."""

_at_work: ContextVar[ProcessInstance | None] = ContextVar("run_at_work", default=None)


@contextmanager
def at_work(instance: ProcessInstance) -> Iterator[None]:
    """What happens in the block is this run's deed."""
    token = _at_work.set(instance)
    try:
        yield
    finally:
        _at_work.reset(token)


def cause() -> ProcessInstance | None:
    """The run whose deed is going on; None for people, forms and clocks."""
    return _at_work.get()


def is_too_deep(instance: ProcessInstance) -> bool:
    return instance.depth > DEEPEST


def hold(instance: ProcessInstance, record, url: str) -> None:
    """Keeps a run from its first step until an operator lets it begin, and tells whoever published the process."""
    now, definition = timezone.now(), instance.version.definition
    ProcessInstance.objects.filter(pk=instance.pk).update(status=InstanceStatus.INCIDENT)
    instance.status = InstanceStatus.INCIDENT
    data = {"depth": instance.depth, "cause": instance.cause_id}
    ProcessEvent.objects.create(instance=instance, seq=1, kind="chain_held", at=now, data=data)
    named = {"process": {"name": definition.name, "name_pl": definition.name_pl}}
    record_event(kind="process_held", subject=record, by=None, payload=named, via=via_of(definition))
    if instance.version.published_by:
        notify(
            user=instance.version.published_by, kind="bpm.incident",
            text=gettext_noop("The process “%(process)s” is held up: %(record)s"),
            params={"process": str(definition), "record": str(record)}, url=url, record=record,
        )  # fmt: skip
