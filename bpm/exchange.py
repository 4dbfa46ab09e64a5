"""What runs say to each other: messages, signals, and processes that call other processes.

A run never reaches into another one: in the transaction of its step it leaves a job behind for each thing said, and
the job takes a step of the run it is meant for. So no two runs are ever locked at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from bpm import gates
from bpm.engine import events as say
from bpm.engine.phrases import Phrase
from bpm.engine.values import decode, encode
from bpm.models import InstanceStatus, ProcessDefinition, ProcessInstance, Subscription
from crm.jobs.services import enqueue

if TYPE_CHECKING:
    from bpm.effects import Gathered

MESSAGE, SIGNAL, HEAR, ESCALATE, RETURN, TELL = (
    "bpm.message",
    "bpm.signal",
    "bpm.hear",
    "bpm.escalate",
    "bpm.return",
    "bpm.tell",
)
PATIENCE = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=6))
"""How long a message waits for somebody to receive it: it may have been sent before the other side was ready."""


def write(step: Gathered) -> None:
    """The rows and jobs for what one step of a run says to others."""
    if step.unsubscribed:
        Subscription.objects.filter(instance=step.instance, token__in=step.unsubscribed).delete()
    Subscription.objects.bulk_create(
        Subscription(
            instance=step.instance, token=effect.token, node=effect.node, kind=effect.kind, name=effect.name[:200],
            key=effect.key[:200], since=step.now,
        )
        for effect in step.subscribed.values()
    )  # fmt: skip
    for effect in step.thrown:
        _throw(step, effect)
    for token in step.called_off:
        _call_off(step, token)
    for token, effect in step.calls.items():
        _call(step, token, effect)
    if step.state.status != "running" and step.instance.parent_id:
        args = {
            "instance": step.instance.parent_id,
            "token": step.instance.parent_token,
            "child": step.instance.pk,
        }
        enqueue(kind=RETURN, key=str(step.instance.pk), args=args | {"code": step.error_code}, priority=3)


def _throw(step: Gathered, effect: say.ThrowMessage | say.ThrowSignal | say.EscalationRaised) -> None:
    instance = step.instance
    if isinstance(effect, say.EscalationRaised):
        if instance.parent_id:
            args = {"instance": instance.parent_id, "token": instance.parent_token, "code": effect.code}
            enqueue(kind=ESCALATE, key=f"{instance.pk}:{effect.token}", args=args, priority=3)
        return
    args = {"source": instance.pk, "name": effect.name, "values": encode(effect.values)}
    if isinstance(effect, say.ThrowMessage):
        args |= {"key": effect.key, "record_kind": instance.record_kind, "record_id": instance.record_id}
    kind = MESSAGE if isinstance(effect, say.ThrowMessage) else SIGNAL
    enqueue(kind=kind, key=f"{instance.pk}:{effect.token}", args=args, priority=3)


# Calls


def _call(step: Gathered, token: int, effect: say.StartProcess) -> None:
    definition = ProcessDefinition.objects.filter(key=effect.process, is_active=True).first()
    version = definition.published() if definition else None
    if version is None or definition.record_kind != step.instance.record_kind:
        text = gettext_noop("There is no published process “%(process)s” that runs on such a record.")
        step.hold(token, effect.node, "call", Phrase(text, {"process": effect.process[:100]}))
        return
    child = ProcessInstance.objects.create(
        version=version,
        record_kind=step.instance.record_kind,
        record_id=step.instance.record_id,
        variables={name: encode(value) for name, value in effect.variables.items()},
        start_key=f"call:{step.instance.pk}:{token}:{step.instance.rev}",
        parent=step.instance,
        parent_token=token,
        started_by=step.instance.started_by,
    )
    enqueue(kind=gates.START, key=str(child.pk), args={"instance": child.pk}, priority=3)


def _call_off(step: Gathered, token: int) -> None:
    called = ProcessInstance.objects.filter(parent=step.instance, parent_token=token, ended_at=None)
    for pk in called.values_list("pk", flat=True):
        enqueue(kind=gates.CANCEL, key=str(pk), args={"instance": pk}, by=step.by, priority=3)


def depth_of(instance: ProcessInstance) -> int:
    """How many calls lie above a run. One query for each."""
    depth, parent_id = 0, instance.parent_id
    while parent_id is not None:
        depth += 1
        parent_id = ProcessInstance.objects.values_list("parent_id", flat=True).get(pk=parent_id)
    return depth


def returned(child_id: int, token: int, code: str) -> say.Event:
    """What the end of a called process means for the token that called it."""
    child = ProcessInstance.objects.select_related("version__definition").get(pk=child_id)
    if child.status == InstanceStatus.COMPLETED:
        return say.CallDone(token, decode(child.variables))
    return say.CallFailed(token, code, f"{child.version.definition} ({child.status})")


# Messages and signals


def receiver_of(name: str, key: str, record_kind: str, record_id: int) -> Subscription | None:
    """Whoever has waited longest for the message; without a key only runs on the same record are meant."""
    waiting = Subscription.objects.filter(kind="message", name=name, key=key)
    if not key:
        waiting = waiting.filter(instance__record_kind=record_kind, instance__record_id=record_id)
    return waiting.order_by("id").first()


@transaction.atomic
def wait_for_receiver(args: dict) -> None:
    """Nobody waits for the message yet: it is offered again later, and given up in the end."""
    tried = args.get("tried", 0)
    if tried < len(PATIENCE):
        again = args | {"tried": tried + 1}
        key = f"{args['source']}:{args['name'][:60]}:{timezone.now().isoformat()}"
        enqueue(kind=MESSAGE, key=key, args=again, run_at=timezone.now() + PATIENCE[tried], priority=3)


@transaction.atomic
def broadcast(*, name: str, values: dict, source: int | None) -> int:
    """Asks every run that listens to the signal to hear it; `source` has heard it already. Gives their number."""
    listening = Subscription.objects.filter(kind="signal", name=name).exclude(instance_id=source)
    found = list(listening.order_by("instance_id").values_list("instance_id", flat=True).distinct())
    stamp = timezone.now().isoformat()
    for pk in found:
        args = {"instance": pk, "name": name, "values": values}
        enqueue(kind=HEAR, key=f"{pk}:{name[:60]}:{source or stamp}:{stamp}", args=args, priority=3)
    return len(found)


@transaction.atomic(savepoint=False)
def tell_waiting(*, name: str, record_kind: str, record_id: int, values: dict, key: str) -> int:
    """Tells a fact of the CRM as a message to every run on the record that waits for it now; how many there are.

    `key` tells this fact from others of its name. Who begins to wait later does not hear it.
    """
    waiting = Subscription.objects.filter(
        kind="message", name=name, key="", instance__record_kind=record_kind, instance__record_id=record_id
    )
    found = list(waiting.order_by("id").values_list("instance_id", "token"))
    for pk, token in found:
        args = {"instance": pk, "token": token, "values": encode(values)}
        enqueue(kind=TELL, key=f"{pk}:{token}:{name[:60]}:{key}", args=args, priority=3)
    return len(found)
