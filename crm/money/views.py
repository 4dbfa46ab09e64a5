"""The company's exchange rates: what holds today, what held before, and pasting new ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from crm.attributes.forms import DateInput
from crm.money.access import may_change_rates
from crm.money.models import Currency, Rate, RateChange, default_currency
from crm.money.rate_reading import read_rates
from crm.money.rates import remove_rate, set_rates
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

MOST_BYTES = 500_000
SHOWN_ERRORS = 20
SHOWN_RATES = 100


class RatesForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Paste rates, a line for each"), required=False, strip=False, max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": "EUR 4,2715"}),
        help_text=gettext_lazy("Also with a day: 2026-11-26;EUR;4,2715. A table of 100 units (100 HUF) is understood."),
    )  # fmt: skip
    file = forms.FileField(label=gettext_lazy("or a CSV file"), required=False)
    day = forms.DateField(label=gettext_lazy("Day of lines without one"), widget=DateInput())

    def clean_file(self):
        """The text of the file; whatever its encoding, codes and numbers are ASCII."""
        upload = self.cleaned_data["file"]
        if upload is None:
            return ""
        if upload.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return upload.read().decode("utf-8-sig", "replace")

    def read(self) -> dict[tuple[str, date], Decimal]:
        """What was pasted and uploaded; errors stand on the form."""
        known, found = set(Currency.objects.values_list("pk", flat=True)), {}
        for name in ("text", "file"):
            read = read_rates(
                self.cleaned_data[name], day=self.cleaned_data["day"], known=known, own=default_currency()
            )
            for number, error in read.errors[:SHOWN_ERRORS]:
                self.add_error(name, _("Line %(number)s: %(error)s") % {"number": number, "error": error})
            found |= read.rates
        if not found and not self.errors:
            self.add_error("text", _("Paste at least one rate."))
        return found


@require_http_methods(["GET", "HEAD", "POST"])
@once
def rate_list(request):
    """A POST writes pasted rates, all of them or none."""
    if not may_change_rates(request.user):
        raise PermissionDenied
    posting = request.method == "POST"
    form = RatesForm(
        request.POST if posting else None, request.FILES or None, initial={"day": timezone.localdate()}
    )
    if posting and form.is_valid():
        found = form.read()
        if form.is_valid():
            count = set_rates(rates=found, by=request.user)
            told = ngettext("%(count)s rate saved.", "%(count)s rates saved.", count) % {"count": count}
            toast(request, told if count else _("These rates were there already."))
            return redirect(request, reverse("money:rate_list"))
    context = {"form": form, "currencies": _present(), "own": default_currency(), **_past(request)}
    return page(
        request, "money/rate_list.html", context, partial="form" if posting else None, status=_status(form)
    )


def _status(form: RatesForm) -> int:
    return 422 if form.is_bound else 200


def _present() -> list[Currency]:
    """The currencies on offer with today's rate, None for those without one."""
    today = timezone.localdate()
    latest = Rate.objects.filter(currency=OuterRef("pk"), date__lte=today).order_by("-date").values("pk")[:1]
    offered = Currency.objects.filter(is_active=True).exclude(pk=default_currency())
    found = list(offered.annotate(latest=Subquery(latest)))
    rates = Rate.objects.in_bulk([one.latest for one in found if one.latest])
    for one in found:
        one.rate = rates.get(one.latest)
    return found


def _past(request) -> dict:
    """The latest rates of the currency that was asked for, and who wrote or removed some."""
    code = request.GET.get("currency", "")[:3]
    rows = Rate.objects.filter(currency=code).order_by("-date")[:SHOWN_RATES] if code else []
    changes = RateChange.objects.filter(currency=code).select_related("by").order_by("-id") if code else []
    return {"chosen": code, "past": list(rows), "changes": list(changes[:SHOWN_RATES])}


@require_POST
@once
def rate_delete(request, pk: int):
    """Takes a rate away."""
    if not may_change_rates(request.user):
        raise PermissionDenied
    rate = get_object_or_404(Rate, pk=pk)
    remove_rate(rate=rate, by=request.user)
    toast(request, _("The rate of %(day)s is removed.") % {"day": rate.date})
    return redirect(request, f"{reverse('money:rate_list')}?currency={rate.currency_id}")
