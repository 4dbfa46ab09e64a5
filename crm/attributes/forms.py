"""Form fields made from attributes; every record's form with attributes uses this one mixin."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind
from crm.attributes.services import attributes_of, clean_values, demand_unique
from crm.attributes.values import TEXT_LIMIT, python_value
from crm.money.fields import MoneyFormField


class DateInput(forms.DateInput):
    """The browser's own date picker; its value is always ISO."""

    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


def form_field(attribute: Attribute) -> forms.Field:
    """The field for one attribute, without an initial value."""
    options = {"label": str(attribute), "required": attribute.required, "help_text": attribute.help}
    if attribute.kind == AttributeKind.MONEY:
        return MoneyFormField(max_digits=15, decimal_places=2, **options)
    if attribute.kind == AttributeKind.NUMBER:
        return forms.DecimalField(max_digits=20, decimal_places=6, localize=True, **options)
    if attribute.kind == AttributeKind.DATE:
        return forms.DateField(widget=DateInput(), **options)
    if attribute.kind == AttributeKind.BOOL:
        return forms.BooleanField(**{**options, "required": False})
    if attribute.kind == AttributeKind.CHOICE:
        return forms.ChoiceField(choices=[("", _("– choose –")), *attribute.choice_labels()], **options)
    return forms.CharField(max_length=TEXT_LIMIT, **options)


class AttributesFormMixin:
    """Adds one field per attribute of `attribute_set_id` and collects them in `attribute_values()`."""

    def add_attribute_fields(self, attribute_set_id: int | None) -> None:
        """Call at the end of `__init__`; initial values come from `self.instance`."""
        self.attribute_list = attributes_of(attribute_set_id)
        for attribute in self.attribute_list:
            self.fields[attribute.field_name] = form_field(attribute)
            value = self.instance.attributes.get(attribute.key)
            self.initial.setdefault(attribute.field_name, python_value(attribute, value))

    def clean(self):
        cleaned = super().clean()
        raw = {
            item.key: self.cleaned_data.get(item.field_name)
            for item in self.attribute_list
            if item.field_name not in self.errors
        }
        try:
            checked = clean_values(self.attribute_list, raw, partial=True)
            demand_unique(self.instance, self.attribute_list, checked)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned

    def attribute_values(self) -> dict:
        """{attribute key: cleaned value} for the area's service."""
        return {item.key: self.cleaned_data.get(item.field_name) for item in self.attribute_list}

    def attribute_fields(self):
        """The bound fields of the attributes, grouped by section: [(section label, [bound fields])]."""
        sections: dict[str, list] = {}
        for attribute in self.attribute_list:
            sections.setdefault(attribute.section_label, []).append(self[attribute.field_name])
        return list(sections.items())
