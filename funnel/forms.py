"""The forms of the settings of funnels."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from deals.models import DealType
from funnel.models import Funnel, Mode, Stage, Way


class RequirementForm(forms.Form):
    """What every requirement is asked, whatever its kind."""

    way = forms.ChoiceField(label=_("Where"), choices=Way.choices, initial=Way.ENTRY)
    mode = forms.ChoiceField(
        label=_("Then"), choices=Mode.choices, initial=Mode.BLOCKING, widget=forms.RadioSelect
    )


class PlainNames(forms.ModelForm):
    """Names without stray blanks; the services save, never the form."""

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_name_pl(self) -> str:
        return " ".join(self.cleaned_data["name_pl"].split())


class FunnelForm(PlainNames):
    class Meta:
        model = Funnel
        fields = ["name", "name_pl", "is_active"]


class StageForm(PlainNames):
    class Meta:
        model = Stage
        fields = ["name", "name_pl", "colour", "probability", "expected_conversion", "rot_days"]


class DealTypeForm(PlainNames):
    class Meta:
        model = DealType
        fields = ["name", "name_pl", "funnel", "is_default", "is_active"]
        help_texts = {"funnel": _("New deals go along it; those that exist stay in theirs.")}

    def _get_validation_exclusions(self) -> set[str]:
        """A new default takes the place of the present one: the service sees to it."""
        return super()._get_validation_exclusions() | {"is_default"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        offered = Funnel.objects.filter(is_active=True)
        if self.instance.pk:
            offered = offered | Funnel.objects.filter(pk=self.instance.funnel_id)
        self.fields["funnel"].queryset = offered


class RemovalForm(forms.Form):
    """Where the deals of a stage go that leaves the funnel."""

    to = forms.ModelChoiceField(Stage.objects.none(), label=_("Its deals go to"), empty_label=_("– choose –"))

    def __init__(self, *args, stage: Stage, count: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = stage.funnel.stages.filter(is_active=True).exclude(pk=stage.pk)
        if not count:
            del self.fields["to"]


class OrderForm(forms.Form):
    """The rows of a list in the order they were sent."""

    row = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *args, rows: list, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = rows
        self.fields["row"].choices = [(str(one.pk), str(one)) for one in rows]
