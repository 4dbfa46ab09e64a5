"""What becomes of recordings: fetched by a job, heard on record, kept for the days of their connection, deleted.

A file is deleted in two steps, so that neither a crash nor a full disk leaves it behind: the row says that it is
purged, and a job removes the file until it is gone.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.history.models import Event
from crm.history.services import record_event
from crm.jobs.services import enqueue
from crm.people.access import kind_label
from crm.people.visibility import demand
from telephony.adapters.base import CannotCall
from telephony.adapters.fetching import MOST_SOUND, NotYet, sound_type
from telephony.models import Call, Connection, Recording, RecordingHold
from telephony.sealing import Unreadable

FETCH, ERASE = "telephony.fetch_recording", "telephony.erase_recording"
PATIENCE = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 10, 30, 120, 360))
"""How long after each time that it was not ready a recording is asked for again."""
ONE_LISTENING = timedelta(minutes=30)
HEARD, HELD, RELEASED, PURGED = (
    "recording_heard", "recording_held", "recording_released", "recording_purged",
)  # fmt: skip
Fetching = Recording.Fetching


class Held(ValidationError):
    """The recordings of the call are kept by a hold."""


# Fetching


def await_fetching(call: Call) -> None:
    """Leaves a job for every recording of the call that nobody has fetched yet."""
    for recording in call.recordings.filter(state=Fetching.WAITING, tries=0):
        _ask_later(recording, call.connection.fetch_after)


def _ask_later(recording: Recording, wait: timedelta) -> None:
    key = f"{recording.pk}:{recording.tries}"
    enqueue(kind=FETCH, key=key, args={"recording": recording.pk}, run_at=timezone.now() + wait)


def fetch(recording: Recording) -> bytes | None:
    """What the provider has, outside of any transaction; None where it could not be had, which the row says then."""
    try:
        with recording.call.connection.adapter.fetch_recording(recording.reference) as file:
            data = file.read(MOST_SOUND + 1)
        if len(data) > MOST_SOUND or not sound_type(data):
            raise CannotCall(_("What the provider sent is no sound."))
        return data
    except NotYet as error:
        _postpone(recording, str(error))
    except CannotCall as error:
        _give_up(recording, str(error))
    except (LookupError, Unreadable):
        _give_up(recording, _("The connection is not set up completely."))
    return None


@transaction.atomic
def _postpone(recording: Recording, why: str) -> None:
    if recording.tries >= len(PATIENCE):
        _give_up(recording, why)
        return
    wait = PATIENCE[recording.tries]
    recording.tries, recording.failure = recording.tries + 1, why[:300]
    recording.save(update_fields=["tries", "failure"])
    _ask_later(recording, wait)


def _give_up(recording: Recording, why: str) -> None:
    waiting = Recording.objects.filter(pk=recording.pk, state=Fetching.WAITING)
    waiting.update(state=Fetching.FAILED, failure=why[:300])


@transaction.atomic
def keep(recording: Recording, data: bytes) -> bool:
    """Stores what was fetched. False for a recording that was purged meanwhile."""
    row = Recording.objects.select_for_update(of=("self",)).select_related("call").get(pk=recording.pk)
    if row.state != Fetching.WAITING:
        return False
    name = row.content.field.generate_filename(row, "")
    row.content.storage.delete(name)
    row.content.save("", ContentFile(data), save=False)
    row.state, row.size, row.sha256 = Fetching.STORED, len(data), hashlib.sha256(data).hexdigest()
    row.content_type, row.failure = sound_type(data), ""
    row.save()
    return True


@transaction.atomic
def try_again(*, recording: Recording, by) -> bool:
    """Asks the provider anew for what could not be fetched. False where there is nothing to ask. PermissionDenied."""
    demand(by, "listen", recording.call)
    failed = Recording.objects.filter(pk=recording.pk, state=Fetching.FAILED)
    if not failed.update(state=Fetching.WAITING, tries=0, failure=""):
        return False
    enqueue(kind=FETCH, key=f"{recording.pk}:0", args={"recording": recording.pk}, by=by)
    return True


# Listening


@transaction.atomic
def note_listening(*, recording: Recording, by, from_start: bool) -> bool:
    """Puts on record that somebody listens; whether it was a listening of its own.

    Each that begins at the beginning is one. What a player asks for in the middle belongs to one that has begun
    within half an hour, else it is one as well.
    """
    heard = Event.objects.filter(
        kind=HEARD, subject_kind=kind_label(Call), subject_id=recording.call_id, actor=by,
        at__gt=timezone.now() - ONE_LISTENING, payload__recording=recording.pk,
    )  # fmt: skip
    if not from_start and heard.exists():
        return False
    record_event(kind=HEARD, subject=recording.call, by=by, payload={"recording": recording.pk})
    return True


# Keeping and deleting


@transaction.atomic
def hold_recordings(*, call: Call, reason: str, by) -> RecordingHold:
    """Keeps the recordings of the call whatever their time. Raises PermissionDenied, ValidationError."""
    demand(by, "hold", call)
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason:
        raise ValidationError({"reason": _("Say why the recordings are kept.")})
    if len(reason) > 300:
        raise ValidationError({"reason": _("Use at most %(most)s characters.") % {"most": 300}})
    call = Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
    hold, is_new = RecordingHold.objects.get_or_create(call=call, defaults={"reason": reason, "held_by": by})
    if not is_new:
        raise ValidationError(_("The recordings are kept already."))
    record_event(kind=HELD, subject=call, by=by, payload={"note": reason})
    return hold


@transaction.atomic
def release_recordings(*, call: Call, by) -> bool:
    """Lets go of what was held; from now on the time of the recordings counts again. Raises PermissionDenied."""
    demand(by, "hold", call)
    count, _rows = RecordingHold.objects.filter(call=call).delete()
    if count:
        record_event(kind=RELEASED, subject=call, by=by)
    return bool(count)


@transaction.atomic
def purge_recordings(*, call: Call, by) -> int:
    """Deletes all recordings of the call by hand. Raises PermissionDenied, Held."""
    demand(by, "purge", call)
    return _purge(call, by)


def _purge(call: Call, by) -> int:
    Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
    if RecordingHold.objects.filter(call=call).exists():
        raise Held(_("The recordings of this call are kept: let go of them first."))
    rows = list(call.recordings.exclude(state=Fetching.PURGED))
    for recording in rows:
        recording.state, recording.purged_at = Fetching.PURGED, timezone.now()
        recording.save(update_fields=["state", "purged_at"])
        if recording.content:
            enqueue(kind=ERASE, key=str(recording.pk), args={"recording": recording.pk})
    if rows:
        record_event(kind=PURGED, subject=call, by=by, payload={"count": len(rows)})
    return len(rows)


@transaction.atomic
def purge_outdated(most: int) -> int:
    """Deletes recordings older than their connection keeps them, unless they are held. How many calls had any."""
    now, too_old = timezone.now(), Q(pk__in=[])
    for pk, days in Connection.objects.values_list("pk", "retention_days"):
        too_old |= Q(call__connection=pk, created_at__lt=now - timedelta(days=days))
    old = Recording.objects.exclude(state=Fetching.PURGED).filter(too_old, call__recording_hold=None)
    pks = list(old.order_by("created_at").values_list("call_id", flat=True)[:most])
    for call in Call.objects.filter(pk__in=pks):
        _purge(call, None)
    return len(set(pks))


def erase_file(recording: Recording) -> None:
    """Removes the file of a purged recording; again does no harm."""
    if recording.state == Fetching.PURGED and recording.content:
        recording.content.storage.delete(recording.content.name)
        Recording.objects.filter(pk=recording.pk).update(content="", size=0)
