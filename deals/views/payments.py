"""The payments on a deal's card: adding, changing where they stand, receiving, schedules."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.toasts import toast
from crm.web.tokens import once
from deals.cells import cells_of
from deals.models import Deal, PaymentStatus, PaymentTemplate
from deals.parts import add_row
from deals.payment_forms import NewPaymentForm, PaymentForm, ScheduleForm
from deals.payments import PAYMENTS, plan_payments, receive_payment, sum_payments
from deals.services import first_text
from deals.views.rows import RowsPage, delete_row, update_row, visible_deal, visible_row

PILLS = {
    PaymentStatus.PLANNED: ("grey", "calendar3"),
    PaymentStatus.INVOICED: ("blue", "receipt"),
    PaymentStatus.OVERDUE: ("red", "exclamation-circle"),
    PaymentStatus.PARTLY: ("amber", "hourglass-split"),
    PaymentStatus.RECEIVED: ("green", "check-lg"),
}


def _context(
    request, deal: Deal, form: NewPaymentForm | None = None, schedule: ScheduleForm | None = None, **more
):
    """What the panel shows; nothing of it for whom the amount is hidden from."""
    is_hidden = PAYMENTS.is_hidden(request.user)
    rows = [] if is_hidden else PAYMENTS.rows(deal)
    may_edit = deal.may_edit and not PAYMENTS.is_locked(request.user)
    for row in rows:
        row.deal = deal
        row.cells = cells_of(PAYMENTS, row, PaymentForm, reverse("deals:payment_update", args=[row.pk]))
        row.pill = (PILLS[row.status][0], row.status.label, PILLS[row.status][1])
    sums = sum_payments(rows, deal.amount)
    form = form or (_empty_form(deal, sums.planned) if may_edit else None)
    if form is not None:
        # After a payment was added the ids are others, so the focus goes on to the next one.
        form.auto_id = f"payment{len(rows)}_%s"
    if may_edit and not rows and deal.amount and schedule is None and PaymentTemplate.objects.exists():
        schedule = ScheduleForm(deal=deal)
    return {
        "deal": deal, "rows": rows, "sums": sums, "may_edit": may_edit, "is_hidden": is_hidden, "form": form,
        "schedule": schedule, **more,
    }  # fmt: skip


def _empty_form(deal: Deal, planned: Decimal) -> NewPaymentForm:
    rest = (deal.amount or Decimal(0)) - planned
    return NewPaymentForm(
        initial={
            "planned_date": deal.close_date or timezone.localdate(),
            "amount": rest if rest > 0 else None,
        }
    )


PAGE = RowsPage(
    PAYMENTS,
    PaymentForm,
    "deals:deal_payments",
    "deals/deal_payments.html",
    "deals/_payment_derived.html",
    _context,
)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_payments(request, pk: int):
    """The panel; a POST adds a payment."""
    posting = request.method == "POST"
    deal = visible_deal(request, pk, "edit" if posting else "view")
    if not posting:
        return PAGE.show(request, deal)
    form = NewPaymentForm(request.POST)
    if form.is_valid():
        try:
            add_row(part=PAYMENTS, deal=deal, values=form.cleaned_data, by=request.user)
            return PAGE.changed(request, deal, is_fresh=True)
        except ValidationError as error:
            form.refuse(error)
    return PAGE.show(request, deal, form=form, status=422)


@require_POST
@once
def payment_schedule(request, pk: int):
    """Plans the payments of a deal by a schedule."""
    deal = visible_deal(request, pk, "edit")
    form = ScheduleForm(request.POST, deal=deal)
    if form.is_valid():
        try:
            plan_payments(deal=deal, by=request.user, **form.cleaned_data)
            return PAGE.changed(request, deal)
        except ValidationError as error:
            form.refuse(error)
    return PAGE.show(request, deal, schedule=form, status=422)


@require_POST
@once
def payment_update(request, pk: int):
    """Saves one value of a payment."""
    return update_row(request, PAGE, pk)


@require_POST
@once
def payment_receipt(request, pk: int):
    """The whole amount came today."""
    deal, payment = visible_row(request, PAGE, pk)
    try:
        receive_payment(payment=payment, by=request.user)
    except ValidationError as error:
        toast(request, first_text(error), level=40)
        return PAGE.show(request, deal, status=422)
    toast(request, _("Received."))
    return PAGE.changed(request, deal)


@require_POST
@once
def payment_delete(request, pk: int):
    """Takes a payment away."""
    return delete_row(request, PAGE, pk)
