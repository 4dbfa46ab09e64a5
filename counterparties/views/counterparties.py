"""Counterparties: list, card, adding, editing, their contacts, and offers for pickers."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from collab.calendar.selectors import next_activities
from counterparties.cards import counterparty_card_facts, counterparty_sections
from counterparties.cleaning import clean_what_can_be
from counterparties.forms import CounterpartyForm
from counterparties.lists import CounterpartyList
from counterparties.matching.views.typing import matches_page
from counterparties.models import Category, Contact, ContactLink, Counterparty
from counterparties.retyping import TYPE
from counterparties.services import create_counterparty, edit_counterparty
from crm.attributes.cards import attribute_facts
from crm.history.editing import EditConflict
from crm.people.fields import mask
from crm.people.search import matching
from crm.people.visibility import demand_kind, may, sees
from crm.web.access import get_visible
from crm.web.conflicts import conflict_page
from crm.web.htmx import done, page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

LABEL = "counterparties.counterparty"
OFFERS = 20
PANEL_ROWS = 100


@require_safe
def counterparty_list(request):
    """Who we deal with."""
    found = CounterpartyList(request.user, request.GET)
    steps = next_activities(LABEL, [row.pk for row in found.page])
    for row in found.page:
        row.next_activity = steps.get(row.pk)
        row.primary = row.primary_links[0].contact if row.primary_links else None
    return page(request, "counterparties/counterparty_list.html", {"list": found})


@require_safe
def counterparty_detail(request, pk: int):
    """The card; its fragment is the facts."""
    records = Counterparty.objects.select_related("owner", "counterparty_type", "industry", "region")
    records = records.with_rights(request.user, "edit", "delete")
    record = get_visible(Counterparty, request.user, pk, queryset=records)
    context = {
        "record": record,
        "card_kind": LABEL,
        "may_edit": record.may_edit,
        "type_is_locked": TYPE in request.user.access.locked_fields(Counterparty),
        "facts": counterparty_card_facts(record),
        "categories": Category.objects.filter(members__counterparty=record),
        "sections": [*attribute_facts(record, request.user), *counterparty_sections(record)],
    }
    return page(request, "counterparties/counterparty_detail.html", context, partial="facts")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def counterparty_create(request):
    """A GET with values shows the form anew, with the attributes of the type it names."""
    demand_kind(request.user, "create", Counterparty)
    url = reverse("counterparties:counterparty_create")
    if request.method != "POST":
        form = CounterpartyForm(initial=request.GET.dict(), user=request.user, reload_url=url)
        return page(request, "counterparties/counterparty_create.html", {"form": form}, partial="form")
    form = CounterpartyForm(request.POST, request.FILES, user=request.user, reload_url=url)
    record = _created(request, form) if form.is_valid() else None
    if record is None:
        return page(
            request, "counterparties/counterparty_create.html", {"form": form}, partial="form", status=422
        )
    toast(request, _("“%(name)s” added.") % {"name": record})
    return redirect(request, reverse("counterparties:counterparty_detail", args=[record.pk]))


def _created(request, form: CounterpartyForm) -> Counterparty | None:
    try:
        values = form.field_values()
        kind = values.pop("counterparty_type")
        attributes = form.attribute_values()
        return create_counterparty(
            counterparty_type=kind, values=values, attributes=attributes, by=request.user
        )
    except ValidationError as error:
        form.refuse(error)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@once
def counterparty_update(request, pk: int):
    """409 when somebody changed the same field meanwhile."""
    records = Counterparty.objects.select_related("owner", "counterparty_type")
    record = get_visible(Counterparty, request.user, pk, "edit", queryset=records)
    form = CounterpartyForm(request.POST or None, request.FILES or None, instance=record, user=request.user)
    if request.method != "POST":
        return _update_page(request, form, record)
    if not form.is_valid():
        return _update_page(request, form, record, 422)
    url = reverse("counterparties:counterparty_detail", args=[pk])
    try:
        _save(request, form, record)
    except EditConflict as conflict:
        return conflict_page(request, conflict, cancel_url=url)
    except ValidationError as error:
        form.refuse(error)
        return _update_page(request, form, record, 422)
    toast(request, _("Counterparty saved."))
    return done(request, url, "history-changed", "card-changed")


def _save(request, form: CounterpartyForm, record: Counterparty) -> None:
    edit_counterparty(
        counterparty=record,
        values=form.field_values(),
        attributes=form.attribute_values(),
        version=form.cleaned_data["version"] or record.version,
        by=request.user,
    )


def _update_page(request, form: CounterpartyForm, record: Counterparty, status: int = 200):
    locked = TYPE in request.user.access.locked_fields(Counterparty)
    context = {"form": form, "record": record, "type_is_locked": locked}
    return page(request, "counterparties/counterparty_update.html", context, partial="form", status=status)


@require_safe
def counterparty_options(request):
    """A fragment: what a picker offers for the letters or digits typed."""
    return options_page(request, Counterparty.objects.visible_to(request.user))


def options_page(request, records):
    """At most OFFERS records that match `?q=`."""
    text = request.GET.get("q", "").strip()[:100]
    rows = records.filter(matching(text, request.user, records.model)).order_by("sort_key", "pk")
    found = list(rows[:OFFERS]) if text else []
    mask(request.user, found)
    return page(request, "counterparties/options.html", {"records": found, "text": text})


@require_safe
def counterparty_duplicates(request):
    """A fragment: counterparties, leads and contacts that may be the same as what is being typed."""
    demand_kind(request.user, "create", Counterparty)
    values = clean_what_can_be(
        request.GET,
        ("name", "tax_number", "phone", "email", "website", "city"),
        request.GET.get("country", ""),
    )
    return matches_page(request, LABEL, values)


@require_safe
def counterparty_contacts(request, pk: int):
    """A fragment: the people who stand for the counterparty, as far as the reader sees them."""
    record = get_visible(Counterparty, request.user, pk)
    links = ContactLink.objects.filter(sees(request.user, Contact, "contact_id"), counterparty=record)
    links = list(links.select_related("contact")[:PANEL_ROWS])
    mask(request.user, [link.contact for link in links])
    context = {
        "record": record,
        "links": links,
        "may_edit": may(request.user, "edit", record),
        "may_create": request.user.access.may(Contact, "create"),
    }
    return page(request, "counterparties/counterparty_contacts.html", context, partial="panel")
