"""The queue of possible duplicates: looking through it, deciding, and asking for a search."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from counterparties.matching.models import MatchPair, PairStatus
from counterparties.matching.queue import MIXED, Queue, decide
from counterparties.matching.registration import may_review
from counterparties.matching.registry import mergeable_kinds
from counterparties.matching.scanning import JOB, last_scan, request_scan
from crm.jobs.services import open_job
from crm.people.kinds import kind_named
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once


@require_safe
def pair_list(request):
    """Pairs of which the reader sees both records; `kind`, `sure`, `status` narrow, `after` goes on."""
    if not may_review(request.user):
        raise PermissionDenied
    queue = Queue(request.user, request.GET)
    job = open_job(kind=JOB, key="scan")
    kinds = [(label, kind_named(label).plural) for label in mergeable_kinds()]
    context = {
        "queue": queue, "kinds": [*kinds, (MIXED, _("leads and clients"))], "scan": last_scan(),
        "statuses": [(value, label) for value, label in PairStatus.choices if value != PairStatus.SETTLED],
        "job": job if job and job.by_id == request.user.pk else None, "is_running": job is not None,
    }  # fmt: skip
    return page(request, "matching/pair_list.html", context, partial="rows")


@require_POST
@once
def pair_decision(request, pk: int):
    """`status`: not a duplicate, later, or open again. The toast takes it back."""
    pair = get_object_or_404(MatchPair.objects.visible_to(request.user), pk=pk)
    try:
        decide(pair=pair, status=request.POST.get("status", ""), by=request.user)
        toast(request, _told(pair), undo_url=_undo(pair))
    except ValidationError as refusal:
        toast(request, refusal.messages[0], level=messages.ERROR)
    return done(request, reverse("matching:pair_list"), "pairs-changed")


def _told(pair: MatchPair) -> str:
    return {
        PairStatus.DIFFERENT: _("Both stay as they are, and the pair will not be shown again."),
        PairStatus.LATER: _("Put aside for later."),
    }.get(PairStatus(pair.status), _("The pair waits for a decision again."))


def _undo(pair: MatchPair) -> str:
    return reverse("matching:pair_reopening", args=[pair.pk]) if pair.status != PairStatus.OPEN else ""


@require_POST
@once
def pair_reopening(request, pk: int):
    """The undo of a decision."""
    pair = get_object_or_404(MatchPair.objects.visible_to(request.user), pk=pk)
    try:
        decide(pair=pair, status=PairStatus.OPEN, by=request.user)
        toast(request, _told(pair))
    except ValidationError as refusal:
        toast(request, refusal.messages[0], level=messages.ERROR)
    return done(request, reverse("matching:pair_list"), "pairs-changed")


@require_POST
@once
def scan_create(request):
    """Has what changed since the last search looked through; an administrator may ask for everything."""
    if not may_review(request.user):
        raise PermissionDenied
    request_scan(by=request.user, is_full=request.POST.get("full") == "1" and request.user.is_staff)
    return redirect(request, reverse("matching:pair_list"))
