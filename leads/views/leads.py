"""Leads: list, card, typing them in, editing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from collab.calendar.selectors import next_activities
from counterparties.cleaning import clean_what_can_be
from counterparties.matching.views.typing import matches_page
from crm.attributes.cards import attribute_facts
from crm.history.editing import EditConflict
from crm.people.fields import mask
from crm.people.search import matching
from crm.people.visibility import demand_kind
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from leads.business_cards import photo_of
from leads.cards import became, lead_card_facts, origin_facts
from leads.forms import LeadForm
from leads.lists import LeadList, status_pill
from leads.models import LEAD_KIND, Lead
from leads.scoring import explain
from leads.services import create_lead, edit_lead

OFFERS = 20
TYPED = ("company", "first_name", "last_name", "tax_number", "phone", "email", "website", "city")


@require_safe
def lead_list(request):
    """Leads by status, with the next step of each."""
    found = LeadList(request.user, request.GET)
    steps = next_activities(LEAD_KIND, [row.pk for row in found.page])
    for row in found.page:
        row.next_activity = steps.get(row.pk)
        row.pill = status_pill(row)
    return page(request, "leads/lead_list.html", {"list": found})


@require_safe
def lead_detail(request, pk: int):
    """The card; its fragment is what moves: status, facts, actions."""
    records = Lead.objects.select_related(
        "owner", "source", "reason", "duplicate_of", "counterparty", "contact", "deal", "origin__form"
    ).with_rights(request.user, "edit", "delete", "convert", "reopen")
    lead = get_visible(Lead, request.user, pk, queryset=records)
    context = {
        "record": lead,
        "lead": lead,
        "card_kind": LEAD_KIND,
        "pill_parts": status_pill(lead),
        "may_edit": lead.may_edit,
        "may_convert": lead.may_convert,
        "may_reopen": not lead.is_open and lead.may_reopen,
        "score_parts": explain(lead, request.user),
        "now": timezone.now(),
        "facts": lead_card_facts(lead),
        "sections": attribute_facts(lead, request.user),
        "origin": origin_facts(lead),
        "photo": photo_of(lead),
        "became": became(request.user, lead),
        "is_fragment": wants_fragment(request),
    }
    return page(request, "leads/lead_detail.html", context, partial="state")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def lead_create(request):
    """Ends on the lead's card, or with an empty form for the next one of the stack."""
    demand_kind(request.user, "create", Lead)
    if request.method != "POST":
        return _create_page(request, LeadForm(initial=request.GET.dict(), user=request.user))
    form = LeadForm(request.POST, request.FILES, user=request.user)
    lead = _created(request, form) if form.is_valid() else None
    if lead is None:
        return _create_page(request, form, 422)
    toast(request, _("Lead “%(name)s” added.") % {"name": lead})
    if "next" not in request.POST:
        return redirect(request, reverse("leads:lead_detail", args=[lead.pk]))
    kept = {"source": lead.source_id or "", "owner": lead.owner_id}
    if wants_fragment(request):
        return _create_page(request, LeadForm(initial=kept, user=request.user))
    return redirect(request, f"{reverse('leads:lead_create')}?source={kept['source']}&owner={kept['owner']}")


def _create_page(request, form: LeadForm, status: int = 200):
    return page(request, "leads/lead_create.html", {"form": form}, partial="form", status=status)


def _created(request, form: LeadForm) -> Lead | None:
    try:
        return create_lead(values=form.field_values(), attributes=form.attribute_values(), by=request.user)
    except ValidationError as error:
        form.refuse(error)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@once
def lead_update(request, pk: int):
    """409 when somebody changed the same field meanwhile."""
    lead = get_visible(
        Lead, request.user, pk, "edit", queryset=Lead.objects.select_related("owner", "source")
    )
    url = reverse("leads:lead_detail", args=[pk])
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = LeadForm(*sent, instance=lead, user=request.user)
    if request.method != "POST" or not form.is_valid():
        return _update_page(request, form, lead, 422 if request.method == "POST" else 200)
    try:
        edit_lead(
            lead=lead,
            values=form.field_values(),
            attributes=form.attribute_values(),
            version=form.cleaned_data["version"] or lead.version,
            by=request.user,
        )
    except EditConflict as conflict:
        return conflict_page(request, conflict, cancel_url=url)
    except ValidationError as error:
        form.refuse(error)
        return _update_page(request, form, lead, 422)
    toast(request, _("Lead saved."))
    return done(request, url, "history-changed", "card-changed")


def _update_page(request, form: LeadForm, lead: Lead, status: int = 200):
    context = {"form": form, "lead": lead}
    return page(request, "leads/lead_update.html", context, partial="form", status=status)


@require_safe
def lead_duplicates(request):
    """A fragment: clients, leads and contacts that may be the same as the lead being typed."""
    demand_kind(request.user, "create", Lead)
    values = clean_what_can_be(request.GET.dict(), TYPED)
    return matches_page(request, LEAD_KIND, values)


@require_safe
def lead_options(request):
    """A fragment: what a picker of leads offers."""
    text = request.GET.get("q", "").strip()[:100]
    leads = (
        Lead.objects.visible_to(request.user)
        .filter(matching(text, request.user, Lead))
        .order_by("sort_key", "pk")
    )
    found = list(leads[:OFFERS]) if text else []
    mask(request.user, found)
    return page(request, "counterparties/options.html", {"records": found, "text": text})
