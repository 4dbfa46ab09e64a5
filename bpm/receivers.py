"""Reactions to the areas below: each writes rows and returns."""

from django.dispatch import receiver

from bpm import exchange, gates, triggers
from bpm.control import MOVERS
from bpm.effects import CALL, FAIL, PRIORITY, STEP
from bpm.models import ProcessInstance, TriggerKind
from counterparties.signals import contact_created, counterparty_created
from crm.history.signals import record_erasing, records_deleted
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.jobs.signals import job_ended
from deals.models import DealStatus, TransitionCause
from deals.signals import (
    deal_created,
    deal_request_withdrawn,
    deal_stage_changed,
    deal_stage_refused,
    deal_stage_requested,
)
from leads.signals import lead_created
from telephony.models import CARDS, Call
from telephony.signals import call_ended, call_missed

HOLD = "bpm.hold"
CALL_ENDED, CALL_MISSED = "call ended", "call missed"
"""The messages that runs on a card hear of its calls."""


@receiver(deal_stage_requested, dispatch_uid="bpm.hold_request")
def hold_guarded_move(request, **_kwargs):
    """A request to pass a guarded way starts a run and waits for it."""
    return gates.hold_request(request)


@receiver(deal_request_withdrawn, dispatch_uid="bpm.abandon_request")
def abandon_withdrawn(request, by, **_kwargs) -> None:
    gates.abandon(request.pk, by=by)


@receiver(deal_stage_changed, dispatch_uid="bpm.abandon_overridden")
def abandon_overridden(transition, by, calls_off, **_kwargs) -> None:
    """Somebody moved the deal past its gate, and wants what held it to stop."""
    if transition.cause == TransitionCause.OVERRIDE and transition.request_id and calls_off:
        gates.abandon(transition.request_id, by=by)


@receiver(deal_stage_refused, dispatch_uid="bpm.abandon_refused")
def abandon_refused(request, by, **_kwargs) -> None:
    """One gate refused; what the others wait for is no longer wanted."""
    gates.abandon(request.pk, by=by)


@receiver(records_deleted, dispatch_uid="bpm.abandon_deleted")
def abandon_deleted(sender, records, by, **_kwargs) -> None:
    """Runs on deleted cards are called off, by jobs: the cards are locked now."""
    open_runs = ProcessInstance.objects.filter(
        record_kind=sender._meta.label_lower, record_id__in=[one.pk for one in records], ended_at=None
    )
    for pk in open_runs.values_list("pk", flat=True):
        enqueue(kind=gates.CANCEL, key=str(pk), args={"instance": pk}, by=by, priority=PRIORITY)


def _watch_created(record, by) -> None:
    triggers.watch(TriggerKind.CREATED, record, by, key=str(record.pk))


@receiver(deal_stage_changed, dispatch_uid="bpm.deal_closed")
def watch_closed_deal(deal, transition, by, **_kwargs) -> None:
    """A deal was won or lost; a deal that is reopened and closed again closes anew."""
    on = {DealStatus.WON: TriggerKind.WON, DealStatus.LOST: TriggerKind.LOST}.get(transition.to_status)
    if on and transition.from_status != transition.to_status:
        triggers.watch(on, deal, by, key=f"{deal.pk}:{transition.pk}")


@receiver(deal_created, dispatch_uid="bpm.deal_created")
def watch_new_deal(deal, by, **_kwargs) -> None:
    _watch_created(deal, by)


@receiver(lead_created, dispatch_uid="bpm.lead_created")
def watch_new_lead(lead, by, **_kwargs) -> None:
    _watch_created(lead, by)


@receiver(counterparty_created, dispatch_uid="bpm.counterparty_created")
def watch_new_counterparty(counterparty, by, **_kwargs) -> None:
    _watch_created(counterparty, by)


@receiver(contact_created, dispatch_uid="bpm.contact_created")
def watch_new_contact(contact, by, **_kwargs) -> None:
    _watch_created(contact, by)


@receiver(call_ended, dispatch_uid="bpm.call_ended")
def watch_ended_call(call, **_kwargs) -> None:
    _tell_of_call(call, TriggerKind.CALL, CALL_ENDED)


@receiver(call_missed, dispatch_uid="bpm.call_missed")
def watch_missed_call(call, **_kwargs) -> None:
    _tell_of_call(call, TriggerKind.MISSED, CALL_MISSED)


def _tell_of_call(call: Call, on: str, message: str) -> None:
    """On every card of the call: runs that wait for it go on, and starts take place."""
    values = {
        "call_direction": call.direction, "call_result": call.result, "call_seconds": call.talk_seconds,
        "call_waiting": call.wait_seconds,
    }  # fmt: skip
    for kind, pk in call.card_keys():
        exchange.tell_waiting(name=message, record_kind=kind, record_id=pk, values=values, key=str(call.pk))
    for name in CARDS:
        if (record := getattr(call, name)) is not None:
            triggers.watch(on, record, call.owner, key=f"{record.pk}:{call.pk}", values=values)


@receiver(record_erasing, dispatch_uid="bpm.erase_runs")
def erase_runs(record, **_kwargs) -> None:
    """Runs are erased with their card, those started by others first."""
    runs = ProcessInstance.objects.filter(record_kind=record._meta.label_lower, record_id=record.pk)
    while leaves := list(runs.filter(children=None).values_list("pk", flat=True)):
        ProcessInstance.objects.filter(pk__in=leaves).delete()


@receiver(job_ended, dispatch_uid="bpm.job_ended")
def report_failed_job(job, **_kwargs) -> None:
    """A step that failed for good becomes an incident, by a job: the closing job's row is locked before the run's."""
    if job.status not in (Job.Status.FAILED, Job.Status.DOUBTFUL) or "instance" not in job.arguments:
        return
    args = {"instance": job.arguments["instance"], "message": job.error[:500]}
    if job.kind in (STEP, CALL):
        args |= {"token": job.arguments["token"], "code": str(job.status)}
        enqueue(kind=FAIL, key=f"{args['instance']}:{args['token']}", args=args, priority=PRIORITY)
    elif job.kind in MOVERS:
        enqueue(kind=HOLD, key=f"{job.kind}:{args['instance']}", args=args, priority=PRIORITY)
