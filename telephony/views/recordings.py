"""Recordings: heard piece by piece and on record, kept longer, deleted by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once
from telephony import recordings
from telephony.models import Call, Recording
from telephony.models.calls import RECORDING_RIGHTS

PIECE = 64 * 1024
CHANGED = ("call-changed", "history-changed")
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})\Z")
ENDINGS = {
    "audio/wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/mp4": "m4a", "audio/flac": "flac",
    "audio/amr": "amr", "audio/webm": "webm",
}  # fmt: skip


class NotInFile(ValueError):
    """The range begins behind the end of the file."""


def _audible(request, pk: int) -> Recording:
    """404 where the call is not seen, 403 where it is but its recordings are not the reader's to hear."""
    recording = get_object_or_404(Recording.objects.select_related("call"), pk=pk)
    get_visible(Call, request.user, recording.call_id, "listen")
    return recording


@require_safe
def recording_detail(request, pk: int):
    """A fragment: the player of one recording."""
    recording = _audible(request, pk)
    if not recording.is_stored:
        raise Http404
    context = {"recording": recording, "call": recording.call}
    return page(request, "telephony/recording_detail.html", context, partial="player")


@require_safe
def recording_sound(request, pk: int):
    """The sound, whole or the range that was asked for. Each listening is put on record first."""
    recording = _audible(request, pk)
    if not recording.is_stored or not recording.content.storage.exists(recording.content.name):
        raise Http404
    given = request.headers.get("Range", "")
    if given and request.headers.get("If-Range", _tag(recording)) != _tag(recording):
        given = ""
    try:
        found = range_of(given, recording.size)
    except NotInFile:
        return _guarded(HttpResponse(status=416), recording, **{"Content-Range": f"bytes */{recording.size}"})
    first, last = found or (0, recording.size - 1)
    told = {"Content-Length": str(last - first + 1), "Content-Type": recording.content_type}
    if found:
        told["Content-Range"] = f"bytes {first}-{last}/{recording.size}"
    if request.method == "HEAD":
        return _guarded(HttpResponse(status=206 if found else 200), recording, **told)
    recordings.note_listening(recording=recording, by=request.user, from_start=first == 0)
    answer = StreamingHttpResponse(_pieces(recording, first, last), status=206 if found else 200)
    return _guarded(answer, recording, **told)


def range_of(given: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of what was asked for; None for the whole. Raises NotInFile.

    Several ranges at once, or what is no range, are answered with the whole, as the protocol allows.
    """
    match = _RANGE.match(given.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        if not int(last):
            raise NotInFile
        return max(0, size - int(last)), size - 1
    if int(first) >= size:
        raise NotInFile
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end) if end >= int(first) else None


def _pieces(recording: Recording, first: int, last: int) -> Iterator[bytes]:
    with recording.content.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _tag(recording: Recording) -> str:
    return f'"{recording.sha256[:32]}"'


def _guarded(answer, recording: Recording, **headers: str):
    ending = ENDINGS.get(recording.content_type, "bin")
    answer["Accept-Ranges"], answer["ETag"] = "bytes", _tag(recording)
    answer["Cache-Control"], answer["X-Content-Type-Options"] = "private, no-store", "nosniff"
    answer["Content-Disposition"] = f'inline; filename="recording-{recording.pk}.{ending}"'
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    for name, value in headers.items():
        answer[name] = value
    return answer


@require_POST
def recording_retry(request, pk: int):
    """Asks the provider again."""
    recording = _audible(request, pk)
    if recordings.try_again(recording=recording, by=request.user):
        toast(request, _("The provider is asked again."))
    return done(request, _url(recording.call), *CHANGED)


class HoldForm(forms.Form):
    """Why recordings are kept."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300,
        help_text=gettext_lazy("Such as the number of the case. It stays on record."),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@once
def call_hold(request, pk: int):
    """Keeps the recordings of a call whatever their time."""
    call = get_visible(Call, request.user, pk, "hold")
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            recordings.hold_recordings(call=call, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("The recordings are kept."))
            return done(request, _url(call), *CHANGED)
    return _dialog(request, "telephony/call_hold.html", call, form)


@require_POST
def call_release(request, pk: int):
    """Lets go of held recordings."""
    call = get_visible(Call, request.user, pk, "hold")
    if recordings.release_recordings(call=call, by=request.user):
        toast(request, _("The time of the recordings counts again."))
    return done(request, _url(call), *CHANGED)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def call_purge(request, pk: int):
    """Deletes the recordings of a call, after a question."""
    call = get_visible(Call, request.user, pk, "purge")
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            recordings.purge_recordings(call=call, by=request.user)
        except recordings.Held as held:
            form.add_error(None, held)
        else:
            toast(request, _("Deleted."))
            return done(request, _url(call), *CHANGED)
    return _dialog(request, "telephony/call_purge.html", call, form)


def _dialog(request, template: str, call: Call, form):
    context = {"call": call, "form": form, "count": call.recordings.exclude(state="purged").count()}
    return page(request, template, context, partial="form", status=422 if form.is_bound else 200)


def recording_rights(user, call: Call) -> dict[str, bool]:
    """{listen, hold, purge: whether the reader may}."""
    return {action: may(user, action, call) for action in RECORDING_RIGHTS}


def _url(call: Call) -> str:
    return reverse("telephony:call_detail", args=[call.pk])
