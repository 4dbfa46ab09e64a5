"""The form that asks for exactly what a waiting move lacks: empty fields, and files of some sort."""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _

from deals.forms import DealForm
from deals.models import Deal
from deals.proofs import Proof
from deals.requirement_kinds import FIELDS, FILE, fits, missing_fields
from deals.services import attach_to_deal, edit_deal, set_contacts
from funnel.models import Requirement


class ProofForm(DealForm):
    """A deal's form without what is not asked, and a place for each file."""

    def __init__(self, *args, proofs: list[Proof], **kwargs):
        super().__init__(*args, **kwargs)
        lacking = [proof for proof in proofs if proof.missing]
        asked = {
            name
            for proof in lacking if proof.requirement.kind == FIELDS
            for name, _label in missing_fields(self.instance, proof.requirement.options)
        }  # fmt: skip
        for name in set(self.fields) - asked - {"version"}:
            del self.fields[name]
        self.attribute_list = [one for one in self.attribute_list if one.field_name in asked]
        self.asked_files: dict[str, Requirement] = {}
        for proof in lacking:
            if proof.requirement.kind == FILE:
                self._add_file(proof.requirement)

    def _add_file(self, requirement: Requirement) -> None:
        options = requirement.options
        sorts = [f".{part.strip()}" for part in options.get("extensions", "").split(",") if part.strip()]
        name = f"file_{requirement.pk}"
        self.asked_files[name] = requirement
        self.fields[name] = forms.FileField(
            label=options.get("label") or _("File"), required=False,
            widget=forms.ClearableFileInput(attrs={"accept": ",".join(sorts)} if sorts else {}),
        )  # fmt: skip

    @property
    def asks(self) -> bool:
        """Whether there is anything to fill in here."""
        return bool(set(self.fields) - {"version"})

    def clean(self):
        cleaned = super().clean()
        for name, requirement in self.asked_files.items():
            upload, options = cleaned.get(name), requirement.options
            if upload and not fits(upload.name, options.get("label", ""), options):
                self.add_error(
                    name,
                    _("Attach a file of one of these kinds: %(sorts)s.") % {"sorts": options["extensions"]},
                )
        return cleaned

    @transaction.atomic
    def save_to(self, deal: Deal, by) -> None:
        """Writes what was given; the move goes on by itself once nothing is missing.

        Raises EditConflict, PermissionDenied, ValidationError.
        """
        for name, requirement in self.asked_files.items():
            if upload := self.cleaned_data.get(name):
                attach_to_deal(deal=deal, upload=upload, label=requirement.options.get("label", ""), by=by)
        values, attributes = self.field_values(), self.attribute_values()
        if values or attributes:
            version = self.cleaned_data.get("version") or deal.version
            edit_deal(deal=deal, values=values, attributes=attributes or None, version=version, by=by)
        if "contacts" in self.cleaned_data:
            set_contacts(deal=deal, contacts=self.cleaned_data["contacts"], by=by)
