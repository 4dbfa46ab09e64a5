"""Attributes in the administration: as sets, and on the page of the type that owns a set."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline
from unfold.widgets import UnfoldAdminTextareaWidget

from crm.attributes.models import Attribute, AttributeSet
from crm.people.folding import fold


class ChoicesField(forms.CharField):
    """Choices one a line: `value | label | Polish label`; a missing part repeats the one before."""

    def prepare_value(self, value):
        return "\n".join(" | ".join(choice) for choice in value) if isinstance(value, list) else value

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


class AttributeForm(forms.ModelForm):
    choices = ChoicesField(
        label=_("choices"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("One a line: value | label | Polish label. Only for the kind “choice”."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False
            self.fields["key"].help_text = _("Made from the name when left empty.")

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("key") and "key" not in self.errors and cleaned.get("name"):
            cleaned["key"] = slugify(fold(cleaned["name"])).replace("-", "_")[:40] or "attribute"
        return cleaned

    class Meta:
        model = Attribute
        fields = [
            "name", "name_pl", "key", "kind", "choices", "section", "section_pl", "position",
            "required", "unique", "filterable", "sortable", "archived", "help",
        ]  # fmt: skip


class AttributeInline(StackedInline):
    model = Attribute
    form = AttributeForm
    extra = 0
    fields = [
        ("name", "name_pl", "key"),
        ("kind", "choices"),
        ("section", "section_pl", "position"),
        ("required", "unique", "help"),
        ("filterable", "sortable", "archived"),
    ]


class SchemaInline(AttributeInline):
    """The attributes of the set that belongs to the edited type."""

    def __init__(self, parent_model, admin_site):
        super().__init__(AttributeSet, admin_site)


class SchemaAdmin(ModelAdmin):
    """The page of a type that owns a set of attributes for records of `schema_kind`: both are edited together."""

    schema_kind = ""
    inlines = [SchemaInline]

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """The inline's parent is the type's set, made together with a new type."""
        if obj.attribute_set_id is None:
            obj.attribute_set = AttributeSet(kind=self.schema_kind)
        return {**super().get_formset_kwargs(request, obj, inline, prefix), "instance": obj.attribute_set}

    def save_model(self, request, obj, form, change):
        if obj.attribute_set is None:
            obj.attribute_set = AttributeSet(kind=self.schema_kind)
        obj.attribute_set.name, obj.attribute_set.name_pl = obj.name, obj.name_pl
        obj.attribute_set.save()
        # Django copies a related object's new key only when the relation is set again.
        obj.attribute_set = obj.attribute_set
        super().save_model(request, obj, form, change)

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        obj.attribute_set.delete()

    def delete_queryset(self, request, queryset):
        sets = list(queryset.values_list("attribute_set_id", flat=True))
        super().delete_queryset(request, queryset)
        AttributeSet.objects.filter(pk__in=sets).delete()


@admin.register(AttributeSet)
class AttributeSetAdmin(ModelAdmin):
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    inlines = [AttributeInline]
