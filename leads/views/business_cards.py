"""Typing a stack of business cards: one after another by keyboard, with a photo, or from a phone's vCards."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from counterparties.vcard_reading import LARGEST, read_vcards
from crm.people.visibility import demand_kind
from crm.web.access import get_visible
from crm.web.htmx import page, redirect, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from leads.business_cards import add_card, add_vcards, fitting_values, image_type, photo_of
from leads.forms import BusinessCardForm
from leads.lists import status_pill
from leads.models import Lead

RECENT = "business_cards"
SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@once
def business_cards(request):
    """Saving gives an empty form for the next card; source and owner stay as they were."""
    demand_kind(request.user, "create", Lead)
    if request.method != "POST":
        kept = {name: request.GET[name] for name in ("source", "owner") if name in request.GET}
        return _cards_page(request, BusinessCardForm(initial=kept, user=request.user))
    form = BusinessCardForm(request.POST, request.FILES, user=request.user)
    lead = _added(request, form) if form.is_valid() else None
    if lead is None:
        return _cards_page(request, form, 422)
    _remember(request, [lead])
    toast(request, _("Lead “%(name)s” added.") % {"name": lead})
    kept = {"source": lead.source_id or "", "owner": lead.owner_id}
    if wants_fragment(request):
        return _cards_page(request, BusinessCardForm(initial=kept, user=request.user))
    return redirect(request, f"{request.path}?source={kept['source']}&owner={kept['owner']}")


def _added(request, form: BusinessCardForm) -> Lead | None:
    try:
        return add_card(
            values=form.field_values(),
            attributes=form.attribute_values(),
            photo=form.cleaned_data.get("photo"),
            by=request.user,
        )
    except ValidationError as error:
        form.refuse(error)
        return None


def _remember(request, leads: list[Lead]) -> None:
    known = request.session.get(RECENT, [])
    request.session[RECENT] = [*(lead.pk for lead in reversed(leads)), *known][:SHOWN]


def _cards_page(request, form: BusinessCardForm, status: int = 200):
    pks = request.session.get(RECENT, [])
    found = Lead.objects.visible_to(request.user).select_related("source").in_bulk(pks) if pks else {}
    recent = [found[pk] for pk in pks if pk in found]
    for lead in recent:
        lead.pill = status_pill(lead)
    context = {"form": form, "recent": recent}
    return page(request, "leads/business_cards.html", context, partial="form", status=status)


@require_POST
@once
def business_card_vcards(request):
    """One card fills the form, to be looked at; several become leads at once."""
    demand_kind(request.user, "create", Lead)
    upload = request.FILES.get("vcards")
    try:
        cards = read_vcards(upload.read(LARGEST + 1) if upload else b"")
    except ValidationError as error:
        form = BusinessCardForm(user=request.user)
        form.vcard_error = error.messages[0]
        return _cards_page(request, form, 422)
    if len(cards) == 1:
        return _cards_page(request, BusinessCardForm(initial=fitting_values(cards[0]), user=request.user))
    made, skipped = add_vcards(cards=cards, kept={}, by=request.user)
    _remember(request, made)
    text = ngettext("%(count)s lead added.", "%(count)s leads added.", len(made)) % {"count": len(made)}
    if skipped:
        text += " " + _("Cards left out: %(count)s.") % {"count": skipped}
    toast(request, text)
    return redirect(request, reverse("leads:business_cards"))


@require_safe
def lead_photo(request, pk: int):
    """The photo of a lead's business card, shown in the page: only what is a picture by its own bytes."""
    lead = get_visible(Lead, request.user, pk)
    stored = photo_of(lead)
    if stored is None or not stored.content.storage.exists(stored.content.name):
        raise Http404
    content = stored.content.open("rb")
    kind = image_type(content.read(12))
    if not kind:
        raise Http404
    content.seek(0)
    response = FileResponse(content, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, max-age=3600"
    return response
