"""How a person wants to hear of each kind of event."""

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.notify.models import Cadence, Choice
from crm.notify.notices import Notice, Way, all_notices


class ChoicesForm(forms.Form):
    """Two ticks and a cadence for every registered kind; `lines` joins each notice with its three fields."""

    def __init__(self, *args, ways: dict[str, Way], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for notice in all_notices():
            way = ways[notice.kind]
            self.fields[f"page-{notice.kind}"] = forms.BooleanField(
                label=_("In the page: %(event)s") % {"event": notice.label}, required=False, initial=way.page
            )
            self.fields[f"mail-{notice.kind}"] = forms.ChoiceField(
                label=_("By mail: %(event)s") % {"event": notice.label},
                choices=Cadence.choices,
                initial=way.mail,
            )
            self.fields[f"push-{notice.kind}"] = forms.BooleanField(
                label=_("Pushed: %(event)s") % {"event": notice.label}, required=False, initial=way.push
            )

    @property
    def lines(self) -> list[tuple[Notice, forms.BoundField, forms.BoundField, forms.BoundField]]:
        return [
            (one, self[f"page-{one.kind}"], self[f"mail-{one.kind}"], self[f"push-{one.kind}"])
            for one in all_notices()
        ]

    def ways(self) -> dict[str, Way]:
        """What was chosen, by kind."""
        values = self.cleaned_data
        return {
            one.kind: Way(values[f"page-{one.kind}"], values[f"mail-{one.kind}"], values[f"push-{one.kind}"])
            for one in all_notices()
        }


class BrowserForm(forms.Form):
    """Where a browser takes pushed messages, as its script sends it; `add_browser` looks at what it means."""

    endpoint = forms.CharField(max_length=1000)
    public_key = forms.CharField(max_length=88)
    auth = forms.CharField(max_length=24)

    @property
    def refusal(self) -> str:
        """What is wrong, in one sentence; empty where nothing is."""
        if not self.errors:
            return ""
        return next(iter(self.non_field_errors()), _("What this browser gave is incomplete or too long."))


def _kinds() -> list[tuple[str, str]]:
    return [(notice.kind, notice.label) for notice in all_notices()]


class DefaultForm(forms.ModelForm):
    """What the administrator proposes to everybody who has not chosen himself."""

    kind = forms.ChoiceField(label=_("What happened"), choices=_kinds)

    class Meta:
        model = Choice
        fields = ["kind", "page", "mail", "push"]
