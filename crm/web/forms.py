from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.people.company import company_time_zone
from crm.people.models import Theme, User
from crm.web.widgets import LongSelect


def time_zones():
    """Zones named after a place; the database's aliases and offsets only confuse."""
    places = {
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
    }
    return [(zone, zone.replace("_", " ")) for zone in sorted(places | {"UTC", company_time_zone()})]


class ProfileForm(forms.ModelForm):
    """What people change about themselves; rights, department and login are the administrator's."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones, widget=LongSelect)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "phone", "position", "language", "time_zone", "theme"]


class PreferenceForm(forms.Form):
    """One click in the user menu."""

    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    theme = forms.ChoiceField(choices=Theme.choices, required=False)
