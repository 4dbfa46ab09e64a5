"""The history of a card, and notes on it."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from crm.history.cards import card_history as read_history
from crm.history.kinds import Group
from crm.history.services import add_comment
from crm.people.kinds import RecordKind, kind_named
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import page, trigger


def _kind(label: str) -> RecordKind:
    kind = kind_named(label)
    if kind is None:
        raise Http404
    return kind


@require_safe
def card_history(request, kind: str, pk: int):
    """A fragment: the card's events, filtered by group and person, from a cursor on."""
    record = get_visible(_kind(kind).model, request.user, pk)
    return _history_page(request, kind, record)


def _history_page(request, kind: str, record, status: int = 200, error: str = ""):
    group = request.GET.get("group", "")
    actor = request.GET.get("actor", "")
    history = read_history(
        user=request.user,
        record=record,
        group=group if group in Group.values else "",
        actor_id=int(actor) if actor.isdecimal() and len(actor) < 10 else None,
        cursor=request.GET.get("cursor", "")[:60],
    )
    context = {
        "may_edit": may(request.user, "edit", record),
        "kind": kind, "record": record, "history": history, "group": group, "groups": Group.choices, "error": error,
    }  # fmt: skip
    partial = "lines" if request.GET.get("cursor") else "history"
    return page(request, "history/card_history.html", context, partial=partial, status=status)


@require_POST
def comment_create(request, kind: str, pk: int):
    """Leaves a note; answers with the fresh history, or goes back to the card without JavaScript."""
    record = get_visible(_kind(kind).model, request.user, pk)
    try:
        add_comment(record=record, text=request.POST.get("text", ""), by=request.user)
    except ValidationError as error:
        return _history_page(request, kind, record, status=422, error=error.messages[0])
    if not request.htmx:
        return redirect(_kind(kind).url(pk))
    return trigger(_history_page(request, kind, record), "history-changed")
