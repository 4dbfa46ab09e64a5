"""The lines on a deal's card: adding, changing where they stand, removing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.tokens import once
from deals.cells import cells_of
from deals.line_forms import LineForm, NewLineForm
from deals.lines import LINES, add_line
from deals.models import Deal, DealLine, DealSettings, TaxRate
from deals.sums import total_of
from deals.views.rows import RowsPage, delete_row, update_row, visible_deal


def _rate_choices(lines: list[DealLine]) -> list[tuple[str, str]]:
    """The rates on offer and those the lines have. One query."""
    used = {line.tax_rate_id for line in lines}
    rates = [rate for rate in TaxRate.objects.all() if rate.is_active or rate.pk in used]
    return [("", "–"), *((str(rate.pk), str(rate)) for rate in rates)]


def _context(request, deal: Deal, form: NewLineForm | None = None, **more) -> dict:
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
        "deal": deal, "rows": lines, "totals": total_of(lines), "may_edit": may_edit, "form": form,
        "sees_money": not LINES.is_hidden(request.user), "basis": DealSettings.read().amount_basis, **more,
    }  # fmt: skip


PAGE = RowsPage(
    LINES, LineForm, "deals:deal_lines", "deals/deal_lines.html", "deals/_line_derived.html", _context
)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_lines(request, pk: int):
    """The panel; a POST adds a line and gives the panel anew, ready for the next one."""
    posting = request.method == "POST"
    deal = visible_deal(request, pk, "edit" if posting else "view")
    if not posting:
        return PAGE.show(request, deal)
    form = NewLineForm(request.POST, deal=deal, user=request.user)
    if form.is_valid():
        try:
            add_line(deal=deal, by=request.user, **form.cleaned_data)
            return PAGE.changed(request, deal, is_fresh=True)
        except ValidationError as error:
            form.refuse(error)
    return PAGE.show(request, deal, form=form, status=422)


@require_POST
@once
def line_update(request, pk: int):
    """Saves one value of a line; the answer puts the input and the sums in place."""
    return update_row(request, PAGE, pk)


@require_POST
@once
def line_delete(request, pk: int):
    """Takes a line away."""
    return delete_row(request, PAGE, pk)
