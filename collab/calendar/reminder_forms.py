"""The forms of reminders: of one activity, and what is usual for a person."""

from __future__ import annotations

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.calendar.leads_of_time import lead_choices
from collab.calendar.models import ActivityKind, ReminderChoice
from collab.calendar.moments import MomentField


class LeadsField(forms.TypedMultipleChoiceField):
    """Minutes before the start, as many as one likes."""

    def __init__(self, **kwargs):
        super().__init__(
            coerce=int, choices=lead_choices(), required=False, widget=forms.CheckboxSelectMultiple, **kwargs
        )

    def offer(self, minutes: list[int]) -> None:
        """Unusual values that are set already are offered too."""
        self.choices = lead_choices(*minutes)


class RemindersForm(forms.Form):
    """One's own reminders of an activity; `at` is one at a moment of its own."""

    minutes = LeadsField(label=_("Remind me"))
    at = MomentField(label=_("Or at this moment"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["minutes"].offer(self.initial["minutes"])

    def clean_at(self):
        moment = self.cleaned_data["at"]
        if moment and moment <= timezone.now() and moment != self.initial.get("at"):
            raise forms.ValidationError(_("Choose a moment that is still to come."))
        return moment


class ReminderChoiceForm(forms.ModelForm):
    """What is usual: a row of minutes for each kind of activity, and the letter of the morning."""

    class Meta:
        model = ReminderChoice
        fields = ["morning_letter"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for kind in ActivityKind:
            chosen = self.instance.minutes.get(kind.value, [])
            self.fields[kind.value] = LeadsField(label=kind.label, initial=chosen)
        self.order_fields([*ActivityKind.values, "morning_letter"])

    def choice(self) -> dict:
        """The arguments of `choose_reminders`."""
        data = self.cleaned_data
        return {
            "minutes": {kind: data[kind] for kind in ActivityKind.values},
            "morning_letter": data["morning_letter"],
        }
