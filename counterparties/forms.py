"""Forms of counterparties, contacts and the links between them."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from counterparties.cleaning import CleanedValuesMixin
from counterparties.models import (
    Consent,
    Contact,
    Counterparty,
    CounterpartyType,
    Industry,
    Region,
    home_country,
)
from counterparties.pickers import RecordChoiceField
from counterparties.row_fields import RowsFormField, RowsFormMixin
from counterparties.rows import ACCOUNTS, ADDRESSES, EMAILS, MESSENGERS, PHONES
from crm.attributes.forms import DateInput
from crm.web.record_forms import RecordForm

RELOAD = {
    "hx-trigger": "change",
    "hx-include": "closest form",
    "hx-params": "not csrfmiddlewaretoken,form_token",
    "hx-target": "closest form",
    "hx-swap": "outerHTML",
}


class CounterpartyForm(RowsFormMixin, CleanedValuesMixin, RecordForm):
    """The type comes first: it decides the attributes; another type asks for the form anew."""

    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    phone = RowsFormField(PHONES, label=_("Phones"))
    email = RowsFormField(EMAILS, label=_("E-mails"))
    accounts = RowsFormField(ACCOUNTS, label=_("Bank accounts"))
    addresses = RowsFormField(ADDRESSES, label=_("Further addresses"))
    registry_number = forms.CharField(label=_("KRS"), max_length=40, required=False)
    statistical_number = forms.CharField(label=_("REGON"), max_length=40, required=False)
    country = forms.CharField(label=_("Country"), min_length=2, max_length=2, initial=home_country)
    website = forms.CharField(label=_("Website"), max_length=190, required=False)

    class Meta:
        model = Counterparty
        fields = [
            "counterparty_type",
            "name",
            "tax_number",
            "phone",
            "email",
            "website",
            "address",
            "postal_code",
            "city",
            "country",
            "owner",
            "note",
            "industry",
            "employee_count",
            "region",
            "parent",
            "registry_number",
            "statistical_number",
            "accounts",
            "addresses",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    folded = (
        (_("Industry, region and group"), ("industry", "employee_count", "region", "parent")),
        (_("Registers and bank accounts"), ("registry_number", "statistical_number", "accounts")),
        (_("Further addresses"), ("addresses",)),
    )

    def __init__(self, *args, reload_url: str, **kwargs):
        super().__init__(*args, **kwargs)
        self._limit_dictionaries()
        self.types = list(
            CounterpartyType.objects.filter(Q(is_active=True) | Q(pk=self.instance.counterparty_type_id))
        )
        field = self.fields["counterparty_type"]
        field.choices = [(one.pk, str(one)) for one in self.types]
        field.widget.attrs |= {**RELOAD, "hx-get": reload_url}
        self.type = self._chosen_type()
        self.initial["counterparty_type"] = self.type.pk if self.type else None
        self.add_attribute_fields(self.type.attribute_set_id if self.type else None)

    def _limit_dictionaries(self) -> None:
        """What is offered, and what the record has already."""
        for name, model in (("industry", Industry), ("region", Region)):
            chosen = getattr(self.instance, f"{name}_id")
            self.fields[name].queryset = model.objects.filter(Q(is_active=True) | Q(pk=chosen))
        seen = Counterparty.objects.visible_to(self.user)
        if self.instance.parent_id and not seen.filter(pk=self.instance.parent_id).exists():
            del self.fields["parent"]
            return
        self.fields["parent"] = RecordChoiceField(
            seen.exclude(pk=self.instance.pk),
            label=_("Parent company"),
            required=False,
            url=reverse_lazy("counterparties:counterparty_options"),
        )

    def _chosen_type(self) -> CounterpartyType | None:
        given = str(self.given("counterparty_type") or "")
        return next(
            (one for one in self.types if str(one.pk) == given), self.types[0] if self.types else None
        )


class ContactForm(RowsFormMixin, CleanedValuesMixin, RecordForm):
    """A person; a new one may stand for a counterparty at once."""

    phone = RowsFormField(PHONES, label=_("Phones"))
    email = RowsFormField(EMAILS, label=_("E-mails"))
    messengers = RowsFormField(MESSENGERS, label=_("Messengers"))

    class Meta:
        model = Contact
        fields = ["first_name", "last_name", "position", "phone", "email", "messengers", "owner", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.fields["counterparty"] = RecordChoiceField(
                Counterparty.objects.visible_to(self.user),
                label=_("Counterparty"),
                required=False,
                url=reverse_lazy("counterparties:counterparty_options"),
            )
            self.fields["role"] = forms.CharField(label=_("Role there"), max_length=80, required=False)
        self.add_attribute_fields(self.instance.get_attribute_set_id())

    def clean(self):
        cleaned = super().clean()
        if not (cleaned.get("first_name") or cleaned.get("last_name")) and not {
            "first_name",
            "last_name",
        } & set(self.errors):
            self.add_error("last_name", _("Give the first or the last name."))
        return cleaned


class LinkForm(forms.Form):
    """An existing contact for a counterparty, or the other way round."""

    role = forms.CharField(label=_("Role there"), max_length=80, required=False)
    is_primary = forms.BooleanField(label=_("Primary contact"), required=False)

    def __init__(self, *args, user, record, **kwargs):
        super().__init__(*args, **kwargs)
        if isinstance(record, Counterparty):
            choice = RecordChoiceField(
                Contact.objects.visible_to(user),
                label=_("Contact"),
                url=reverse_lazy("counterparties:contact_options"),
            )
        else:
            choice = RecordChoiceField(
                Counterparty.objects.visible_to(user),
                label=_("Counterparty"),
                url=reverse_lazy("counterparties:counterparty_options"),
            )
        self.fields = {"other": choice, **self.fields}


class ConsentForm(forms.ModelForm):
    """What a contact said about being reached through a channel."""

    class Meta:
        model = Consent
        fields = ["channel", "state", "given_on", "source"]
        widgets = {"given_on": DateInput()}
        help_texts = {"source": _("Where and how it was said: a form, a call, a fair.")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("channel", "state"):
            self.fields[name].choices = [one for one in self.fields[name].choices if one[0]]

    def _post_clean(self) -> None:
        """The service validates and writes."""
