"""Forms of attributes in the administration."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from crm.attributes.models import CHOOSING, DECIDING, Attribute, AttributeKind
from crm.attributes.values import clean_value
from crm.people.folding import fold
from crm.people.kinds import all_kinds


class ChoicesField(forms.CharField):
    """Choices one a line: `value | label | Polish label`; a missing part repeats the one before."""

    def prepare_value(self, value):
        if not isinstance(value, list):
            return value
        return "\n".join(" | ".join(choice if len(set(choice)) > 1 else choice[:1]) for choice in value)

    def to_python(self, value):
        choices = []
        for line in (value or "").splitlines():
            parts = [part.strip() for part in line.split("|")][:3]
            if any(parts):
                filled = parts + [parts[-1]] * (3 - len(parts))
                choices.append([filled[0] or filled[1], filled[1] or filled[0], filled[2] or filled[1]])
        return choices

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


class ValuesField(forms.CharField):
    """Values separated by commas, kept as a list."""

    def prepare_value(self, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value):
        return list(dict.fromkeys(part.strip() for part in (value or "").split(",") if part.strip()))

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


def link_kinds() -> list[tuple[str, str]]:
    """The kinds of record a link may lead to."""
    return [("", "–"), *((kind.label, kind.plural) for kind in all_kinds() if kind.searchable)]


class AttributeForm(forms.ModelForm):
    choices = ChoicesField(
        label=_("choices"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("One a line: value | label | Polish label. Only for choices."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False
            self.fields["key"].help_text = _("Made from the name when left empty.")
        if "kind" in self.fields and self.instance.pk:
            # The key names the value on every record, so it stays what it is.
            self.fields["key"].disabled = self.fields["kind"].disabled = True
            self.fields["kind"].help_text = self._way_to_another_kind()

    def _way_to_another_kind(self) -> str:
        if self.instance.is_converting:
            return _("The kind is being changed.")
        url = reverse("admin:attributes_kind_change", args=[self.instance.pk])
        return format_html('<a href="{}">{}</a>', url, _("Change the kind…"))

    link_kind = forms.ChoiceField(
        label=_("linked kind of record"),
        required=False,
        choices=link_kinds,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Only for links."),
    )
    shown_if_key = forms.CharField(
        label=_("shown only if"),
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Key of another attribute here: a choice or a yes / no."),
    )
    shown_if_values = ValuesField(
        label=_("has one of"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Values separated by commas; of a yes / no: yes or no."),
    )

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("key") and "key" not in self.errors and cleaned.get("name"):
            cleaned["key"] = slugify(fold(cleaned["name"])).replace("-", "_")[:40] or "attribute"
        if cleaned.get("default"):
            self._check_default(cleaned)
        return cleaned

    def _check_default(self, cleaned: dict) -> None:
        sample = Attribute(
            kind=cleaned.get("kind") or self.instance.kind, choices=cleaned.get("choices") or []
        )
        if sample.kind in {AttributeKind.LINK, AttributeKind.FILE}:
            return
        try:
            clean_value(sample, cleaned["default"])
        except ValidationError as error:
            self.add_error("default", error)

    class Meta:
        model = Attribute
        fields = [
            "name", "name_pl", "key", "kind", "choices", "section", "section_pl", "position",
            "required", "unique", "filterable", "sortable", "archived", "help",
            "link_kind", "default", "shown_if_key", "shown_if_values",
        ]  # fmt: skip


def condition_errors(attribute_forms: list[AttributeForm]) -> list[tuple[AttributeForm, str]]:
    """What is wrong with the conditions of a set's attributes, with the form it is wrong on."""
    known = {form.cleaned_data["key"]: form for form in attribute_forms}
    found = []
    for form in attribute_forms:
        key = form.cleaned_data.get("shown_if_key")
        if key and (error := _condition_error(form, known.get(key), known)):
            found.append((form, error))
    return found


def _condition_error(form: AttributeForm, decider: AttributeForm | None, known: dict) -> str:
    if decider is None:
        return _("There is no attribute with this key here.")
    kind = decider.cleaned_data.get("kind") or decider.instance.kind
    if kind not in DECIDING:
        return _("It may only depend on a choice or a yes / no.")
    wanted = set(form.cleaned_data.get("shown_if_values") or [])
    offered = {"yes", "no"} if kind not in CHOOSING else {one[0] for one in decider.cleaned_data["choices"]}
    if unknown := wanted - offered:
        return _("Unknown values: %(values)s") % {"values": ", ".join(sorted(unknown))}
    seen, key = set(), form.cleaned_data["key"]
    while key and key not in seen:
        seen.add(key)
        key = known[key].cleaned_data.get("shown_if_key") if key in known else ""
    return _("The conditions go round in a circle.") if key else ""


class KindForm(forms.Form):
    """The new kind of an attribute, and what it needs."""

    kind = forms.ChoiceField(
        label=_("new kind"), choices=AttributeKind.choices, widget=UnfoldAdminSelectWidget
    )
    choices = ChoicesField(
        label=_("choices"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text=_("One a line: value | label | Polish label. Only for choices."),
    )
    link_kind = forms.ChoiceField(
        label=_("linked kind of record"),
        required=False,
        choices=link_kinds,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Only for links."),
    )
