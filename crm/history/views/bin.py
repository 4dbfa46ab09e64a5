"""The recycle bin: putting a card in, looking inside, taking out, emptying."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.history.bin import (
    StillNeeded,
    attached_to,
    consequences_of,
    deletable_kinds,
    delete_record,
    is_deletable,
    restore_record,
)
from crm.history.bin_list import BinList
from crm.history.erasing import JOB, erasable, erasable_kinds, erase_bin
from crm.history.models import Deletion
from crm.jobs.services import open_job
from crm.people.kinds import RecordKind, kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
from crm.web.registry import menu_entries
from crm.web.toasts import toast
from crm.web.tokens import once

CHANGED = ("history-changed", "card-changed", "activity-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def record_deletion(request, kind: str, pk: int):
    """Asks before a record goes into the bin, saying what goes with it; the toast afterwards takes it back."""
    found = _deletable(kind)
    record = get_visible(found.model, request.user, pk, "delete")
    if request.method != "POST":
        return _confirmation(request, found, record)
    try:
        deletion = delete_record(
            record=record, by=request.user, with_attached=request.POST.get("with_attached") == "1"
        )
    except StillNeeded as refusal:
        return _confirmation(request, found, record, refusal.messages[0])
    undo = reverse("history:deletion_restoration", args=[deletion.pk])
    toast(request, _("“%(name)s” is in the recycle bin.") % {"name": deletion.title}, undo_url=undo)
    return _left(request, found, pk)


def _deletable(label: str) -> RecordKind:
    kind = kind_named(label)
    if kind is None or not is_deletable(label):
        raise Http404
    return kind


def _confirmation(request, kind: RecordKind, record, error: str = ""):
    attached = attached_to(record=record, user=request.user)
    context = {
        "kind": kind, "record": record, "attached": attached, "error": error,
        "consequences": consequences_of(record), "is_blocked": any(group.is_blocked for group in attached),
    }  # fmt: skip
    return page(
        request, "history/record_deletion.html", context, partial="form", status=422 if error else 200
    )


def _left(request, kind: RecordKind, pk: int):
    """From the deleted card on to its list; from any other page nowhere."""
    entry = next((entry for entry in menu_entries() if entry.kind == kind.label), None)
    url = reverse(entry.url_name if entry else "web:home")
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if not here or here.startswith(kind.url(pk)):
        return redirect(request, url)
    return done(request, url, *CHANGED)


@require_safe
def bin(request):
    """Everything deleted that the reader may restore, by kind and by person."""
    found = BinList(request.user, request.GET)
    ready = erasable(request.user) if erasable_kinds(request.user) else Deletion.objects.none()
    job = open_job(kind=JOB, key="bin")
    context = {
        "bin": found, "kinds": deletable_kinds(), "erasable": ready.count(),
        "job": job if job and job.by_id == request.user.pk else None,
    }  # fmt: skip
    return page(request, "history/bin.html", context, partial="rows")


@require_POST
@once
def deletion_restoration(request, pk: int):
    """Takes a record out again and opens its card."""
    deletion = get_object_or_404(Deletion.objects.visible_to(request.user), pk=pk)
    try:
        record = restore_record(deletion=deletion, by=request.user)
    except ValidationError as refusal:
        toast(request, refusal.messages[0], level=messages.ERROR)
        return redirect(request, reverse("history:bin"))
    toast(request, _("“%(name)s” is back.") % {"name": record})
    return redirect(request, kind_named(deletion.kind).url(record.pk))


@require_http_methods(["GET", "HEAD", "POST"])
@once
def bin_erasure(request):
    """Erases for good what has been in the bin for a month: administrators only, by a job."""
    if not erasable_kinds(request.user):
        raise PermissionDenied
    if request.method != "POST":
        context = {"count": erasable(request.user).count()}
        return page(request, "history/bin_erasure.html", context, partial="form")
    erase_bin(by=request.user)
    return redirect(request, reverse("history:bin"))
