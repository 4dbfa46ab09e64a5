"""A deal's card, opening and editing a deal, and its files."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from counterparties.models import Contact
from crm.files.services import documents_of
from crm.history.editing import EditConflict
from crm.people.fields import mask
from crm.people.visibility import demand, demand_kind, sees
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect, trigger, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.card import attribute_sections, deal_card_facts, stage_bar, status_pill
from deals.cloning import clone_deal, offered_name
from deals.forms import CloneForm, ContactRoleForm, DealForm
from deals.models import Deal, DealContact
from deals.parts import Part
from deals.parts_of_deals import PARTS
from deals.selectors import destination, pending_requests, waits_of
from deals.services import attach_to_deal, create_deal, edit_deal, first_text, set_contact_role, set_contacts

JOINED = (
    "counterparty",
    "stage",
    "proven_stage",
    "funnel",
    "deal_type",
    "owner",
    "currency",
    "loss_reason",
    "outcome_reason",
)


def full_deals(user):
    """Deals with everything a card names and what the reader may do."""
    deals = Deal.objects.select_related(*JOINED).with_rights(
        user, "edit", "delete", "reopen", "override_gate"
    )
    return deals.annotate(**{f"{part.key}_count": _rows_of(part) for part in PARTS.values()})


def _rows_of(part: Part) -> Subquery:
    """How many rows a deal has: beside the deal itself, not a query of its own."""
    rows = part.model.objects.filter(deal=OuterRef("pk")).order_by().values("deal")
    return Subquery(rows.annotate(count=Count("pk")).values("count"))


def card_context(request, deal: Deal) -> dict:
    """What the card and its fragments show."""
    pending = pending_requests([deal.pk]).get(deal.pk)
    return {
        "record": deal, "deal": deal, "card_kind": "deals.deal", "pending": pending,
        "destination": destination(pending) if pending else "", "waits": waits_of(pending, request.user),
        "steps": stage_bar(deal, pending), "pill_parts": status_pill(deal), "facts": deal_card_facts(deal),
        "sections": attribute_sections(deal, request.user),
        "people": _people(request.user, deal),
        "is_fragment": wants_fragment(request), "may_clone": request.user.access.may(Deal, "create"),
        "may_withdraw": pending is not None and (deal.may_edit or pending.requested_by_id == request.user.pk),
    }  # fmt: skip


def _people(user, deal: Deal) -> list[DealContact]:
    """The contacts of the deal that the reader sees."""
    seen = deal.deal_contacts.filter(sees(user, Contact, "contact_id"))
    people = list(seen.select_related("contact"))
    mask(user, [person.contact for person in people])
    return people


@require_safe
def deal_detail(request, pk: int):
    """The card; its fragment is the part that moves: stage bar, waits, facts, actions."""
    deal = get_visible(Deal, request.user, pk, queryset=full_deals(request.user))
    return page(request, "deals/deal_detail.html", card_context(request, deal), partial="state")


def card_state(request, pk: int, status: int = 200):
    """The answer to a move made on the card."""
    deal = get_visible(Deal, request.user, pk, queryset=full_deals(request.user))
    response = page(
        request, "deals/deal_detail.html", card_context(request, deal), partial="state", status=status
    )
    return trigger(response, "history-changed", "card-changed") if status == 200 else response


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_create(request):
    """Opens a deal; `?counterparty=` presets whose. A GET with other values shows the form anew for another type."""
    demand_kind(request.user, "create", Deal)
    if request.method != "POST":
        form = DealForm(initial=request.GET.dict(), user=request.user)
        return page(request, "deals/deal_create.html", {"form": form}, partial="form")
    form = DealForm(request.POST, request.FILES, user=request.user)
    deal = _created(request, form) if form.is_valid() else None
    if deal is None:
        return page(request, "deals/deal_create.html", {"form": form}, partial="form", status=422)
    toast(request, _("Deal “%(deal)s” opened.") % {"deal": deal})
    return redirect(request, reverse("deals:deal_detail", args=[deal.pk]))


def _created(request, form: DealForm) -> Deal | None:
    try:
        return create_deal(
            **form.field_values(),
            contacts=form.cleaned_data.get("contacts", ()),
            attributes=form.attribute_values(),
            by=request.user,
        )
    except ValidationError as error:
        form.refuse(error)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact_role(request, pk: int):
    """What a contact is in a deal's negotiation."""
    seen = DealContact.objects.filter(
        sees(request.user, Deal, "deal_id"), sees(request.user, Contact, "contact_id")
    )
    person = get_object_or_404(seen.select_related("deal", "contact"), pk=pk)
    demand(request.user, "edit", person.deal)
    form = ContactRoleForm(request.POST if request.method == "POST" else None, initial={"role": person.role})
    if form.is_valid():
        set_contact_role(person=person, role=form.cleaned_data["role"], by=request.user)
        url = reverse("deals:deal_detail", args=[person.deal_id])
        return done(request, url, "history-changed", "card-changed", deal_changed={"id": person.deal_id})
    status = 422 if form.is_bound else 200
    return page(
        request, "deals/contact_role.html", {"form": form, "person": person}, partial="form", status=status
    )


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_clone(request, pk: int):
    """Another deal like this one; the dialog says what goes along."""
    deal = get_visible(Deal, request.user, pk, queryset=Deal.objects.select_related(*JOINED))
    demand_kind(request.user, "create", Deal)
    form = CloneForm(request.POST or None, initial={"name": offered_name(deal)[:200]})
    if form.is_valid():
        try:
            made = clone_deal(deal=deal, name=form.cleaned_data["name"], by=request.user)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            toast(request, _("Deal “%(deal)s” opened.") % {"deal": made})
            return redirect(request, reverse("deals:deal_detail", args=[made.pk]))
    status = 422 if form.is_bound else 200
    return page(request, "deals/deal_clone.html", {"form": form, "deal": deal}, partial="form", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_update(request, pk: int):
    """Changes fields, attributes and contacts; 409 when somebody changed the same field meanwhile."""
    deal = get_visible(Deal, request.user, pk, "edit", queryset=Deal.objects.select_related(*JOINED))
    url = reverse("deals:deal_detail", args=[pk])
    form = DealForm(request.POST or None, request.FILES or None, instance=deal, user=request.user)
    context = {"form": form, "deal": deal}
    if request.method != "POST":
        return page(request, "deals/deal_update.html", context, partial="form")
    if not form.is_valid():
        return page(request, "deals/deal_update.html", context, partial="form", status=422)
    try:
        _save(request, deal, form)
    except EditConflict as conflict:
        return conflict_page(request, conflict, cancel_url=url)
    except ValidationError as error:
        form.refuse(error)
        return page(request, "deals/deal_update.html", context, partial="form", status=422)
    toast(request, _("Deal saved."))
    return done(request, url, "history-changed", "card-changed", deal_changed={"id": pk})


def _save(request, deal: Deal, form: DealForm) -> None:
    edit_deal(
        deal=deal, values=form.field_values(), attributes=form.attribute_values(),
        version=form.cleaned_data["version"] or deal.version, by=request.user,
    )  # fmt: skip
    if "contacts" in form.cleaned_data:
        set_contacts(deal=deal, contacts=form.cleaned_data["contacts"], by=request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_files(request, pk: int):
    """The files on the card; a POST adds those that were dropped or chosen."""
    posting = request.method == "POST"
    deal = get_visible(
        Deal, request.user, pk, "edit" if posting else "view", queryset=full_deals(request.user)
    )
    status = _attach(request, deal) if posting else 200
    if posting and not request.htmx:
        return redirect(request, reverse("deals:deal_detail", args=[pk]))
    context = {"deal": deal, "documents": documents_of(deal, request.user)}
    response = page(request, "deals/_files.html", context, status=status)
    return trigger(response, "history-changed") if posting and status == 200 else response


def _attach(request, deal: Deal) -> int:
    """Stores the uploads one by one; what is refused is said, the rest is kept."""
    uploads = request.FILES.getlist("file")
    status = 200 if uploads else 422
    if not uploads:
        toast(request, _("Choose a file first."), level=40)
    for upload in uploads:
        try:
            attach_to_deal(
                deal=deal, upload=upload, label=request.POST.get("label", "")[:60], by=request.user
            )
        except ValidationError as error:
            toast(request, f"{upload.name}: {first_text(error)}", level=40)
            status = 422
    return status
