"""What a stage may require of the calls of a deal: a conversation of some length."""

from __future__ import annotations

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from funnel.requirements import RequirementKind, register_requirement
from telephony.models import Call, Direction
from telephony.models.calls import Ending

KEY = "telephony.call"
LEAST_SECONDS = 30


class CallForm(forms.Form):
    """How long the conversation must have been, who called, and whether it counts from before the present stage."""

    seconds = forms.IntegerField(
        label=gettext_lazy("Talk of at least (s)"), min_value=1, max_value=3600, initial=LEAST_SECONDS
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"), required=False,
        choices=[("", gettext_lazy("any")), *Direction.choices],
    )  # fmt: skip
    at_stage = forms.BooleanField(
        label=gettext_lazy("Done since the deal came to its present stage"), required=False, initial=True
    )


def register() -> None:
    register_requirement(
        RequirementKind(
            KEY, gettext_lazy("A call was made"), "telephone", CallForm, missing, describe, supply
        )
    )  # fmt: skip


def missing(deal, options: dict) -> str:
    calls = Call.objects.filter(
        deal_id=deal.pk, deleted_at=None, is_internal=False, result=Ending.ANSWERED,
        talk_seconds__gte=options.get("seconds") or 1,
    )  # fmt: skip
    if options.get("direction"):
        calls = calls.filter(direction=options["direction"])
    if options.get("at_stage"):
        calls = calls.filter(ended_at__gte=deal.stage_since)
    return "" if calls.exists() else _("talk on the telephone: %(how_long)s") % {"how_long": _length(options)}


def describe(options: dict) -> str:
    since = _(", since the deal came to its stage") if options.get("at_stage") else ""
    way = options.get("direction")
    whose = f" ({Direction(way).label})" if way in Direction.values else ""
    told = {"how_long": _length(options), "whose": whose, "since": since}
    return _("Call: %(how_long)s%(whose)s%(since)s") % told


def supply(deal, options: dict) -> str:
    """Where one calls the people of the deal, or says which call was about it."""
    return reverse("telephony:deal_call", args=[deal.pk])


def _length(options: dict) -> str:
    seconds = options.get("seconds") or 1
    return ngettext("%(count)s second at least", "%(count)s seconds at least", seconds) % {"count": seconds}
