"""The form of planning the same for many records."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from collab.calendar.forms import DEFAULT_MINUTES, LengthField, TemplateMixin
from collab.calendar.many import MOST_DESCRIPTION, Plan
from collab.calendar.models import ActivityKind
from collab.calendar.moments import MomentField, next_working_morning
from collab.calendar.reminder_forms import LeadsField
from collab.calendar.reminders import usual_minutes

BETWEEN = (5, 10, 15, 20, 30, 45, 60)


class ManyPlansForm(TemplateMixin):
    """What is planned, when the first of it is, and in whose calendar."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ActivityKind.choices, widget=forms.RadioSelect)
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    starts_at = MomentField(label=_("When"))
    minutes = LengthField(label=_("Length"), required=False, empty_value=0)
    every = forms.TypedChoiceField(
        label=_("One after another"),
        coerce=int,
        help_text=_("In each calendar on its own, within working hours."),
    )
    whose = forms.ChoiceField(
        label=_("In the calendar of"), choices=[("owner", _("the record's owner")), ("me", _("me"))]
    )
    description = forms.CharField(
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=MOST_DESCRIPTION,
        required=False,
    )
    remind = LeadsField(label=_("Reminders"))

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        kind = ActivityKind.CALL
        self.initial = {
            "kind": kind, "starts_at": next_working_morning(), "minutes": DEFAULT_MINUTES[kind], "every": 0,
            "whose": "owner", "remind": usual_minutes(user, kind),
        }  # fmt: skip
        self.fields["remind"].offer(self.initial["remind"])
        self.fields["every"].choices = [
            (0, _("no, all at the same time")),
            *((each, _every(each)) for each in BETWEEN),
        ]

    def value(self) -> dict:
        """The plan, once the form is valid; reminders left as they were offered are what is usual for each owner."""
        data = self.cleaned_data
        names = ("kind", "subject", "starts_at", "minutes", "every", "description")
        remind = data["remind"] if "remind" in self.changed_data else None
        plan = Plan(**{name: data[name] for name in names}, for_owner=data["whose"] == "owner", remind=remind)
        return plan.value()


def _every(minutes: int) -> str:
    return _("every %(count)s min") % {"count": minutes}


def many_plans_form(user, data=None) -> ManyPlansForm:
    return ManyPlansForm(data, user=user, prefix="plan")
