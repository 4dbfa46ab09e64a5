"""The payments of all deals."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from crm.web.access import get_visible
from crm.web.htmx import page
from deals.models import Payment
from deals.payment_lists import PaymentList
from deals.payments import PAYMENTS
from deals.views.lists import tabs_of
from deals.views.payments import PILLS


@require_safe
def payment_list(request):
    """What is late, due and received, of the deals the reader may see."""
    if PAYMENTS.is_hidden(request.user):
        raise PermissionDenied
    found = PaymentList(request.user, request.GET)
    for row in found.page:
        row.pill = (PILLS[row.status][0], row.status.label, PILLS[row.status][1])
    return page(request, "deals/payment_list.html", {"list": found, "tabs": tabs_of(found)})


@require_safe
def payment_detail(request, pk: int):
    """A payment stands on its deal's card."""
    payment = get_visible(Payment, request.user, pk)
    return redirect(f"{reverse('deals:deal_detail', args=[payment.deal_id])}?panel=payments")
