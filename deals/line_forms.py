"""The forms of a deal's lines."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from counterparties.pickers import RecordChoiceField
from crm.money.fields import MoneyFormField
from deals.models import Deal, DealLine, Product, TaxRate
from deals.row_forms import Refusing


class NumberField(MoneyFormField):
    """A number as people type it, with either decimal sign."""


class LineForm(forms.ModelForm):
    """What may be changed of a line where it stands."""

    quantity = NumberField(label=_("Quantity"), max_digits=12, decimal_places=3)
    discount = NumberField(label=_("Discount, %"), max_digits=5, decimal_places=2, required=False)

    class Meta:
        model = DealLine
        fields = ["name", "quantity", "unit", "unit_price", "discount", "tax_rate"]
        labels = {"name": _("Product or text"), "unit_price": _("Unit price")}


class NewLineForm(Refusing, forms.Form):
    """A product from the catalogue or a free text; what is left empty comes from the product."""

    product = RecordChoiceField(Product.objects.none(), url="", label=_("Product or text"), required=False)
    quantity = NumberField(
        label=_("Quantity"), max_digits=12, decimal_places=3, required=False, initial=Decimal(1)
    )
    unit_price = MoneyFormField(label=_("Unit price"), max_digits=15, decimal_places=2, required=False)
    discount = NumberField(label=_("Discount, %"), max_digits=5, decimal_places=2, required=False)
    tax_rate = forms.ModelChoiceField(TaxRate.objects.none(), label=_("Tax rate"), required=False)

    def __init__(self, *args, deal: Deal, user, **kwargs):
        super().__init__(*args, **kwargs)
        offered = Product.objects.visible_to(user).filter(is_active=True).select_related("tax_rate")
        url = f"{reverse('deals:product_options')}?currency={deal.currency_id}"
        self.fields["product"] = RecordChoiceField(
            offered, url=url, label=self.fields["product"].label, required=False
        )
        self.fields["product"].widget.typed = self.typed
        rates = self.fields["tax_rate"]
        rates.queryset, rates.empty_label = TaxRate.objects.filter(is_active=True), _("by the product")

    @property
    def typed(self) -> str:
        """The free text."""
        return " ".join(self.data.get("q", "").replace("\x00", "").split()) if self.is_bound else ""

    def clean(self):
        values = super().clean()
        if not values.get("product"):
            if not self.typed:
                raise ValidationError({"product": _("Choose a product or type a text.")})
            values["name"] = self.typed[:200]
        return values
