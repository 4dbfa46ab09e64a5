"""Forms of leads; those of a conversion are in `leads.conversion_forms`."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from counterparties.cleaning import CleanedValuesMixin
from counterparties.pickers import RecordChoiceField
from crm.web.record_forms import RecordForm
from leads.business_cards import check_photo
from leads.models import Lead, LeadSource, LeadStatus, UnqualifiedReason


class LeadForm(CleanedValuesMixin, RecordForm):
    """In the order of a business card, so that a stack of them is typed without the mouse."""

    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False)
    website = forms.CharField(label=_("Website"), max_length=190, required=False)

    class Meta:
        model = Lead
        fields = [
            "company",
            "first_name",
            "last_name",
            "position",
            "phone",
            "email",
            "tax_number",
            "city",
            "website",
            "source",
            "owner",
            "note",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        offered = LeadSource.objects.filter(Q(is_active=True) | Q(pk=self.instance.source_id))
        self.fields["source"].queryset, self.fields["source"].empty_label = offered, _("– choose –")
        self.add_attribute_fields(self.instance.get_attribute_set_id())

    def clean(self):
        cleaned = super().clean()
        names = ("company", "first_name", "last_name", "phone", "email")
        # A field that is kept from the user may hold what tells who the lead is.
        is_whole = set(names) <= set(self.fields)
        if is_whole and not any(cleaned.get(name) for name in names) and not set(names) & set(self.errors):
            self.add_error("company", _("Give a company, a person, a phone or an e-mail."))
        return cleaned


class BusinessCardForm(LeadForm):
    """The lead's form with the photo of its card."""

    vcard_error = ""
    photo = forms.FileField(
        label=_("Photo of the card"),
        required=False,
        max_length=200,
        widget=forms.FileInput(
            attrs={
                "accept": "image/jpeg,image/png,image/webp",
                "capture": "environment",
                "data-photo": "card-photo",
            }
        ),
    )

    def clean_photo(self):
        photo = self.cleaned_data["photo"]
        if photo is not None:
            check_photo(photo)
        return photo

    def kept_fields(self) -> list:
        """What stays the same over a whole stack."""
        return [self[name] for name in ("source", "owner") if name in self.fields]

    def typed_fields(self) -> list:
        """What is read from each card."""
        return [bound for bound in self.plain_fields() if bound.name not in {"source", "owner", "photo"}]


ENDINGS = [
    (LeadStatus.UNQUALIFIED, _("Not a client")),
    (LeadStatus.UNREACHABLE, _("Cannot be reached")),
    (LeadStatus.DUPLICATE, _("A duplicate")),
]


class ClosureForm(forms.Form):
    """Why work on a lead ends. Not a client: a reason is demanded."""

    status = forms.ChoiceField(
        label=_("What is it?"), choices=ENDINGS, widget=forms.RadioSelect, initial=LeadStatus.UNQUALIFIED
    )
    reason = forms.ModelChoiceField(
        UnqualifiedReason.objects.filter(is_active=True),
        label=_("Reason"),
        required=False,
        empty_label=_("– choose –"),
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args, user, lead: Lead, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["duplicate_of"] = RecordChoiceField(
            Lead.objects.visible_to(user).exclude(pk=lead.pk),
            label=_("Duplicate of (when it is one)"),
            required=False,
            url=reverse_lazy("leads:lead_options"),
        )

    def clean(self):
        cleaned = super().clean()
        if (
            cleaned.get("status") == LeadStatus.UNQUALIFIED
            and not cleaned.get("reason")
            and "reason" not in self.errors
        ):
            self.add_error("reason", _("Choose why."))
        return cleaned
