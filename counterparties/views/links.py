"""Who of the contacts stands for which counterparty: linking, the role there, and parting."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from counterparties.forms import LinkForm, RoleForm
from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.services import edit_link, link_contact, unlink_contact
from crm.people.visibility import may
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def link_create(request, card: str, pk: int):
    """Links an existing contact with a counterparty, begun on the card of either."""
    record = get_visible(Counterparty if card == "counterparty" else Contact, request.user, pk, "edit")
    form = LinkForm(request.POST if request.method == "POST" else None, user=request.user, record=record)
    context = {"form": form, "record": record, "card": card}
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return page(request, "counterparties/link_create.html", context, partial="form", status=status)
    other = form.cleaned_data.pop("other")
    counterparty, contact = (record, other) if card == "counterparty" else (other, record)
    try:
        link_contact(counterparty=counterparty, contact=contact, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        form.refuse(error)
        return page(request, "counterparties/link_create.html", context, partial="form", status=422)
    toast(request, _("Linked."))
    url = reverse(f"counterparties:{card}_detail", args=[pk])
    return done(request, url, "contacts-changed", "history-changed")


def _visible_link(request, pk: int) -> ContactLink:
    """404 unless both are seen, 403 unless either may be edited."""
    link = (
        ContactLink.objects.filter(
            pk=pk,
            counterparty__in=Counterparty.objects.visible_to(request.user),
            contact__in=Contact.objects.visible_to(request.user),
        )
        .select_related("counterparty", "contact")
        .first()
    )
    if link is None:
        raise Http404
    if not (may(request.user, "edit", link.counterparty) or may(request.user, "edit", link.contact)):
        raise PermissionDenied
    return link


def _back(request, link: ContactLink):
    """To the card the link was changed on."""
    card = "contact" if request.POST.get("card") == "contact" else "counterparty"
    url = reverse(f"counterparties:{card}_detail", args=[getattr(link, f"{card}_id")])
    return done(request, url, "contacts-changed", "history-changed")


@require_http_methods(["GET", "HEAD", "POST"])
@once
def link_update(request, pk: int):
    """The role, its dates, and whether it is the primary contact."""
    link = _visible_link(request, pk)
    shown = {"role": link.role, "since": link.since, "until": link.until, "is_primary": link.is_primary}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=shown)
    if request.method == "POST" and form.is_valid():
        try:
            edit_link(link=link, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            toast(request, _("Role changed."))
            return _back(request, link)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "link": link}
    return page(request, "counterparties/link_update.html", context, partial="form", status=status)


@require_POST
@once
def link_delete(request, pk: int):
    """Takes a link away; back to the card it was on."""
    link = _visible_link(request, pk)
    unlink_contact(link=link, by=request.user)
    toast(request, _("The link is removed."))
    return _back(request, link)
