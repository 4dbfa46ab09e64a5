"""One field of one record, changed where it stands: which fields that may be, and the form of a single value."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.attributes.conditions import applicable_keys
from crm.attributes.fields import DateInput, form_field, initial_value
from crm.attributes.models import Attribute, AttributeKind
from crm.attributes.services import attributes_of
from crm.history.undoing import editor_of
from crm.listing.assigning import people_to_assign
from crm.listing.fields import Field
from crm.listing.lists import RecordList, list_of
from crm.people.models import User
from crm.people.phones import show_phone

# A file is uploaded and a linked record is looked for: both want the whole form.
ELSEWHERE = (AttributeKind.FILE, AttributeKind.LINK)
KINDS = ("text", "phone", "number", "money", "date", "choice", "record", "person", "bool")


def plain_list(kind: str, user) -> RecordList | None:
    """The list of a kind without any filter: what knows the kind's fields and how they are written."""
    found = list_of(kind)
    return found(user, QueryDict("view=0")) if found is not None and found.fields else None


def is_writable(rows: RecordList, one: Field) -> bool:
    """Whether the reader may change the field in place, where he may edit the record. Asks the database nothing."""
    editor = editor_of(rows.kind)
    if editor is None or rows.edit is None or one.names & rows.user.access.locked_fields(rows.model):
        return False
    if one.attributes:
        return editor.has_attributes and one.attributes[0].kind not in ELSEWHERE
    if one.column == "owner":
        return "owner" in editor.fields and rows.user.access.may(rows.kind, "assign")
    return (
        one.column in editor.fields and one.kind in KINDS and (one.kind != "record" or bool(one.dictionary))
    )


class CellForm(forms.Form):
    """`value` with the widget of its kind, and the version of the record it was opened with."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args, rows: RecordList, one: Field, record, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows, self.one, self.record = rows, one, record
        self.attribute = attribute_of(one, record)
        self.fields["version"].initial = record.version
        self.fields["value"] = field = self._attribute_field() if self.attribute else self._own_field()
        field.label = str(one.label)
        _dress(field)

    def _attribute_field(self) -> forms.Field:
        value = self.record.attributes.get(self.attribute.key)
        field = form_field(self.attribute, self.rows.user, value)
        field.initial = initial_value(self.attribute, value, self.rows.user)
        return field

    def _own_field(self) -> forms.Field:
        one, column = self.one, self.rows.model._meta.get_field(self.one.column)
        value = getattr(self.record, one.column)
        if one.kind in {"record", "person"}:
            field = forms.ModelChoiceField(
                self._offered(value), required=not column.blank, empty_label=_("– choose –"), initial=value
            )
            if one.kind == "person":
                field.required, field.empty_label = True, None
            return field
        if one.kind == "date":
            return forms.DateField(required=not column.blank, widget=DateInput(), initial=value)
        if one.kind == "phone" or one.key == "website":
            shown = show_phone(value) if one.kind == "phone" else value
            return forms.CharField(required=not column.blank, max_length=190, initial=shown)
        return column.formfield(initial=value)

    def _offered(self, present):
        if self.one.kind == "person":
            people = people_to_assign(self.rows.user, self.rows.model)
            return people | User.objects.filter(pk=present.pk) if present else people
        offered = self.one.dictionary.objects.filter(**self.one.offered)
        return offered | self.one.dictionary.objects.filter(pk=present.pk) if present else offered

    def changes(self) -> dict:
        """The arguments of the area's edit service."""
        value = self.cleaned_data["value"]
        if self.attribute:
            return {"values": {}, "attributes": {self.attribute.key: value}}
        return {"values": {self.one.column: value}, "attributes": None}


def attribute_of(one: Field, record) -> Attribute | None:
    """The attribute that the record itself has, None for a field of the kind's own."""
    schema = record.get_attribute_set_id() if one.attributes else None
    return next((item for item in one.attributes if item.attribute_set_id == schema), None)


def has_field(one: Field, record) -> bool:
    """False for an attribute of other records, or one that is not shown as things are. One query for attributes."""
    if not one.attributes:
        return True
    own = attribute_of(one, record)
    if own is None:
        return False
    return own.key in applicable_keys(attributes_of(own.attribute_set_id), record.attributes)


def _dress(field: forms.Field) -> None:
    widget = field.widget
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
        css = "form-check-input"
    elif isinstance(widget, forms.Select):
        css = "form-select form-select-sm"
    else:
        css = "form-control form-control-sm"
    if isinstance(widget, forms.Textarea):
        widget.attrs["rows"] = 3
    widget.attrs.update({"class": css, "aria-label": str(field.label), "autocomplete": "off"})
