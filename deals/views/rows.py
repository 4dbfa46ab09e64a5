"""What all panels of a deal's rows share: fetching a row, saving one value where it stands, removing a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.web.access import get_visible
from crm.web.htmx import page, redirect, trigger, wants_fragment
from crm.web.toasts import toast
from deals.cells import save_cell
from deals.models import Deal
from deals.parts import Part, RowConflict, remove_row
from deals.services import first_text

JOINED = ("counterparty", "stage", "deal_type", "owner")


@dataclass(frozen=True)
class RowsPage:
    """The panel of one part on the deal's card.

    `form`: what may be changed of a row where it stands. `context(request, deal)`: what `template` shows, with the
    rows as `rows`. `derived`: the template of what follows from a change, put in place beside the input.
    """

    part: Part
    form: type[forms.ModelForm]
    url_name: str
    template: str
    derived: str
    context: Callable[..., dict]

    def show(self, request, deal: Deal, *, status: int = 200, **more):
        """The panel."""
        context = {**self.context(request, deal, **more), "part": self.part}
        return page(request, self.template, context, partial="panel", status=status)

    def changed(self, request, deal: Deal, **more):
        """The panel after a change, or the way back to it without htmx."""
        if not wants_fragment(request):
            return redirect(request, reverse(self.url_name, args=[deal.pk]))
        return _told(self.show(request, deal, **more))


def _told(response):
    return trigger(response, "history-changed", "deal-changed")


def visible_deal(request, pk: int, action: str = "view") -> Deal:
    """404 unless the deal is seen, 403 unless the action is permitted."""
    deals = Deal.objects.select_related(*JOINED).with_rights(request.user, "edit")
    return get_visible(Deal, request.user, pk, action, queryset=deals)


def visible_row(request, rows: RowsPage, pk: int):
    """(deal, row): 404 unless the row's deal is seen, 403 unless it may be edited."""
    row = rows.part.model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    row.deal = visible_deal(request, row.deal_id, "edit")
    return row.deal, row


def update_row(request, rows: RowsPage, pk: int):
    """Saves one value of a row; the answer puts the input and what follows in place. 409 for another's change."""
    deal, row = visible_row(request, rows, pk)
    form = rows.form(instance=row)
    name = next(
        (name for name in form.fields if name in request.POST or f"{name}-sent" in request.POST), None
    )
    if name is None:
        raise Http404
    error, status = "", 200
    try:
        save_cell(part=rows.part, row=row, form=form, name=name, data=request.POST, by=request.user)
    except RowConflict as conflict:
        error, status = first_text(conflict), 409
    except ValidationError as refusal:
        error, status = first_text(refusal), 422
    if not wants_fragment(request):
        if error:
            toast(request, error, level=40)
        return redirect(request, reverse(rows.url_name, args=[deal.pk]))
    deal.refresh_from_db(fields=["amount"])
    response = page(
        request, "deals/_row_saved.html", _saved(request, rows, deal, pk, name, error), status=status
    )
    return response if error else _told(response)


def _saved(request, rows: RowsPage, deal: Deal, pk: int, name: str, error: str) -> dict:
    """The panel's context with the one row; an input that was refused keeps what was typed."""
    context = rows.context(request, deal)
    row = next((one for one in context["rows"] if one.pk == pk), None)
    if row is None:
        raise Http404
    cell = row.cells[name]
    cell.error = error
    typed = request.POST.get(name, "")[:200] if error else None
    return context | {"part": rows.part, "row": row, "cell": cell, "typed": typed, "derived": rows.derived}


def delete_row(request, rows: RowsPage, pk: int):
    """Takes a row away; the panel comes anew."""
    deal, row = visible_row(request, rows, pk)
    remove_row(part=rows.part, row=row, by=request.user)
    deal.refresh_from_db(fields=["amount"])
    toast(request, _("“%(name)s” is removed.") % {"name": row})
    return rows.changed(request, deal)
