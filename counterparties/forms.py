"""Forms of counterparties, contacts and the links between them."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from counterparties.cleaning import CleanedValuesMixin
from counterparties.models import (
    Category,
    CategoryGroup,
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
    """A new record's type comes first: it decides the attributes; another type asks for the form anew."""

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

    def __init__(self, *args, reload_url: str = "", **kwargs):
        super().__init__(*args, **kwargs)
        self._limit_dictionaries()
        self.type = self._offer_types(reload_url)
        self._offer_categories()
        self.add_attribute_fields(self.type.attribute_set_id if self.type else None)

    def _offer_types(self, reload_url: str) -> CounterpartyType | None:
        """The type in force. A saved record's is changed on a page of its own, for it decides what is kept."""
        if self.instance.pk:
            del self.fields["counterparty_type"]
            return self.instance.counterparty_type
        types = list(CounterpartyType.objects.filter(is_active=True))
        field = self.fields["counterparty_type"]
        field.choices = [(one.pk, str(one)) for one in types]
        field.widget.attrs |= {**RELOAD, "hx-get": reload_url}
        given = str(self.given("counterparty_type") or "")
        chosen = next((one for one in types if str(one.pk) == given), types[0] if types else None)
        self.initial["counterparty_type"] = chosen.pk if chosen else None
        return chosen

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

    def _offer_categories(self) -> None:
        """One field for each group with categories to choose by hand."""
        offered = Category.objects.filter(Q(is_active=True) | Q(pk__in=self.instance.categories), rule="")
        groups: dict[CategoryGroup, list] = {}
        for one in offered.select_related("group"):
            groups.setdefault(one.group, []).append((str(one.pk), str(one)))
        self.category_fields = [f"categories_{group.pk}" for group in groups]
        for group, choices in groups.items():
            name = f"categories_{group.pk}"
            self.fields[name] = forms.MultipleChoiceField(
                label=str(group),
                choices=choices,
                required=group.is_required,
                widget=forms.CheckboxSelectMultiple,
            )
            self.initial.setdefault(name, [str(pk) for pk in self.instance.categories])
            if "categories" in self.user.access.locked_fields(Counterparty):
                del self.fields[name]

    def field_values(self) -> dict:
        values = super().field_values()
        chosen = [name for name in self.category_fields if name in self.fields]
        if chosen:
            values["categories"] = [int(pk) for name in chosen for pk in self.cleaned_data[name]]
        return values


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


class RoleForm(forms.Form):
    """What a contact is at a counterparty, and when."""

    role = forms.CharField(label=_("Role there"), max_length=80, required=False)
    since = forms.DateField(label=_("Since"), required=False, widget=DateInput())
    until = forms.DateField(label=_("Until"), required=False, widget=DateInput())
    is_primary = forms.BooleanField(label=_("Primary contact"), required=False)

    def refuse(self, error: forms.ValidationError) -> None:
        for field, errors in error.error_dict.items():
            self.add_error(field, errors)


class LinkForm(RoleForm):
    """An existing contact for a counterparty, or the other way round."""

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


class VCardForm(forms.Form):
    """A file with one or more vCards."""

    file = forms.FileField(
        label=_("File with vCards (.vcf)"),
        help_text=_("As phones, Outlook and Google export them; up to 200 people at once."),
        widget=forms.ClearableFileInput(attrs={"accept": ".vcf,text/vcard"}),
    )
