"""The form of a product, with its price on every price list that is in use."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from crm.money.fields import LIMIT, MoneyFormField
from crm.web.record_forms import RecordForm
from deals.models import Price, PriceList, Product, TaxRate

PREFIX = "price_"


class ProductForm(RecordForm):
    """An empty price takes the product off the list."""

    class Meta:
        model = Product
        fields = ["name", "name_pl", "code", "unit", "tax_rate", "is_active", "note", "owner"]
        widgets = {
            "name": forms.TextInput(attrs={"autofocus": True}),
            "note": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rates = TaxRate.objects.filter(is_active=True)
        if self.instance.tax_rate_id:
            rates = rates | TaxRate.objects.filter(pk=self.instance.tax_rate_id)
        self.fields["tax_rate"].queryset = rates
        if not self.instance.pk:
            self.initial.setdefault("tax_rate", rates.filter(is_default=True).first())
        self._add_prices()
        self.limit_fields()

    def _add_prices(self) -> None:
        present = {}
        if self.instance.pk:
            present = dict(Price.objects.filter(product=self.instance).values_list("price_list_id", "amount"))
        for one in PriceList.objects.filter(is_active=True):
            self.fields[f"{PREFIX}{one.pk}"] = MoneyFormField(
                label=f"{one}, {one.currency_id}",
                required=False, min_value=Decimal(0), max_value=LIMIT, max_digits=15, decimal_places=2,
                initial=present.get(one.pk),
            )  # fmt: skip

    def prices(self) -> dict[int, Decimal | None]:
        """{id of the price list: price} of the lists the form has shown."""
        return {
            int(name.removeprefix(PREFIX)): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX)
        }
