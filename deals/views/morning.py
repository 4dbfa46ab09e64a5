"""The morning page of those who answer for others' deals."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.views.decorators.http import require_safe

from crm.people.fields import mask
from crm.web.htmx import page
from deals.reports.morning import has_morning, read_morning


@require_safe
def deal_morning(request):
    """Gates that wait for the reader, setbacks since yesterday, deals without next step, late promises, load."""
    if not has_morning(request.user):
        raise PermissionDenied
    morning = read_morning(request.user)
    mask(
        request.user,
        [*morning.idle, *morning.late_deals, *morning.unproven, *(one.deal for one in morning.stuck)],
    )
    return page(request, "deals/deal_morning.html", {"morning": morning}, partial="morning")
