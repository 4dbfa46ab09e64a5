"""What a stage may require of the work with a deal: a call, a meeting or a letter that is done."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab.calendar.models import Activity, ActivityKind
from funnel.requirements import RequirementKind, register_requirement

KEY = "collab_calendar.activity"


class ActivityForm(forms.Form):
    """Which kind of activity, and whether it must have been done at the present stage."""

    activity = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False,
        choices=[("", gettext_lazy("any")), *ActivityKind.choices],
    )  # fmt: skip
    at_stage = forms.BooleanField(
        label=gettext_lazy("Done since the deal came to its present stage"), required=False, initial=True
    )


def register() -> None:
    register_requirement(
        RequirementKind(
            KEY,
            gettext_lazy("An activity is done"),
            "calendar-check",
            ActivityForm,
            missing,
            describe,
            supply,
        )
    )


def missing(deal, options: dict) -> str:
    done = Activity.objects.filter(deal_id=deal.pk, done_at__isnull=False, deleted_at=None)
    if options.get("activity"):
        done = done.filter(kind=options["activity"])
    if options.get("at_stage"):
        done = done.filter(done_at__gte=deal.stage_since)
    return "" if done.exists() else _("log: %(activity)s") % {"activity": _name(options)}


def describe(options: dict) -> str:
    since = _(", since the deal came to its stage") if options.get("at_stage") else ""
    return _("Done: %(activity)s%(since)s") % {"activity": _name(options), "since": since}


def supply(deal, options: dict) -> str:
    """The form that logs such an activity on the deal."""
    wanted = {"deal": deal.pk, "kind": options.get("activity") or ActivityKind.CALL, "done": 1}
    return f"{reverse('collab_calendar:activity_create')}?{urlencode(wanted)}"


def _name(options: dict) -> str:
    kind = options.get("activity")
    return str(ActivityKind(kind).label) if kind in ActivityKind.values else _("an activity")
