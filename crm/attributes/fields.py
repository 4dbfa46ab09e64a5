"""Form fields of single attributes; `crm.attributes.forms` puts them on a record's form."""

from __future__ import annotations

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind
from crm.attributes.pickers import RecordChoiceField
from crm.attributes.references import link_parts, linked_kind
from crm.attributes.values import TEXT_LIMIT, URL_LIMIT, python_value, show_value
from crm.files.models import StoredFile
from crm.money.fields import MoneyFormField, typed_amount
from crm.people.models import User


class DateInput(forms.DateInput):
    """The browser's own date picker; its value is always ISO."""

    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


class NumberFormField(forms.DecimalField):
    """Accepts numbers as people type them, like amounts: `1 000`, `12 500,5`."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def to_python(self, value):
        return super().to_python(typed_amount(value) if isinstance(value, str) else value)


class ShownFile:
    """A stored file as the file field shows it: a name that can be downloaded."""

    def __init__(self, stored: StoredFile):
        self.pk, self.name = stored.pk, stored.name

    @property
    def url(self) -> str:
        return reverse("files:file_download", args=[self.pk])

    def __str__(self) -> str:
        return self.name


class StoredFileInput(forms.ClearableFileInput):
    """The present file, a box to take it away, and a chooser for another one."""

    template_name = "components/file_input.html"

    def _render(self, template_name, context, renderer=None):
        """From the project's templates, which the renderer of forms does not know."""
        return render_to_string(template_name, context)


def form_field(attribute: Attribute, user=None, value=None) -> forms.Field:
    """The field for one attribute of a record that has the stored `value`, without an initial value.

    `user` limits what a link offers.
    """
    conditional = bool(attribute.shown_if_key)
    options = {
        "label": str(attribute),
        "required": attribute.required and not conditional,
        "help_text": attribute.help,
    }
    build = _builders.get(attribute.kind)
    field = (
        build(attribute, options, user, value) if build else forms.CharField(max_length=TEXT_LIMIT, **options)
    )
    field.is_demanded = attribute.required and attribute.kind != AttributeKind.BOOL
    return field


def _choices(attribute: Attribute, value) -> list[tuple[str, str]]:
    """The offered choices, and what the record has although it is not offered any more."""
    offered = attribute.choice_labels()
    known = {key for key, _label in offered}
    present = value if isinstance(value, list) else [value]
    return offered + [(item, item) for item in present if isinstance(item, str) and item not in known]


def _person(attribute: Attribute, options: dict, user, value) -> forms.Field:
    people = User.objects.filter(is_active=True)
    if isinstance(value, int):
        people = people | User.objects.filter(pk=value)
    return forms.ModelChoiceField(people, empty_label=_("– choose –"), **options)


def _link(attribute: Attribute, options: dict, user, value) -> forms.Field:
    kind = linked_kind(attribute)
    if kind is None or user is None:
        return forms.CharField(disabled=True, **{**options, "required": False})
    url = f"{reverse('attributes:record_options')}?kind={kind.label}"
    return RecordChoiceField(kind.visible(user), url=url, **options)


_builders = {
    AttributeKind.MONEY: lambda attribute, options, user, value: MoneyFormField(
        max_digits=15, decimal_places=2, **options
    ),
    AttributeKind.NUMBER: lambda attribute, options, user, value: NumberFormField(
        max_digits=20, decimal_places=6, localize=True, **options
    ),
    AttributeKind.DATE: lambda attribute, options, user, value: forms.DateField(
        widget=DateInput(), **options
    ),
    AttributeKind.BOOL: lambda attribute, options, user, value: forms.BooleanField(
        **{**options, "required": False}
    ),
    AttributeKind.CHOICE: lambda attribute, options, user, value: forms.ChoiceField(
        choices=[("", _("– choose –")), *_choices(attribute, value)], **options
    ),
    AttributeKind.CHOICES: lambda attribute, options, user, value: forms.MultipleChoiceField(
        choices=_choices(attribute, value), widget=forms.CheckboxSelectMultiple, **options
    ),
    AttributeKind.PERSON: _person,
    AttributeKind.LINK: _link,
    AttributeKind.FILE: lambda attribute, options, user, value: forms.FileField(
        widget=StoredFileInput, max_length=200, **options
    ),
    AttributeKind.URL: lambda attribute, options, user, value: forms.CharField(
        max_length=URL_LIMIT, widget=forms.TextInput(attrs={"inputmode": "url"}), **options
    ),
    AttributeKind.PHONE: lambda attribute, options, user, value: forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"inputmode": "tel"}), **options
    ),
    AttributeKind.EMAIL: lambda attribute, options, user, value: forms.CharField(
        max_length=254, widget=forms.TextInput(attrs={"inputmode": "email"}), **options
    ),
}


def initial_value(attribute: Attribute, value, user=None):
    """What the field of `form_field` starts from for a stored value."""
    if attribute.kind == AttributeKind.PHONE:
        return show_value(attribute, value)
    if attribute.kind == AttributeKind.LINK:
        parts = link_parts(value)
        return parts[1] if parts and parts[0] == attribute.link_kind else None
    if attribute.kind == AttributeKind.FILE:
        stored = StoredFile.objects.filter(pk=value).first() if isinstance(value, int) else None
        return ShownFile(stored) if stored else None
    return python_value(attribute, value)
