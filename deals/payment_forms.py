"""The forms of a deal's payments."""

from __future__ import annotations

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.attributes.forms import DateInput
from crm.money.fields import MoneyFormField
from deals.models import Payment, PaymentTemplate
from deals.row_forms import Refusing


class PaymentForm(forms.ModelForm):
    """What may be changed of a payment where it stands."""

    planned_date = forms.DateField(label=_("Planned for"), widget=DateInput())
    received_date = forms.DateField(label=_("Received on"), required=False, widget=DateInput())

    class Meta:
        model = Payment
        fields = [
            "name", "planned_date", "amount", "is_invoiced", "invoice_number", "received_date", "received_amount",
        ]  # fmt: skip
        labels = {
            "name": _("What for"),
            "amount": _("Amount"),
            "is_invoiced": _("Invoiced"),
            "invoice_number": _("Invoice number"),
            "received_amount": _("Received"),
        }


class NewPaymentForm(Refusing, forms.Form):
    """One more payment; the amount offered is what is not planned yet."""

    name = forms.CharField(label=_("What for"), max_length=100, required=False)
    planned_date = forms.DateField(label=_("Planned for"), widget=DateInput())
    amount = MoneyFormField(label=_("Amount"), max_digits=15, decimal_places=2)


class ScheduleForm(Refusing, forms.Form):
    """Splitting the amount by a schedule an administrator has made."""

    template = forms.ModelChoiceField(PaymentTemplate.objects.none(), label=_("Schedule"), empty_label=None)
    start = forms.DateField(label=_("First day"), widget=DateInput())

    def __init__(self, *args, deal, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = PaymentTemplate.objects.filter(is_active=True)
        self.initial.setdefault("start", deal.close_date or timezone.localdate())
