"""The form a visitor fills, made of what the administrator chose."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from counterparties.cleaning import clean_values
from crm.attributes.fields import form_field
from crm.attributes.models import Attribute, AttributeKind
from crm.attributes.services import attributes_of
from crm.attributes.services import clean_values as clean_attributes
from leads.models import Lead
from leads.web_forms.models import WebForm

OFFERED = {
    "company": ("organization", 200),
    "first_name": ("given-name", 100),
    "last_name": ("family-name", 100),
    "position": ("organization-title", 120),
    "phone": ("tel", 60),
    "email": ("email", 254),
    "tax_number": ("", 40),
    "website": ("url", 190),
    "city": ("address-level2", 120),
    "note": ("", 4000),
}
CALLED = ("company", "first_name", "last_name", "phone", "email")
# What a stranger cannot choose from.
INTERNAL = (AttributeKind.PERSON, AttributeKind.LINK, AttributeKind.FILE)


def form_attributes() -> list[Attribute]:
    """The lead's attributes that a web form may ask for."""
    found = attributes_of(Lead().get_attribute_set_id())
    return [item for item in found if item.kind not in INTERNAL]


def field_choices() -> list[tuple[str, str]]:
    """(key, label) of everything an administrator may put on a web form."""
    own = [(name, str(Lead._meta.get_field(name).verbose_name)) for name in OFFERED]
    return own + [(item.field_name, str(item)) for item in form_attributes()]


class VisitorForm(forms.Form):
    """Checks what a visitor typed; `values()` and `attribute_values()` are in the stored spelling."""

    consent = forms.BooleanField(required=False)

    def __init__(self, *args, web_form: WebForm, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        chosen = list(web_form.fields.all())
        wanted = any(one.field.startswith("attr_") for one in chosen)
        self.attribute_list = form_attributes() if wanted else []
        known = {item.field_name: item for item in self.attribute_list}
        consent = self.fields.pop("consent")
        for one in chosen:
            if one.field in known:
                field = form_field(known[one.field])
            elif one.field in OFFERED:
                field = _own_field(one.field)
            else:
                continue
            field.required = one.is_required
            field.label = str(one) if one.label or one.label_pl else field.label
            self.fields[one.field] = field
        self.attribute_list = [item for item in self.attribute_list if item.field_name in self.fields]
        self.consent_text = web_form.text("consent")
        if self.consent_text:
            consent.required, consent.label = web_form.consent_required, self.consent_text
            self.fields["consent"] = consent

    def clean(self) -> dict:
        cleaned = super().clean()
        for name in set(OFFERED) & set(cleaned):
            try:
                cleaned |= clean_values({name: cleaned[name]})
            except ValidationError as error:
                self.add_error(name, error.message_dict.get(name) or error)
        asked = set(CALLED) & set(self.fields)
        if asked and not any(cleaned.get(name) for name in asked) and not asked & set(self.errors):
            self.add_error(sorted(asked)[0], _("Tell us who you are and how we can reach you."))
        try:
            raw = {item.key: cleaned.get(item.field_name) for item in self.attribute_list}
            self.cleaned_attributes = clean_attributes(self.attribute_list, raw, partial=True)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned

    def values(self) -> dict:
        """{field of the lead: text}, empty ones left out."""
        return {name: self.cleaned_data[name] for name in OFFERED if self.cleaned_data.get(name)}

    def attribute_values(self) -> dict:
        """{attribute key: JSON value}, empty ones left out."""
        return {key: value for key, value in self.cleaned_attributes.items() if value not in (None, "", [])}

    @property
    def given_consent(self) -> str:
        """The text agreed to, empty without consent."""
        return self.consent_text if self.cleaned_data.get("consent") else ""


def _own_field(name: str) -> forms.Field:
    autocomplete, most = OFFERED[name]
    label = (
        gettext_lazy("Message") if name == "note" else Lead._meta.get_field(name).verbose_name.capitalize()
    )
    attrs = {"autocomplete": autocomplete} if autocomplete else {}
    if name == "note":
        return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": 4}))
    if name == "email":
        return forms.EmailField(label=label, max_length=most, widget=forms.EmailInput(attrs=attrs))
    if name == "phone":
        attrs["inputmode"] = "tel"
    return forms.CharField(label=label, max_length=most, widget=forms.TextInput(attrs=attrs))
