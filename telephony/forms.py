"""What people type about calls."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, Counterparty
from counterparties.pickers import RecordChoiceField
from deals.models import Deal
from leads.models import Lead
from telephony.models import Call, Outcome
from telephony.services import LONGEST_NOTE


class NoteForm(forms.ModelForm):
    """The note and the result of a conversation."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("What was said…")}),
    )
    outcome = forms.ChoiceField(
        label=_("Result"), required=False, choices=[("", _("– result –")), *Outcome.choices]
    )

    class Meta:
        model = Call
        fields = ("note", "outcome")


class CardsForm(forms.Form):
    """Whose call it was. Each field offers only what the reader sees."""

    save_number = forms.BooleanField(label=_("Save the number there too"), required=False, initial=True)

    field_order = ("contact", "counterparty", "lead", "deal", "save_number")

    def __init__(self, *args, user, call: Call, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, label, model, url in (
            ("contact", _("Contact"), Contact, reverse("counterparties:contact_options")),
            ("counterparty", _("Counterparty"), Counterparty, reverse("counterparties:counterparty_options")),
            ("lead", _("Lead"), Lead, reverse("leads:lead_options")),
            ("deal", _("Deal"), Deal, f"{reverse('attributes:record_options')}?kind=deals.deal"),
        ):
            self.fields[name] = RecordChoiceField(
                model.objects.visible_to(user), url=url, label=label, required=False
            )
        self.order_fields(self.field_order)
        if not call.number:
            del self.fields["save_number"]

    def clean(self) -> dict:
        data = super().clean()
        if not self.errors and not self.cards:
            raise ValidationError(_("Choose at least one record."))
        return data

    @property
    def cards(self) -> dict:
        names = ("contact", "counterparty", "lead", "deal")
        return {name: record for name in names if (record := self.cleaned_data.get(name)) is not None}
