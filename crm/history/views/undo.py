"""Taking one edit back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.history.models import Event
from crm.history.undoing import Undo, can_undo, demand_something, plan_undo, undo_event
from crm.people.kinds import kind_named
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def event_undo(request, pk: int):
    """Shows what would go back and what stays because it was changed since; a POST does it."""
    event = get_object_or_404(Event.objects.prefetch_related("changes"), pk=pk)
    kind = kind_named(event.subject_kind)
    if kind is None:
        raise Http404
    record = get_visible(kind.model, request.user, event.subject_id, "edit")
    if not can_undo(event, list(event.changes.all())):
        raise Http404
    error = _undone(request, event) if request.method == "POST" else ""
    if request.method == "POST" and not error:
        changed = {f"{record._meta.model_name}_changed": {"id": record.pk}}
        events = ("history-changed", "card-changed", "activity-changed")
        return done(request, kind.url(record.pk), *events, **changed)
    context = {"event": event, "record": record, "kind": kind, "error": error}
    context["plan"] = plan_undo(event=event, record=record, by=request.user)
    return page(request, "history/event_undo.html", context, partial="form", status=422 if error else 200)


def _undone(request, event: Event) -> str:
    """Empty when it worked; else what to say."""
    try:
        plan = undo_event(event=event, by=request.user)
        demand_something(plan)
    except ValidationError as refusal:
        return refusal.messages[0]
    _tell(request, plan)
    return ""


def _tell(request, plan: Undo) -> None:
    if not plan.skipped:
        toast(request, _("Undone."))
        return
    names = ", ".join(_(each.change.label) for each in plan.skipped)
    toast(request, _("Undone, except: %(fields)s.") % {"fields": names}, level=messages.WARNING)
