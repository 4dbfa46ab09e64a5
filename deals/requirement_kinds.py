"""What a stage may require of a deal itself: fields that are filled, a file of some sort, money that has come."""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePath

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.attributes.conditions import applicable_keys
from crm.attributes.models import Attribute
from crm.attributes.services import attributes_of
from crm.files.models import StoredFile
from crm.people.folding import fold
from deals.models import Deal
from funnel.requirements import RequirementKind, register_requirement

FIELDS, FILE, PAYMENT = "deals.fields", "deals.file", "deals.payment"
OWN_FIELDS = ("amount", "close_date", "contacts")
ATTRIBUTE = "attr_"


def register_requirements() -> None:
    register_requirement(
        RequirementKind(FIELDS, gettext_lazy("Fields are filled"), "input-cursor-text", FieldsForm,
                        missing_fields_text, describe_fields)
    )  # fmt: skip
    register_requirement(
        RequirementKind(FILE, gettext_lazy("A file is attached"), "paperclip", FileForm,
                        missing_file_text, describe_file)
    )  # fmt: skip
    register_requirement(
        RequirementKind(PAYMENT, gettext_lazy("A payment is received"), "cash-coin", PaymentForm,
                        missing_payment_text, describe_payment)
    )  # fmt: skip


class FieldsForm(forms.Form):
    """Which fields of the deal, its attributes among them."""

    fields_asked = forms.MultipleChoiceField(
        label=gettext_lazy("Fields"), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one field.")},
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        schemas = Attribute.objects.filter(attribute_set__kind="deals.deal", archived=False)
        own = {name: _own_label(name) for name in OWN_FIELDS}
        attributes = {one.field_name: str(one) for one in schemas}
        self.fields["fields_asked"].choices = list({**own, **attributes}.items())


class FileForm(forms.Form):
    """What the file is called, and which sorts of file will do."""

    label = forms.CharField(label=gettext_lazy("What it is"), max_length=60, required=False)
    extensions = forms.CharField(
        label=gettext_lazy("Kinds of file"), max_length=60, required=False,
        help_text=gettext_lazy("Such as: pdf, docx. Empty: any."),
    )  # fmt: skip

    def clean_extensions(self) -> str:
        found = [
            part.strip().lower().lstrip(".")
            for part in self.cleaned_data["extensions"].split(",")
            if part.strip()
        ]
        if not all(part.isalnum() and len(part) <= 8 for part in found):
            raise ValidationError(_("Write extensions with commas between them, such as: pdf, docx."))
        return ", ".join(found)


def missing_fields(deal: Deal, options: dict) -> list[tuple[str, str]]:
    """(field name, label) of the asked fields that are empty; attributes the deal's type lacks are not asked."""
    asked = options.get("fields_asked", [])
    found = [(name, _own_label(name)) for name in OWN_FIELDS if name in asked and _is_empty(deal, name)]
    if any(name.startswith(ATTRIBUTE) for name in asked):
        schema = attributes_of(deal.get_attribute_set_id())
        shown = applicable_keys(schema, deal.attributes)
        found += [
            (one.field_name, str(one))
            for one in schema
            if one.field_name in asked and one.key in shown and deal.attributes.get(one.key) in (None, "", [])
        ]
    return found


def _is_empty(deal: Deal, name: str) -> bool:
    return not deal.deal_contacts.exists() if name == "contacts" else getattr(deal, name) is None


def _own_label(name: str) -> str:
    if name == "contacts":
        return _("Contacts")
    label = str(Deal._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def missing_fields_text(deal: Deal, options: dict) -> str:
    names = ", ".join(label for _name, label in missing_fields(deal, options))
    return _("fill in: %(fields)s") % {"fields": names} if names else ""


def describe_fields(options: dict) -> str:
    asked = options.get("fields_asked", [])
    keys = [name.removeprefix(ATTRIBUTE) for name in asked if name.startswith(ATTRIBUTE)]
    named = {
        one.key: str(one) for one in Attribute.objects.filter(attribute_set__kind="deals.deal", key__in=keys)
    }
    names = [_own_label(name) for name in asked if name in OWN_FIELDS] + [named.get(key, key) for key in keys]
    return _("Filled in: %(fields)s") % {"fields": ", ".join(names)}


def has_file(deal: Deal, options: dict) -> bool:
    """Whether a file of the asked name and sort stands on the deal's card."""
    files = StoredFile.objects.filter(record_kind="deals.deal", record_id=deal.pk).only("name", "label")
    return any(fits(one.name, one.label, options) for one in files)


def fits(name: str, label: str, options: dict) -> bool:
    """A file is known by its label, else by words of its own name."""
    wanted, sorts = fold(options.get("label", "")), options.get("extensions", "")
    extension = PurePath(name).suffix.lower().lstrip(".")
    named = not wanted or wanted in (fold(label), fold(PurePath(name).stem)) or wanted in fold(name)
    return named and (not sorts or extension in [part.strip() for part in sorts.split(",")])


def missing_file_text(deal: Deal, options: dict) -> str:
    return "" if has_file(deal, options) else _("attach: %(file)s") % {"file": _file_name(options)}


def describe_file(options: dict) -> str:
    return _("Attached: %(file)s") % {"file": _file_name(options)}


def _file_name(options: dict) -> str:
    what, sorts = options.get("label") or _("a file"), options.get("extensions")
    return f"{what} ({sorts})" if sorts else what


class PaymentForm(forms.Form):
    """How much of the deal's amount must have been received."""

    percent = forms.IntegerField(
        label=gettext_lazy("Per cent of the amount"), min_value=1, max_value=100, required=False,
        help_text=gettext_lazy("Empty: any payment will do."),
    )  # fmt: skip


def missing_payment_text(deal: Deal, options: dict) -> str:
    """Money counts in the deal's currency; of a deal without an amount any payment will do."""
    received = deal.payments.aggregate(sum=Sum("received_amount"))["sum"] or Decimal(0)
    wanted = (deal.amount or Decimal(0)) * (options.get("percent") or 0) / 100
    if received and received >= wanted:
        return ""
    # In per cent: whoever reads what a move waits for need not be allowed to see amounts.
    percent = options.get("percent")
    return (
        _("receive: %(percent)s %% of the amount") % {"percent": percent}
        if wanted
        else _("receive: a payment")
    )


def describe_payment(options: dict) -> str:
    percent = options.get("percent")
    return (
        _("Received: %(percent)s %% of the amount") % {"percent": percent}
        if percent
        else _("Received: a payment")
    )
