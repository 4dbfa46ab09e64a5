"""Making a quote of a deal."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from crm.attributes.forms import DateInput
from crm.web.htmx import done, page
from crm.web.toasts import toast
from crm.web.tokens import once
from deals.lines import LINES
from deals.models import QuoteTemplate
from deals.quotes import make_quote
from deals.row_forms import Refusing
from deals.views.rows import visible_deal


class QuoteForm(Refusing, forms.Form):
    template = forms.ModelChoiceField(
        QuoteTemplate.objects.filter(is_active=True), label=gettext_lazy("Template"), empty_label=None
    )
    valid_until = forms.DateField(label=gettext_lazy("Valid until"), widget=DateInput())

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        first = self.fields["template"].queryset.first()
        self.initial.setdefault(
            "valid_until", timezone.localdate() + timedelta(first.valid_days if first else 30)
        )

    def clean_valid_until(self):
        day = self.cleaned_data["valid_until"]
        if day < timezone.localdate():
            raise ValidationError(_("This day is past."))
        return day


@require_http_methods(["GET", "HEAD", "POST"])
@once
def deal_quote(request, pk: int):
    """Asks for the template and the last valid day; a POST puts the PDF among the deal's files."""
    deal = visible_deal(request, pk, "edit")
    if LINES.is_hidden(request.user):
        raise Http404
    form = QuoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            stored = make_quote(deal=deal, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            toast(request, _("“%(file)s” is among the files.") % {"file": stored.name})
            url = reverse("deals:deal_detail", args=[pk])
            return done(request, url, "history-changed", "files-changed")
    status = 422 if request.method == "POST" else 200
    return page(request, "deals/deal_quote.html", {"form": form, "deal": deal}, partial="form", status=status)
