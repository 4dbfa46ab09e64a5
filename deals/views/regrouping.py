"""A deal sent to another column of a board by owner or by month: handed over, or to close in another month."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.history.editing import EditConflict
from crm.history.models import Event
from crm.web.access import get_visible
from crm.web.htmx import done, page, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.forms import AssignmentForm, CloseMonthForm, ColumnForm
from deals.models import Deal
from deals.services import edit_deal
from deals.views.board import moved_on_board
from deals.views.moves import BOARD


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_assignment(request, pk: int):
    """Hands a deal over to `owner`; the GET offers those whom the reader may give it to."""
    deal = _writable(request, pk, "owner", "assign")
    return _regroup(request, deal, AssignmentForm)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_close_month(request, pk: int):
    """The same day of another `month` (`2026-11`, or `none`) as close date; the GET offers the coming months."""
    deal = _writable(request, pk, "close_date", "edit")
    return _regroup(request, deal, CloseMonthForm)


def _writable(request, pk: int, field: str, action: str) -> Deal:
    deals = Deal.objects.select_related("counterparty", "owner", "funnel")
    deal = get_visible(Deal, request.user, pk, "edit", queryset=deals)
    if action != "edit":
        deal = get_visible(Deal, request.user, pk, action, queryset=deals)
    if field in request.user.access.locked_fields(Deal):
        raise PermissionDenied
    return deal


def _regroup(request, deal: Deal, form_class: type[ColumnForm]):
    form = form_class(request.POST if request.method == "POST" else None, deal=deal, user=request.user)
    status = _written(request, deal, form) if request.method == "POST" else 200
    on_board = wants_fragment(request) and request.htmx.target == BOARD
    if on_board and request.method == "POST":
        return moved_on_board(request, deal, status)
    if request.method == "POST" and status == 200:
        url = reverse("deals:deal_detail", args=[deal.pk])
        return done(request, url, "history-changed", "card-changed", deal_changed={"id": deal.pk})
    return page(
        request, "deals/deal_regrouping.html", {"form": form, "deal": deal}, partial="form", status=status
    )


def _written(request, deal: Deal, form: ColumnForm) -> int:
    """The status of the answer; whatever went wrong is on the form, and said."""
    if not form.is_valid():
        toast(request, " ".join(form.all_errors), level=messages.ERROR)
        return 422
    try:
        values = form.values()
        version = form.cleaned_data["version"] or deal.version
        changed = edit_deal(deal=deal, values=values, version=version, by=request.user)
    except EditConflict:
        text = _("Somebody has just changed the same field. Look at the card and try again.")
        form.add_error(None, text)
        toast(request, text, level=messages.ERROR)
        return 409
    if changed:
        event = Event.objects.filter(
            subject_kind="deals.deal", subject_id=deal.pk, kind="deal_changed", actor=request.user
        ).latest("pk")
        toast(request, form.told(), undo_url=reverse("history:event_undo", args=[event.pk]))
    return 200
