"""The report of why deals end."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.views.decorators.http import require_safe

from crm.listing.periods import PERIODS as NAMES
from crm.web.htmx import page
from deals.models import Deal
from deals.reports.outcomes import PERIODS, read_outcomes


@require_safe
def deal_outcomes(request):
    """Reasons of won, lost and postponed deals in a period, and competitors; each line opens its deals."""
    if not request.user.access.may(Deal, "view"):
        raise PermissionDenied
    period = request.GET.get("period", "")
    period = period if period in PERIODS else "this_quarter"
    context = {
        "outcomes": read_outcomes(request.user, period),
        "period": period,
        "periods": [(key, NAMES[key]) for key in PERIODS],
    }
    return page(request, "deals/deal_outcomes.html", context)
