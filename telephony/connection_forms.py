"""What administrators enter of a connection: its own fields and those of its kind. Secrets go in and never come out."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.people.models import User
from crm.web.widgets import LongSelect
from telephony.adapters.base import SettingField
from telephony.connecting import OWN_FIELDS, fields_of, kept_settings
from telephony.models import Connection, Extension

PREFIX = "setting_"
LONGEST = 500


class ConnectionForm(forms.ModelForm):
    """The settings of its kind first, then the row's own fields. An empty secret leaves the one that is kept."""

    class Meta:
        model = Connection
        fields = OWN_FIELDS
        widgets = {"lines": forms.Textarea(attrs={"rows": 2}), "ignored": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args, provider: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.provider, kept = provider, kept_settings(self.instance)
        for one in fields_of(provider):
            self.fields[PREFIX + one.name] = _field(one, kept)
        if self.instance.pk:
            self.fields["rota"] = self._rota()
        own = [name for name in self.fields if not name.startswith(PREFIX) and name != "name"]
        self.order_fields(["name", *(PREFIX + one.name for one in fields_of(provider)), *own])

    def _rota(self) -> forms.ModelMultipleChoiceField:
        """Of those who have a telephone here."""
        people = User.objects.filter(
            Q(extensions__connection=self.instance, is_active=True)
            | Q(pk__in=self.instance.rota.values("pk"))
        )
        return forms.ModelMultipleChoiceField(
            people.distinct().order_by("last_name", "first_name"), label=_("Who calls back"), required=False,
            initial=list(self.instance.rota.values_list("pk", flat=True)), widget=forms.CheckboxSelectMultiple,
            help_text=_("In turn, where the caller has no owner."),
        )  # fmt: skip

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in OWN_FIELDS}

    def given(self) -> dict[str, str]:
        """What was entered of the settings of its kind."""
        return {one.name: self.cleaned_data[PREFIX + one.name] for one in fields_of(self.provider)}


def _field(one: SettingField, kept: dict[str, str]) -> forms.CharField:
    is_kept = bool(kept.get(one.name))
    note = one.help_text
    if one.is_secret and is_kept:
        note = _("Leave empty to keep what is stored.")
    elif one.is_made:
        note = _("Leave empty: one is made and shown once.")
    widget = (
        forms.PasswordInput(attrs={"autocomplete": "new-password"}) if one.is_secret else forms.TextInput()
    )
    return forms.CharField(
        label=capfirst(one.label), max_length=LONGEST, widget=widget, help_text=note,
        required=one.is_required and not one.is_made and not (one.is_secret and is_kept),
        initial="" if one.is_secret else kept.get(one.name, one.default),
    )  # fmt: skip


class ExtensionForm(forms.Form):
    """A telephone and whose it is."""

    number = forms.CharField(label=_("Extension"), max_length=40)
    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Person"),
        required=False,
        empty_label=_("nobody's desk"),
        widget=LongSelect,
    )

    def __init__(self, *args, connection: Connection, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        taken = Extension.objects.filter(connection=connection).exclude(user=None).values("user")
        people = User.objects.filter(is_active=True).exclude(pk__in=taken)
        self.fields["user"].queryset = people.order_by("last_name", "first_name")
