"""Attributes on the form of a record; every record's form with attributes uses this one mixin."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError

from crm.attributes.conditions import applicable_keys
from crm.attributes.fields import DateInput, ShownFile, form_field, initial_value
from crm.attributes.models import AttributeKind
from crm.attributes.references import readable_links
from crm.attributes.services import attributes_of, clean_values, default_values, demand_unique
from crm.web.widgets import LongSelect

__all__ = ["AttributesFormMixin", "DateInput", "form_field"]


class AttributesFormMixin:
    """Adds one field per attribute of `attribute_set_id` and collects them in `attribute_values()`.

    The form's `user`, where it has one, decides which records a link offers.
    """

    out_of_sight: frozenset[str] = frozenset()

    def add_attribute_fields(self, attribute_set_id: int | None) -> None:
        """Call at the end of `__init__`; initial values come from `self.instance`, of a new one the defaults."""
        self.attribute_list = attributes_of(attribute_set_id)
        user = getattr(self, "user", None)
        stored = self.instance.attributes if self.instance.pk else default_values(self.attribute_list)
        self.out_of_sight = self._links_out_of_sight(stored, user)
        for attribute in self.attribute_list:
            value = stored.get(attribute.key)
            field = self.fields[attribute.field_name] = form_field(attribute, user, value)
            if attribute.key in self.out_of_sight:
                field.required = field.is_demanded = False
            if attribute.kind == AttributeKind.PERSON:
                field.widget = LongSelect(choices=field.choices)
            if attribute.shown_if_key:
                field.shown_if = self.add_prefix(f"attr_{attribute.shown_if_key}")
                field.shown_if_values = json.dumps([str(item) for item in attribute.shown_if_values])
            if attribute.kind == AttributeKind.FILE:
                self.initial.pop(attribute.field_name, None)
            self.initial.setdefault(attribute.field_name, initial_value(attribute, value, user))

    def _links_out_of_sight(self, stored: dict, user) -> frozenset[str]:
        """The keys of links to records the user does not see: he leaves them as they are."""
        links = {
            item.key: stored[item.key]
            for item in self.attribute_list
            if item.kind == AttributeKind.LINK and stored.get(item.key)
        }
        seen = readable_links(user, links.values()) if links and user else {}
        return frozenset(key for key, value in links.items() if value not in seen)

    def clean(self):
        cleaned = super().clean()
        if not self.attribute_list:
            return cleaned
        try:
            checked = clean_values(
                self.attribute_list,
                {key: value for key, value in self._given_attributes().items() if f"attr_{key}" not in self.errors},
                partial=True,
                by=getattr(self, "user", None),
                record=self.instance,
            )  # fmt: skip
            demand_unique(self.instance, self.attribute_list, checked)
            self._forgive_hidden(checked)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned

    def _forgive_hidden(self, checked: dict) -> None:
        """What was typed into a field that is not shown in the end does not matter."""
        kept = {key: self.instance.attributes.get(key) for key in self.out_of_sight}
        shown = applicable_keys(self.attribute_list, {**kept, **checked})
        for attribute in self.attribute_list:
            if attribute.key not in shown and attribute.field_name in self._errors:
                del self._errors[attribute.field_name]

    def _given_attributes(self) -> dict:
        found = {item.key: self.cleaned_data.get(item.field_name) for item in self.attribute_list}
        for key, value in list(found.items()):
            if isinstance(value, ShownFile):
                found[key] = value.pk
            elif value is False and self._is_file(key):
                found[key] = None
            elif value is None and key in self.out_of_sight:
                del found[key]
        return found

    def _is_file(self, key: str) -> bool:
        return any(item.key == key and item.kind == AttributeKind.FILE for item in self.attribute_list)

    def attribute_values(self) -> dict:
        """{attribute key: cleaned value} for the area's service."""
        return self._given_attributes()

    def attribute_fields(self):
        """The bound fields of the attributes, grouped by section: [(section label, [bound fields])]."""
        sections: dict[str, list] = {}
        for attribute in self.attribute_list:
            sections.setdefault(attribute.section_label, []).append(self[attribute.field_name])
        return list(sections.items())
