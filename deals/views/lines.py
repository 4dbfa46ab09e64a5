"""The lines on a deal's card: adding, changing where they stand, removing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.access import get_visible
from crm.web.htmx import page, redirect, trigger, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.cells import cells_of, save_cell
from deals.line_forms import LineForm, NewLineForm
from deals.lines import LINES, add_line
from deals.models import Deal, DealLine, DealSettings, TaxRate
from deals.parts import RowConflict, remove_row
from deals.services import first_text
from deals.sums import total_of

PANEL = "deals/deal_lines.html"
JOINED = ("counterparty", "stage", "deal_type", "owner")


def _deal(request, pk: int, action: str = "view") -> Deal:
    deals = Deal.objects.select_related(*JOINED).with_rights(request.user, "edit")
    return get_visible(Deal, request.user, pk, action, queryset=deals)


def _line(request, pk: int) -> tuple[Deal, DealLine]:
    """404 unless the deal of the line is seen, 403 unless it may be edited."""
    line = DealLine.objects.filter(pk=pk).first()
    if line is None:
        raise Http404
    deal = _deal(request, line.deal_id, "edit")
    line.deal = deal
    return deal, line


def _rate_choices(lines: list[DealLine]) -> list[tuple[str, str]]:
    """The rates on offer and those the lines have. One query."""
    used = {line.tax_rate_id for line in lines}
    rates = [rate for rate in TaxRate.objects.all() if rate.is_active or rate.pk in used]
    return [("", "–"), *((str(rate.pk), str(rate)) for rate in rates)]


def panel_context(request, deal: Deal, form: NewLineForm | None = None) -> dict:
    """What the panel shows; without money for whom the amount is hidden from. Three queries."""
    lines = LINES.rows(deal)
    may_edit = deal.may_edit and not LINES.is_locked(request.user)
    choices = {"tax_rate": _rate_choices(lines)} if lines else {}
    labels = dict(choices.get("tax_rate", ()))
    form = form or (NewLineForm(deal=deal, user=request.user) if may_edit else None)
    if form is not None:
        # After a line was added the ids are others, so the focus goes on to the next line.
        form.auto_id = f"line{len(lines)}_%s"
    for line in lines:
        line.deal = deal
        line.rate_label = labels.get(str(line.tax_rate_id), "")
        line.cells = cells_of(LINES, line, LineForm, reverse("deals:line_update", args=[line.pk]), choices)
    return {
        "deal": deal, "lines": lines, "totals": total_of(lines), "may_edit": may_edit,
        "sees_money": not LINES.is_hidden(request.user), "basis": DealSettings.read().amount_basis,
        "form": form,
    }  # fmt: skip


def _changed(response):
    return trigger(response, "history-changed", "deal-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_lines(request, pk: int):
    """The panel; a POST adds a line and gives the panel anew, ready for the next one."""
    posting = request.method == "POST"
    deal = _deal(request, pk, "edit" if posting else "view")
    if not posting:
        return page(request, PANEL, panel_context(request, deal), partial="panel")
    form = NewLineForm(request.POST, deal=deal, user=request.user)
    if form.is_valid():
        try:
            add_line(deal=deal, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            if not wants_fragment(request):
                return redirect(request, reverse("deals:deal_lines", args=[pk]))
            context = panel_context(request, deal) | {"is_fresh": True}
            return _changed(page(request, PANEL, context, partial="panel"))
    return page(request, PANEL, panel_context(request, deal, form), partial="panel", status=422)


@require_POST
@once
def line_update(request, pk: int):
    """Saves one value of a line; the answer puts the input and the sums in place. 409 for another's change."""
    deal, line = _line(request, pk)
    form = LineForm(instance=line)
    name = next((name for name in form.fields if name in request.POST), None)
    if name is None:
        raise Http404
    error, status = "", 200
    try:
        line = save_cell(part=LINES, row=line, form=form, name=name, data=request.POST, by=request.user)
    except RowConflict as conflict:
        error, status = first_text(conflict), 409
    except ValidationError as refusal:
        error, status = first_text(refusal), 422
    if not wants_fragment(request):
        if error:
            toast(request, error, level=40)
        return redirect(request, reverse("deals:deal_lines", args=[deal.pk]))
    response = page(
        request, "deals/_line_saved.html", _saved(request, deal, line.pk, name, error), status=status
    )
    return response if error else _changed(response)


def _saved(request, deal: Deal, pk: int, name: str, error: str) -> dict:
    """The panel's context with the one line; an input that was refused keeps what was typed."""
    context = panel_context(request, deal)
    line = next((one for one in context["lines"] if one.pk == pk), None)
    if line is None:
        raise Http404
    cell = line.cells[name]
    cell.error = error
    return context | {
        "line": line,
        "cell": cell,
        "typed": request.POST.get(name, "")[:200] if error else None,
    }


@require_POST
@once
def line_delete(request, pk: int):
    """Takes a line away; the panel comes anew."""
    deal, line = _line(request, pk)
    remove_row(part=LINES, row=line, by=request.user)
    deal.refresh_from_db(fields=["amount"])
    toast(request, _("“%(name)s” is removed.") % {"name": line})
    if not wants_fragment(request):
        return redirect(request, reverse("deals:deal_lines", args=[deal.pk]))
    return _changed(page(request, PANEL, panel_context(request, deal), partial="panel"))
