"""The one form of a conversion: whose counterparty, which contact, and the deal, with defaults that mostly fit."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from counterparties.cleaning import CleanedValuesMixin
from counterparties.duplicates import Duplicate, duplicate_contacts, duplicate_counterparties
from counterparties.models import Contact, Counterparty, CounterpartyType
from counterparties.pickers import RecordChoiceField
from crm.attributes.forms import DateInput
from crm.money.models import Currency, default_currency
from crm.web.record_forms import RecordForm
from deals.models import Deal, DealType
from leads.duplicates import lead_values
from leads.models import Lead

NEW, OTHER, NONE = "new", "other", "none"
SURE = {"tax_number", "phone", "email"}


def reload_attributes(url: str) -> dict[str, str]:
    """Another type has other attributes: the form comes anew with what was typed."""
    return {
        "hx-get": url,
        "hx-trigger": "change",
        "hx-include": "closest form",
        "hx-target": "closest form",
        "hx-swap": "outerHTML",
        "hx-params": "not csrfmiddlewaretoken,form_token",
    }


class ChoiceForm(forms.Form):
    """What is picked and what is made: ids of found records, or new, other, none."""

    counterparty = forms.ChoiceField(widget=forms.RadioSelect)
    contact = forms.ChoiceField(widget=forms.RadioSelect)
    deal = forms.BooleanField(label=_("Open a deal"), required=False)

    def __init__(self, *args, user, clients: list[Duplicate], people: list[Duplicate], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["counterparty"].choices = [
            *((str(one.record.pk), one.record) for one in clients),
            (OTHER, ""),
            (NEW, ""),
        ]
        self.fields["contact"].choices = [
            *((str(one.record.pk), one.record) for one in people),
            (NEW, ""),
            (NONE, ""),
        ]
        self.fields["other"] = RecordChoiceField(
            Counterparty.objects.visible_to(user),
            label=_("Another counterparty"),
            required=False,
            url=reverse_lazy("counterparties:counterparty_options"),
        )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("counterparty") == OTHER and not cleaned.get("other"):
            self.add_error("other", _("Choose the counterparty."))
        return cleaned

    def chosen(self, field: str) -> str:
        """What is ticked now."""
        return str((self.data.get(field) if self.is_bound else self.initial.get(field)) or "")


class ClientForm(CleanedValuesMixin, RecordForm):
    """A new counterparty with the attributes of its type."""

    prefix = "c"
    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False)

    class Meta:
        model = Counterparty
        fields = ["counterparty_type", "name", "tax_number", "phone", "email", "city"]

    def __init__(self, *args, reload_url: str, is_person: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.types = list(CounterpartyType.objects.filter(is_active=True))
        field = self.fields["counterparty_type"]
        field.choices = [(one.pk, str(one)) for one in self.types]
        field.widget.attrs |= reload_attributes(reload_url)
        given = str(self.given("counterparty_type") or "")
        fitting = [one for one in self.types if one.is_person == is_person] or self.types
        self.type = next((one for one in self.types if str(one.pk) == given), fitting[0] if fitting else None)
        self.initial["counterparty_type"] = self.type.pk if self.type else None
        self.add_attribute_fields(self.type.attribute_set_id if self.type else None)

    def demanded(self) -> list:
        """The bound fields of the attributes that must be filled."""
        return [self[item.field_name] for item in self.attribute_list if item.required]

    def optional(self) -> list:
        return [self[item.field_name] for item in self.attribute_list if not item.required]

    def has_optional_errors(self) -> bool:
        return self.is_bound and any(bound.errors for bound in self.optional())


class PersonForm(CleanedValuesMixin, RecordForm):
    """A new contact. Attributes demanded of contacts are asked for on its own card."""

    prefix = "p"
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False)

    class Meta:
        model = Contact
        fields = ["first_name", "last_name", "position", "phone", "email"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.limit_fields()

    def clean(self):
        cleaned = super().clean()
        if not (cleaned.get("first_name") or cleaned.get("last_name")):
            self.add_error("last_name", _("Give the first or the last name."))
        return cleaned


class DealForm(RecordForm):
    """The essentials of a deal with the attributes of its type."""

    prefix = "d"

    class Meta:
        model = Deal
        fields = ["name", "deal_type", "amount", "currency", "close_date"]
        widgets = {"close_date": DateInput()}

    def __init__(self, *args, reload_url: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["currency"].queryset = Currency.objects.filter(is_active=True)
        self.fields["currency"].empty_label = None
        self.types = list(DealType.objects.filter(is_active=True).order_by("-is_default", "position", "id"))
        field = self.fields["deal_type"]
        field.queryset, field.empty_label = DealType.objects.filter(is_active=True), None
        field.choices = [(one.pk, str(one)) for one in self.types]
        field.widget.attrs |= reload_attributes(reload_url)
        given = str(self.given("deal_type") or "")
        first = self.types[0] if self.types else None
        chosen = next((one for one in self.types if str(one.pk) == given), first)
        self.initial["deal_type"] = chosen.pk if chosen else None
        self.instance.deal_type = chosen
        self.add_attribute_fields(chosen.attribute_set_id if chosen else None)

    def demanded(self) -> list:
        """The bound fields of the attributes that must be filled."""
        return [self[item.field_name] for item in self.attribute_list if item.required]

    def optional(self) -> list:
        return [self[item.field_name] for item in self.attribute_list if not item.required]

    def has_optional_errors(self) -> bool:
        return self.is_bound and any(bound.errors for bound in self.optional())


class ConversionForms:
    """The parts together. `data`: a POST; `preset`: the values of a form that is shown anew for another type."""

    def __init__(
        self,
        *,
        lead: Lead,
        user,
        url: str,
        data: QueryDict | None = None,
        files=None,
        preset: QueryDict | None = None,
    ):
        self.lead, self.user = lead, user
        found = duplicate_counterparties(user, lead_values(lead))
        self.clients = [one for one in found if one.is_visible]
        self.hidden_clients = [one for one in found if not one.is_visible]
        self.people = (
            [one for one in duplicate_contacts(user, lead_values(lead)) if one.is_visible]
            if lead.person
            else []
        )
        given = preset or {}
        self.client = ClientForm(
            data,
            files,
            user=user,
            reload_url=url,
            is_person=not lead.company,
            initial=self._client() | _part(given, "c-"),
        )
        self.person = PersonForm(data, user=user, initial=self._person() | _part(given, "p-"))
        self.deal = DealForm(
            data,
            files,
            user=user,
            reload_url=url,
            initial={"name": lead.name, "currency": default_currency()} | _part(given, "d-"),
        )
        self.offers_deal = bool(self.deal.types) and user.access.may(Deal, "create")
        initial = (
            {key: given.get(key) for key in ("counterparty", "contact", "deal", "other")}
            if given
            else self._defaults()
        )
        self.choice = ChoiceForm(data, user=user, clients=self.clients, people=self.people, initial=initial)

    def _client(self) -> dict:
        return {name: getattr(self.lead, name) for name in ("name", "tax_number", "phone", "email", "city")}

    def _person(self) -> dict:
        return {
            name: getattr(self.lead, name)
            for name in ("first_name", "last_name", "position", "phone", "email")
        }

    def _defaults(self) -> dict:
        """The record that is surely the same, else a new one."""
        sure = (one for one in self.clients if SURE & set(one.columns) or self.lead.company)
        client = next((str(one.record.pk) for one in sure), NEW)
        known = (one for one in self.people if len(one.columns) > 1 or "email" in one.columns)
        person = next((str(one.record.pk) for one in known), NEW if self.lead.person else NONE)
        return {"counterparty": client, "contact": person, "deal": self.offers_deal}

    @property
    def parts(self) -> list:
        """The forms whose values count for what is ticked."""
        used = [self.choice]
        if self.client_choice == NEW:
            used.append(self.client)
        if self.person_choice == NEW:
            used.append(self.person)
        if self.makes_deal:
            used.append(self.deal)
        return used

    @property
    def client_choice(self) -> str:
        return self.choice.chosen("counterparty")

    @property
    def person_choice(self) -> str:
        return self.choice.chosen("contact")

    @property
    def makes_deal(self) -> bool:
        return self.offers_deal and bool(self.choice.chosen("deal"))

    @property
    def errors(self) -> dict:
        """Not empty when something needs attention."""
        bound = [part for part in self.parts if part.is_bound]
        return {name: errors for part in bound for name, errors in part.errors.items()}

    @property
    def non_field_errors(self):
        return self.choice.non_field_errors()

    def is_valid(self) -> bool:
        checked = [part.is_valid() for part in self.parts]
        return all(checked)

    def arguments(self) -> dict:
        """The arguments of `convert_lead`."""
        picked, found = self.choice.cleaned_data, {}
        if picked["counterparty"] == NEW:
            values = self.client.field_values()
            found["counterparty_type"] = values.pop("counterparty_type")
            found |= {
                "counterparty_values": values,
                "counterparty_attributes": self.client.attribute_values(),
            }
        elif picked["counterparty"] == OTHER:
            found["counterparty"] = picked["other"]
        else:
            found["counterparty"] = _record(self.clients, picked["counterparty"])
        if picked["contact"] == NEW:
            found["contact_values"] = self.person.field_values()
        elif picked["contact"] != NONE:
            found["contact"] = _record(self.people, picked["contact"])
        if self.makes_deal:
            found["deal_values"] = {**self.deal.field_values(), "attributes": self.deal.attribute_values()}
        return found


def _record(offers: list[Duplicate], pk: str):
    return next(one.record for one in offers if str(one.record.pk) == pk)


def _part(values, prefix: str) -> dict:
    return {name.removeprefix(prefix): values.get(name) for name in values if name.startswith(prefix)}
