"""Processes on the cards of records: the panel with their runs, and starting one by hand."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bpm import pages, run_pages, triggers
from bpm.models import ProcessInstance, Trigger
from crm.people.kinds import kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once

SHOWN = 50


@require_safe
def record_processes(request, pk: int, kind: str):
    """The panel on a card: its runs, and what may be started on it."""
    record = _record(request, kind, pk)
    runs = ProcessInstance.objects.filter(record_kind=kind, record_id=record.pk)
    runs = list(runs.select_related("version__definition", "started_by").order_by("-id")[:SHOWN])
    context = {"url_name": pages.PANELS[kind], "rows": run_pages.with_waits(request.user, runs)}
    return render(request, "bpm/_record_processes.html", context | _offers(request.user, record, kind))


def _record(request, kind: str, pk: int):
    if kind not in pages.PANELS:
        raise Http404
    return get_visible(kind_named(kind).model, request.user, pk)


def _offers(user, record, kind: str) -> dict:
    """Each process once, also where one start is for all and another for a role of the user's."""
    once_each = {trigger.definition_id: trigger for trigger in triggers.offered_on(record, user)}
    return {"record": record, "kind": kind, "offered": list(once_each.values())}


@require_safe
def run_offers(request, kind: str, pk: int):
    """What may be started on a card, for the button in its head."""
    context = _offers(request.user, _record(request, kind, pk), kind)
    return page(request, "bpm/run_offers.html", context, partial="offers")


@require_POST
@once
def run_start(request, kind: str, pk: int, trigger: int):
    """Starts a process on a card by hand."""
    record, rows = _record(request, kind, pk), Trigger.objects.select_related("definition", "author")
    found = get_object_or_404(rows, pk=trigger, definition__record_kind=kind)
    try:
        triggers.start_by_hand(trigger=found, record=record, by=request.user)
    except ValidationError as error:
        toast(request, " ".join(error.messages), level=messages.WARNING)
    else:
        toast(request, _("“%(process)s” was started.") % {"process": found.definition})
    return done(request, f"{kind_named(kind).url(pk)}?panel=processes", "task-done", "history-changed")
