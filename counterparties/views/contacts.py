"""Contacts: list, card, adding, editing, and whom they stand for."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from collab.calendar.selectors import next_activities
from counterparties.cards import consent_facts, contact_card_facts
from counterparties.cleaning import clean_what_can_be
from counterparties.forms import ContactForm
from counterparties.lists import ContactList
from counterparties.matching.views.typing import matches_page
from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.services import create_contact, edit_contact
from counterparties.views.counterparties import PANEL_ROWS, options_page
from crm.attributes.cards import attribute_facts
from crm.history.editing import EditConflict
from crm.people.visibility import demand_kind, may
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect, wants_fragment
from crm.web.toasts import toast
from crm.web.tokens import once

LABEL = "counterparties.contact"


@require_safe
def contact_list(request):
    """The people we know."""
    found = ContactList(request.user, request.GET)
    steps = next_activities(LABEL, [row.pk for row in found.page])
    for row in found.page:
        row.next_activity = steps.get(row.pk)
    return page(
        request,
        "counterparties/contact_list.html",
        {"list": found, "may_export": request.user.access.may(Contact, "export")},
    )


@require_safe
def contact_detail(request, pk: int):
    """The card; its fragment is the facts."""
    records = Contact.objects.select_related("owner").with_rights(request.user, "edit", "delete")
    record = get_visible(Contact, request.user, pk, queryset=records)
    context = {
        "record": record,
        "card_kind": LABEL,
        "may_edit": record.may_edit,
        "facts": contact_card_facts(record),
        "sections": [*attribute_facts(record, request.user), (_("Consents"), consent_facts(record))],
    }
    return page(request, "counterparties/contact_detail.html", context, partial="facts")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact_create(request):
    """`?counterparty=` presets whom the person stands for."""
    demand_kind(request.user, "create", Contact)
    if request.method != "POST":
        form = ContactForm(initial=request.GET.dict(), user=request.user)
        return page(request, "counterparties/contact_create.html", {"form": form}, partial="form")
    form = ContactForm(request.POST, request.FILES, user=request.user)
    record = _created(request, form) if form.is_valid() else None
    if record is None:
        return page(request, "counterparties/contact_create.html", {"form": form}, partial="form", status=422)
    toast(request, _("“%(name)s” added.") % {"name": record})
    if wants_fragment(request) and form.cleaned_data["counterparty"] is not None:
        return done(request, "", "card-changed", "contacts-changed", "history-changed")
    return redirect(request, reverse("counterparties:contact_detail", args=[record.pk]))


def _created(request, form: ContactForm) -> Contact | None:
    data = form.cleaned_data
    try:
        return create_contact(
            values=form.field_values(),
            attributes=form.attribute_values(),
            by=request.user,
            counterparty=data["counterparty"],
            role=data["role"],
        )
    except ValidationError as error:
        form.refuse(error)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact_update(request, pk: int):
    """409 when somebody changed the same field meanwhile."""
    record = get_visible(Contact, request.user, pk, "edit", queryset=Contact.objects.select_related("owner"))
    url = reverse("counterparties:contact_detail", args=[pk])
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ContactForm(*sent, instance=record, user=request.user)
    if request.method != "POST" or not form.is_valid():
        return _update_page(request, form, record, 422 if request.method == "POST" else 200)
    try:
        edit_contact(
            contact=record,
            values=form.field_values(),
            attributes=form.attribute_values(),
            version=form.cleaned_data["version"] or record.version,
            by=request.user,
        )
    except EditConflict as conflict:
        return conflict_page(request, conflict, cancel_url=url)
    except ValidationError as error:
        form.refuse(error)
        return _update_page(request, form, record, 422)
    toast(request, _("Contact saved."))
    return done(request, url, "history-changed", "card-changed")


def _update_page(request, form: ContactForm, record: Contact, status: int = 200):
    context = {"form": form, "record": record}
    return page(request, "counterparties/contact_update.html", context, partial="form", status=status)


@require_safe
def contact_options(request):
    """A fragment: what a picker offers for the letters or digits typed."""
    return options_page(request, Contact.objects.visible_to(request.user))


@require_safe
def contact_duplicates(request):
    """A fragment: contacts, leads and counterparties that may be the same as the person being typed."""
    demand_kind(request.user, "create", Contact)
    values = clean_what_can_be(request.GET, ("first_name", "last_name", "phone", "email"))
    return matches_page(request, LABEL, values)


@require_safe
def contact_counterparties(request, pk: int):
    """A fragment: whom the person stands for, as far as the reader sees them."""
    record = get_visible(Contact, request.user, pk)
    seen = Counterparty.objects.visible_to(request.user)
    links = ContactLink.objects.filter(contact=record, counterparty__in=seen).select_related("counterparty")
    context = {
        "record": record,
        "links": list(links[:PANEL_ROWS]),
        "may_edit": may(request.user, "edit", record),
    }
    return page(request, "counterparties/contact_counterparties.html", context, partial="panel")
