"""The history of a card with its filters."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.history.cards import actors_of
from crm.history.cards import card_history as read_history
from crm.history.kinds import Group
from crm.people.kinds import RecordKind, kind_named
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import page


def kind_or_404(label: str) -> RecordKind:
    kind = kind_named(label)
    if kind is None:
        raise Http404
    return kind


@require_safe
def card_history(request, kind: str, pk: int):
    """A fragment: the card's events, filtered by group, person and period, from a cursor on."""
    record = get_visible(kind_or_404(kind).model, request.user, pk)
    return history_page(request, kind, record)


def history_page(request, kind: str, record, status: int = 200, error: str = ""):
    """The whole box, or only further lines where a cursor is given."""
    chosen = _chosen(request.GET)
    history = read_history(
        user=request.user, record=record, cursor=request.GET.get("cursor", "")[:60], **chosen
    )
    context = {
        "may_edit": may(request.user, "edit", record), "kind": kind, "record": record, "history": history,
        "error": error,
    }  # fmt: skip
    if request.GET.get("cursor"):
        context |= {"query": _query(chosen)}
        return page(request, "history/card_history.html", context, partial="lines", status=status)
    context |= _filters(record, chosen)
    return page(request, "history/card_history.html", context, partial="history", status=status)


def _chosen(params) -> dict:
    """The filters of the address that make sense."""
    group, actor = params.get("group", ""), params.get("actor", "")
    return {
        "group": group if group in Group.values else "",
        "actor_id": int(actor) if actor.isascii() and actor.isdecimal() and len(actor) < 10 else None,
        "since": _day(params.get("since", "")),
        "until": _day(params.get("until", "")),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _query(chosen: dict, **changes) -> str:
    given = {
        "group": chosen["group"], "actor": chosen["actor_id"], "since": chosen["since"],
        "until": chosen["until"], **changes,
    }  # fmt: skip
    return urlencode({name: value for name, value in given.items() if value})


def _filters(record, chosen: dict) -> dict:
    groups = [("", _("Everything")), *Group.choices]
    return {
        **chosen,
        "query": _query(chosen),
        "groups": [(value, label, _query(chosen, group=value)) for value, label in groups],
        "people": actors_of(record),
        "is_narrowed": any(chosen[name] for name in ("actor_id", "since", "until")),
        "everything": _query(dict.fromkeys(chosen), group=chosen["group"]),
    }
