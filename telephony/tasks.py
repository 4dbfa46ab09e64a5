"""After-effects of calls: dialling, calling back, leads, and calls whose end nobody told."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from deals.services import review_request
from telephony import listening, missed, recordings, services, simulator
from telephony.adapters.base import CannotCall
from telephony.adapters.simulator import PLAY
from telephony.events import CallFact, Kind, Result
from telephony.flows import flow_named
from telephony.health import forget_refusals
from telephony.ingest import take_in
from telephony.models import Call, CallEvent, Connection, Recording, State
from telephony.sealing import Unreadable

# Somebody who clicked and saw nothing for so long has given up: his phone must not ring out of the blue.
DIAL_WITHIN = timedelta(seconds=45)
UNHEARD = timedelta(minutes=2)
SILENT = timedelta(hours=4)
PURGED_AT_ONCE = 50


@handler(services.ORIGINATE, external=True, max_attempts=1)
def originate(run: JobRun) -> dict:
    """Asks the exchange to dial; what comes of it arrives as events."""
    rows = Call.objects.select_related("connection", "extension__user", "asked_by")
    call = rows.filter(pk=run.args["call"], state=State.STARTED).first()
    if call is None:
        return {}
    with override(call.asked_by.language):
        try:
            if timezone.now() - call.started_at > DIAL_WITHIN:
                raise CannotCall(_("The exchange was not asked in time. Try again."))
            provider_id = call.connection.adapter.originate(call)
        except (CannotCall, LookupError, Unreadable) as error:
            text = (
                str(error) if isinstance(error, CannotCall) else _("The connection is not set up completely.")
            )
            services.fail_call(call=call, reason=text)
            return {"failed": 1}
    if provider_id:
        with run.slice():
            _name(call, provider_id)
    return {}


def _name(call: Call, provider_id: str) -> None:
    """The provider's id, unless its first event has told it already."""
    others = Call.objects.filter(connection=call.connection_id, provider_id=provider_id)
    if not others.exists():
        Call.objects.filter(pk=call.pk, provider_id=None).update(provider_id=provider_id)


@handler(PLAY, long=True, max_attempts=1)
def play(run: JobRun) -> dict:
    """A call of the simulator, event by event."""
    connection = Connection.objects.filter(pk=run.args["connection"], is_active=True).first()
    if connection is None:
        return {}
    flow, cast = flow_named(run.args["flow"]), run.args["cast"]
    for done, _event in enumerate(simulator.play(connection, flow, cast, speed=run.args["speed"]), start=1):
        run.save(done=done, total=len(flow.steps))
    return {"call": cast["call"]}


@handler(services.REVIEW)
def review_move(run: JobRun) -> dict:
    """What was talked about may be the last thing that a deal's move waits for."""
    with run.slice():
        review_request(deal_id=run.args["deal"], by=run.by)
    return {}


@handler(recordings.FETCH, long=True)
def fetch_recording(run: JobRun) -> dict:
    """From the provider into our own store. One that is not ready is asked for again by a later job."""
    rows = Recording.objects.select_related("call__connection")
    recording = rows.filter(pk=run.args["recording"], state=Recording.Fetching.WAITING).first()
    data = recordings.fetch(recording) if recording else None
    if recording is None or data is None:
        return {}
    with run.slice():
        return {"stored": recordings.keep(recording, data)}


@handler(recordings.ERASE)
def erase_recording(run: JobRun) -> dict:
    """A purged recording leaves the disk."""
    recording = Recording.objects.filter(pk=run.args["recording"]).first()
    if recording is not None:
        recordings.erase_file(recording)
    return {}


@handler("telephony.purge", every=timedelta(hours=1))
def purge_outdated(run: JobRun) -> dict:
    """Recordings whose time is over."""
    purged = 0
    while True:
        with run.slice():
            count = recordings.purge_outdated(PURGED_AT_ONCE)
        purged += count
        if not count:
            return {"purged": purged}


@handler(missed.JOB)
def settle_missed(run: JobRun) -> dict:
    """The grace after a missed call is over."""
    with run.slice():
        missed.settle(run.args["call"])
    return {}


@handler(missed.ESCALATE_JOB)
def escalate_missed(run: JobRun) -> dict:
    """The time to return a missed call is over."""
    with run.slice():
        return {"told": len(missed.escalate(run.args["activity"]))}


@handler(missed.LEAD_JOB)
def make_lead(run: JobRun) -> dict:
    """A number that nobody knows becomes a lead."""
    with run.slice():
        lead = missed.make_lead(run.args["call"])
    return {"lead": lead.pk if lead else None}


@handler("telephony.reap", every=timedelta(minutes=1))
def close_silent(run: JobRun) -> dict:
    """Calls that were never dialled fail; those of which nothing was heard for hours are over, nobody knows how."""
    closed, now = 0, timezone.now()
    for call in Call.objects.filter(state=State.STARTED, provider_id=None, started_at__lt=now - UNHEARD)[
        :100
    ]:
        with run.slice(), override(call.asked_by.language):
            closed += services.fail_call(call=call, reason=_("The exchange has not answered."))
    heard = CallEvent.objects.filter(call=OuterRef("pk"), received_at__gt=now - SILENT)
    silent = Call.objects.live().filter(started_at__lt=now - SILENT, provider_id__isnull=False)
    for call in silent.exclude(Exists(heard)).select_related("connection")[:100]:
        with run.slice():
            closed += bool(close_as_lost(call))
    return {"closed": closed}


@transaction.atomic
def close_as_lost(call: Call) -> list[Call]:
    """Ends a call at the last moment anything was heard of it. A real end that is told later takes its place."""
    last = call.events.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    fact = CallFact(call=call.provider_id, kind=Kind.ENDED, at=last or call.started_at, result=Result.LOST)
    return take_in(connection=call.connection, facts=[fact])


@handler("telephony.watch", every=timedelta(minutes=1))
def watch(run: JobRun) -> dict:
    """Whether this installation wants a listener, told to whoever supervises its processes."""
    return {"wanted": listening.mark_wanted()}


@handler("telephony.forget", every=timedelta(days=1))
def forget(run: JobRun) -> dict:
    """Counts of refused posts that nobody looks at any more."""
    with run.slice():
        return {"forgotten": forget_refusals()}
