"""The form of a letter that goes out by e-mail."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from collab.calendar.letters import LONGEST, Addressee


class LetterForm(forms.Form):
    """To people the activity knows and to other addresses; who does not wish to get e-mails is not offered."""

    known = forms.MultipleChoiceField(label=_("To"), required=False, widget=forms.CheckboxSelectMultiple)
    others = forms.CharField(
        label=_("Other addresses"),
        required=False,
        max_length=2000,
        help_text=_("Several with commas between them."),
    )
    subject = forms.CharField(label=_("Subject"), max_length=200)
    text = forms.CharField(label=_("Text"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 9}))
    copy = forms.BooleanField(label=_("A copy to me"), required=False)

    def __init__(self, *args, addressees: list[Addressee], user, **kwargs):
        super().__init__(*args, **kwargs)
        offered = [one for one in addressees if not one.refuses]
        self.refusing = [one for one in addressees if one.refuses]
        self.user = user
        self.fields["known"].choices = [(one.address, f"{one.name} <{one.address}>") for one in offered]
        if not offered:
            del self.fields["known"]
        else:
            self.initial.setdefault("known", [offered[0].address])
        if not user.email:
            del self.fields["copy"]

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not self.addresses():
            self.add_error("others", _g("Say to whom the letter goes."))
        return cleaned

    def addresses(self) -> list[str]:
        data = self.cleaned_data
        others = [part for part in re.split(r"[,;\s]+", data.get("others", "")) if part]
        return [*data.get("known", []), *others, *([self.user.email] if data.get("copy") else [])]
