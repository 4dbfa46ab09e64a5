"""How work on a lead ends: converted, given up, reopened."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.web.access import get_visible
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once
from leads.cards import outcomes
from leads.conversion_forms import ConversionForms
from leads.conversion_undo import plan_undo, undo_conversion
from leads.forms import ClosureForm
from leads.models import Lead, LeadStatus
from leads.services import convert_lead, disqualify_lead, mark_duplicate, reopen_lead, set_unreachable


@require_http_methods(["GET", "HEAD", "POST"])
@once
def lead_conversion(request, pk: int):
    """One form for counterparty, contact and deal. A lead that was converted leads to what it became."""
    lead = get_visible(Lead, request.user, pk, "convert", queryset=Lead.objects.select_related("owner"))
    if lead.status == LeadStatus.QUALIFIED:
        return redirect(request, _outcome(lead.deal_id, lead.counterparty_id))
    data = request.POST if request.method == "POST" else None
    forms = ConversionForms(
        lead=lead,
        user=request.user,
        url=request.path,
        data=data,
        files=request.FILES or None,
        preset=_preset(request),
    )
    if data is None or not forms.is_valid():
        return _conversion_page(request, forms, lead, 200 if data is None else 422)
    try:
        made = convert_lead(lead=lead, by=request.user, **forms.arguments())
    except ValidationError as error:
        forms.choice.add_error(None, error.messages)
        return _conversion_page(request, forms, lead, 422)
    toast(request, _("Lead “%(name)s” converted.") % {"name": lead})
    return redirect(request, _outcome(made.deal.pk if made.deal else None, made.counterparty.pk))


def _preset(request):
    """The values of a form that is shown anew, None for a fresh one."""
    return request.GET if request.method != "POST" and "counterparty" in request.GET else None


def _outcome(deal_id: int | None, counterparty_id: int) -> str:
    if deal_id:
        return reverse("deals:deal_detail", args=[deal_id])
    return reverse("counterparties:counterparty_detail", args=[counterparty_id])


def _conversion_page(request, forms: ConversionForms, lead: Lead, status: int):
    context = {"forms": forms, "form": forms, "lead": lead}
    return page(request, "leads/lead_conversion.html", context, partial="form", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def lead_conversion_undo(request, pk: int):
    """Says what will go and what stays, and takes the conversion back."""
    records = Lead.objects.select_related("counterparty", "contact", "deal")
    lead = get_visible(Lead, request.user, pk, "convert", queryset=records)
    card = reverse("leads:lead_detail", args=[pk])
    if lead.status != LeadStatus.QUALIFIED:
        return redirect(request, card)
    if request.method != "POST":
        plan = plan_undo(lead)
        context = {
            "lead": lead,
            "removed": outcomes(request.user, plan.removed),
            "kept": outcomes(request.user, plan.kept),
        }
        return page(request, "leads/lead_conversion_undo.html", context, partial="form")
    try:
        undo_conversion(lead=lead, by=request.user)
        toast(request, _("The conversion was taken back."))
    except ValidationError as error:
        toast(request, error.messages[0], level=40)
    return redirect(request, card)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def lead_closure(request, pk: int):
    """Not a client (with the reason), unreachable, or a duplicate."""
    lead = get_visible(Lead, request.user, pk, "edit")
    data = request.POST if request.method == "POST" else None
    form = ClosureForm(
        data, user=request.user, lead=lead, initial={"status": request.GET.get("to", LeadStatus.UNQUALIFIED)}
    )
    if data is None or not form.is_valid() or not _closed(request, lead, form):
        context = {"form": form, "lead": lead}
        return page(
            request, "leads/lead_closure.html", context, partial="form", status=200 if data is None else 422
        )
    toast(request, _("Lead “%(name)s” is closed.") % {"name": lead})
    return done(request, reverse("leads:lead_detail", args=[pk]), "card-changed", "history-changed")


def _closed(request, lead: Lead, form: ClosureForm) -> bool:
    given = form.cleaned_data
    options = {"lead": lead, "note": given["note"], "by": request.user}
    try:
        if given["status"] == LeadStatus.UNQUALIFIED:
            disqualify_lead(reason=given["reason"], **options)
        elif given["status"] == LeadStatus.UNREACHABLE:
            set_unreachable(**options)
        else:
            mark_duplicate(of=given["duplicate_of"], **options)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False
    return True


@require_POST
@once
def lead_reopening(request, pk: int):
    """Back to work; a second click finds it open and says nothing."""
    lead = get_visible(Lead, request.user, pk, "reopen")
    try:
        reopen_lead(lead=lead, note=request.POST.get("note", "")[:4000], by=request.user)
        toast(request, _("Lead “%(name)s” is open again.") % {"name": lead})
    except ValidationError as error:
        toast(request, error.messages[0], level=40)
    return done(request, reverse("leads:lead_detail", args=[pk]), "card-changed", "history-changed")
