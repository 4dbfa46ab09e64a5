"""Starting processes outside the gates of stages: by hand, when something happens to a record, by a message."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from bpm import chains, gates, runner
from bpm.effects import PRIORITY, Gathered
from bpm.engine.values import encode
from bpm.models import (
    InstanceStatus,
    ProcessDefinition,
    ProcessInstance,
    StartableProcess,
    Trigger,
    TriggerKind,
    VersionStatus,
)
from counterparties.models import Counterparty
from crm.jobs.services import enqueue
from crm.listing.lists import reopen
from crm.people.access import kind_label
from crm.people.kinds import kind_named
from crm.people.models import User
from crm.people.visibility import may

OCCURRED = "bpm.occurred"


@transaction.atomic
def start_run(
    *, definition: ProcessDefinition, record, by, start_key: str | None = None, variables: dict | None = None,
    trigger: Trigger | None = None, cause: ProcessInstance | None = None,
) -> ProcessInstance:  # fmt: skip
    """Starts a process on a card; its first step is taken by a worker. With a `start_key` at most once.

    `cause`: the run whose doing it is, by default the one at work. A run too deep in a chain of such starts is held
    before its first step. Raises PermissionDenied when `by` may not view the card, ValidationError when the process
    does not run on it.
    """
    if not may(by, "view", record):
        raise PermissionDenied
    version = definition.published() if definition.is_active else None
    if version is None or definition.record_kind != kind_label(type(record)):
        raise ValidationError(_("This process cannot be started here."))
    cause = cause or chains.cause()
    fields = {
        "version": version, "record_kind": definition.record_kind, "record_id": record.pk, "started_by": by,
        "variables": variables or {}, "trigger": trigger, "cause": cause, "depth": cause.depth + 1 if cause else 0,
    }  # fmt: skip
    if start_key is None:
        instance, is_new = ProcessInstance.objects.create(**fields), True
    else:
        instance, is_new = ProcessInstance.objects.get_or_create(start_key=start_key[:120], defaults=fields)
    if is_new and instance.depth > chains.DEEPEST:
        _hold(instance, record)
    elif is_new:
        enqueue(kind=gates.START, key=str(instance.pk), args={"instance": instance.pk}, priority=PRIORITY)
    return instance


def _hold(instance: ProcessInstance, record) -> None:
    """Keeps a run from its first step until an operator lets it begin, and tells whoever published the process."""
    step = Gathered(instance, record, runner.read_state(instance, record), None, timezone.now())
    step.note("chain_held", depth=instance.depth, cause=instance.cause_id)
    instance.status = InstanceStatus.INCIDENT
    step.write_log_alone(status=instance.status)
    runner.report_held(instance, record)


def in_use(kind: str) -> QuerySet[Trigger]:
    """The triggers of a kind that can start something."""
    rows = Trigger.objects.filter(
        kind=kind, is_active=True, definition__is_active=True,
        definition__versions__status=VersionStatus.PUBLISHED,
    )  # fmt: skip
    return rows.select_related("definition", "author").order_by("definition__name", "id")


# By hand


def offered(record_kind: str, user) -> QuerySet[Trigger]:
    """What the user may start by hand on cards of a kind."""
    mine = Q(role=None) | Q(role__in=user.roles.values("pk"))
    return in_use(TriggerKind.HAND).filter(mine, definition__record_kind=record_kind)


def offered_on(record, user) -> QuerySet[Trigger]:
    """The same on one card: a type of counterparty may allow only some processes (`StartableProcess`)."""
    rows = offered(kind_label(type(record)), user)
    if not isinstance(record, Counterparty):
        return rows
    chosen = StartableProcess.objects.filter(counterparty_type=record.counterparty_type_id).order_by()
    return rows.filter(~Exists(chosen) | Exists(chosen.filter(definition=OuterRef("definition"))))


@transaction.atomic
def start_by_hand(*, trigger: Trigger, record, by) -> ProcessInstance:
    """Starts a process from a card. Raises PermissionDenied, ValidationError when it is not offered any more."""
    if not may(by, "view", record):
        raise PermissionDenied
    if trigger not in offered_on(record, by):
        raise ValidationError(_("This process cannot be started here."))
    return start_run(definition=trigger.definition, record=record, by=by, trigger=trigger)


# When something happens to a record


def watch(on: str, record, by, *, key: str, values: dict | None = None) -> None:
    """Leaves a job behind when what happened (`on`, a TriggerKind) may start a process. One query where it does not.

    `key` tells this occurrence from others of the same kind on the same record. `values`: variables of the run.
    """
    kind = kind_label(type(record))
    if in_use(on).filter(definition__record_kind=kind).exists():
        cause = chains.cause()
        args = {
            "on": on,
            "kind": kind,
            "record": record.pk,
            "by": by.pk if by else None,
            "cause": cause.pk if cause else None,
            "key": key,
            "values": encode(values or {}),
        }
        enqueue(kind=OCCURRED, key=f"{on}:{kind}:{key}", args=args, priority=PRIORITY)


@transaction.atomic
def start_on(
    *, on: str, kind: str, record_id: int, by_id: int | None, cause_id: int | None, key: str,
    values: dict | None = None,
) -> int:  # fmt: skip
    """Starts what the occurrence starts; how many runs. Whoever made it happen is the one who starts them."""
    found = kind_named(kind)
    record = found.model.objects.filter(pk=record_id).first() if found else None
    if record is None:
        return 0
    maker = User.objects.filter(pk=by_id, is_active=True).first()
    cause = ProcessInstance.objects.filter(pk=cause_id).first() if cause_id else None
    started = 0
    for trigger in in_use(on).filter(definition__record_kind=kind):
        by = maker if maker and may(maker, "view", record) else trigger.author
        if may(by, "view", record) and fits(trigger, record_id):
            start_run(
                definition=trigger.definition,
                record=record,
                by=by,
                start_key=f"trigger:{trigger.pk}:{key}",
                variables=values,
                trigger=trigger,
                cause=cause,
            )
            started += 1
    return started


def fits(trigger: Trigger, record_id: int) -> bool:
    """Whether the trigger's filters hold for a record, read with its author's rights."""
    return matching(trigger).filter(pk=record_id).exists()


def matching(trigger: Trigger) -> QuerySet:
    """The records for which the trigger's filters hold; without filters all that its author sees."""
    kind = trigger.definition.record_kind
    found = reopen(kind, trigger.query, trigger.author) if trigger.query else None
    if found is not None:
        return found.matching_rows.order_by()
    return kind_named(kind).visible(trigger.author).order_by()


# By a message


@transaction.atomic
def start_by_message(*, name: str, record_kind: str, record_id: int, values: dict, source: int) -> int:
    """Starts every process that begins with the message, on the record of the run that sent it. How many."""
    triggers = list(in_use(TriggerKind.MESSAGE).filter(message=name, definition__record_kind=record_kind))
    sender = ProcessInstance.objects.select_related("started_by").filter(pk=source).first()
    record = sender.record() if triggers and sender else None
    if record is None:
        return 0
    started = 0
    for trigger in triggers:
        by = next((user for user in (sender.started_by, trigger.author) if may(user, "view", record)), None)
        if by is not None:
            start_run(
                definition=trigger.definition, record=record, by=by, variables=values, trigger=trigger,
                cause=sender,
            )  # fmt: skip
            started += 1
    return started
