"""Which way of a stage a requirement stands in, and whether it holds the move."""

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import Mode, Way


class RequirementForm(forms.Form):
    """What every requirement is asked, whatever its kind."""

    way = forms.ChoiceField(label=_("Where"), choices=Way.choices, initial=Way.ENTRY)
    mode = forms.ChoiceField(
        label=_("Then"), choices=Mode.choices, initial=Mode.BLOCKING, widget=forms.RadioSelect
    )
