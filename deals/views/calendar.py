"""The calendar of close dates."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.web.htmx import page
from deals.close_dates import month_of


def _month(text: str) -> date:
    """The first day of `2026-11`; of the present month for anything else."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        found = timezone.localdate()
    return found.replace(day=1) if 1900 <= found.year <= 2200 else timezone.localdate().replace(day=1)


@require_safe
def deal_calendar(request):
    """`?month=2026-11`, `?owner=me`: a table of the month, on a phone the days that have deals one below the other."""
    owner = request.GET.get("owner", "")
    first = _month(request.GET.get("month", ""))
    month = month_of(request.user, first, request.user.pk if owner == "me" else None)
    context = {"month": month, "owner": "me" if owner == "me" else "", "today": timezone.localdate()}
    return page(request, "deals/deal_calendar.html", context)
