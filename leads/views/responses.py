"""How quickly people answer new leads."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crm.people.visibility import demand_kind
from crm.web.htmx import page
from leads.models import Lead
from leads.response import response_figures

PERIODS = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("a year")}


@require_safe
def lead_responses(request):
    """Per person over the leads of a period that the reader sees: how many, how fast, how many in time."""
    demand_kind(request.user, "view", Lead)
    days = request.GET.get("days", "")
    days = days if days in PERIODS else "30"
    now = timezone.now()
    leads = Lead.objects.visible_to(request.user).filter(created_at__gte=now - timedelta(days=int(days)))
    context = {
        "rows": response_figures(leads, now),
        "days": days,
        "tabs": [
            {"label": label, "url": f"?days={key}", "current": key == days} for key, label in PERIODS.items()
        ],
    }
    return page(request, "leads/lead_responses.html", context)
