"""The form of the company's settings."""

from __future__ import annotations

from babel import Locale
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from phonenumbers import SUPPORTED_REGIONS

from crm.money.models import Currency
from crm.people.calendar import read_hours, show_hours
from crm.people.company import Company
from crm.people.folding import fold
from crm.people.names import localised
from crm.web.company import DAY, FIELDS
from crm.web.forms import time_zones
from crm.web.widgets import LongSelect

SECTIONS = (
    ("", ("name", "tax_number", "address", "postal_code", "city")),
    (_("Taken for granted"), ("country", "currency", "time_zone", "language")),
    (_("Working week"), tuple(DAY.format(day) for day in WEEKDAYS)),
)


def countries() -> list[tuple[str, str]]:
    """(code, name in the reader's language) of every country that has telephone numbers."""
    names = Locale.parse((get_language() or "en").replace("-", "_")).territories
    found = [(code, names[code]) for code in SUPPORTED_REGIONS if code in names]
    return sorted(found, key=lambda pair: fold(pair[1]))


class CompanyForm(forms.Form):
    """Shows and validates; the service writes. `saved` and `week` are what stands now."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    name = forms.CharField(label=_("Name"), max_length=120)
    tax_number = forms.CharField(
        label=_("Tax number"), max_length=30, required=False,
        help_text=_("With the address it stands under every letter the CRM sends."),
    )  # fmt: skip
    address = forms.CharField(label=_("Street and number"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=12, required=False)
    city = forms.CharField(label=_("City"), max_length=80, required=False)
    country = forms.ChoiceField(
        label=_("Country"), choices=countries, widget=LongSelect,
        help_text=_("Telephone, tax and account numbers without a country are this one's; its holidays are free."),
    )  # fmt: skip
    currency = forms.ChoiceField(
        label=_("Currency"),
        help_text=_("Of new deals, and of amounts without one of their own. What is saved is not converted."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, widget=LongSelect,
        help_text=_("Of the working hours, of new accounts and of visitors."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Of new accounts and invitations.")
    )

    def __init__(self, data=None, *, saved: Company, week: dict):
        super().__init__(data)
        present = saved.currency
        offered = Currency.objects.filter(is_active=True)
        known = [(one.pk, f"{one.pk} – {localised(one.name, one.name_pl)}") for one in offered]
        self.fields["currency"].choices = known if present in dict(known) else [(present, present), *known]
        for day, name in WEEKDAYS.items():
            self.fields[DAY.format(day)] = forms.CharField(
                label=capfirst(str(name)), required=False, max_length=80,
                widget=forms.TextInput(attrs={"placeholder": _("free"), "autocomplete": "off"}),
            )  # fmt: skip
        self.initial = {name: getattr(saved, name) for name in ("version", *FIELDS)}
        self.initial |= {DAY.format(day): show_hours(spans) for day, spans in week.items()}

    def clean(self):
        cleaned = super().clean()
        for day in WEEKDAYS:
            try:
                cleaned[DAY.format(day)] = read_hours(cleaned.get(DAY.format(day)) or "")
            except ValidationError as error:
                self.add_error(DAY.format(day), error)
        return cleaned

    def sections(self) -> list[tuple[str, list]]:
        """(title, bound fields)."""
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]

    def given(self) -> dict:
        """The arguments of the service; on the page of a conflict some fields were left to the other."""
        data = self.cleaned_data
        mine = {name for name in self.fields if self.data.get(f"choice-{name}") != "theirs"}
        return {
            "values": {name: data[name] for name in FIELDS if name in mine},
            "week": {day: data[DAY.format(day)] for day in WEEKDAYS if DAY.format(day) in mine},
            "version": data["version"],
        }
