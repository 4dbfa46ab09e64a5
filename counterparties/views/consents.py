"""Consents of a contact."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from counterparties.consents import record_consent
from counterparties.forms import ConsentForm
from counterparties.models import Contact
from crm.web.access import get_visible
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact_consent(request, pk: int):
    """What the contact said about a channel; the latest word holds, earlier ones stay."""
    contact = get_visible(Contact, request.user, pk, "edit")
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            record_consent(contact=contact, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, _("Consent recorded."))
            url = reverse("counterparties:contact_detail", args=[pk])
            return done(request, url, "card-changed", "history-changed")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "record": contact}
    return page(request, "counterparties/contact_consent.html", context, partial="form", status=status)
