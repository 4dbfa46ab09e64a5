"""Forms of duplicates and merging."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from counterparties.pickers import RecordChoiceField


class PartnerForm(forms.Form):
    """The other record of a merge begun on a card."""

    def __init__(self, *args, records, url: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["id"] = RecordChoiceField(records, label=_("The other record"), url=url)
