"""Asking whoever has the ball where a deal stands."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.history.notes import add_comment
from crm.people.models import User
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.events import cards_of
from deals.forms import QuestionForm
from deals.models import Deal
from deals.selectors import destination, pending_requests, person_to_ask


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_question(request, pk: int):
    """A note on the card that names whom the deal waits for, else its owner; the text stands ready."""
    deal = get_visible(
        Deal, request.user, pk, queryset=Deal.objects.select_related("stage", "owner", "counterparty")
    )
    form = QuestionForm(request.POST or None, initial={"text": _ready_text(request, deal)})
    if request.method == "POST" and form.is_valid():
        try:
            add_comment(record=deal, text=form.cleaned_data["text"], by=request.user, cards=cards_of(deal))
        except ValidationError as refused:
            form.add_error("text", refused.messages)
        else:
            toast(request, _("Asked."))
            return done(request, reverse("deals:deal_detail", args=[pk]), "history-changed")
    status = 422 if request.method == "POST" else 200
    return page(
        request, "deals/deal_question.html", {"form": form, "deal": deal}, partial="form", status=status
    )


def _ready_text(request, deal: Deal) -> str:
    pending = pending_requests([deal.pk]).get(deal.pk)
    asked = User.objects.filter(pk=person_to_ask(deal, pending, request.user), is_active=True).first()
    name = f"@{asked.username} " if asked else ""
    if pending is not None:
        return name + _("what keeps “%(deal)s” from “%(stage)s”?") % {
            "deal": deal, "stage": destination(pending)
        }  # fmt: skip
    days = deal.days_at_stage
    return name + _("“%(deal)s” has stood at “%(stage)s” for %(days)s days. What is the next step?") % {
        "deal": deal, "stage": deal.stage, "days": days
    }  # fmt: skip
