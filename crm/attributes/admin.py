"""Attributes in the administration: as sets, and on the page of the type that owns a set."""

from __future__ import annotations

from django.contrib import admin
from django.forms import BaseInlineFormSet
from django.urls import path
from unfold.admin import ModelAdmin, StackedInline

from crm.attributes.admin_forms import AttributeForm, condition_errors
from crm.attributes.kind_change import kind_change
from crm.attributes.models import Attribute, AttributeSet
from crm.jobs.services import enqueue

SEARCHED = {"filterable", "sortable", "unique", "archived"}


class AttributeFormSet(BaseInlineFormSet):
    """Conditions name other attributes of the same page, so they are checked together."""

    def clean(self):
        super().clean()
        forms = [form for form in self.forms if form.is_valid() and form.cleaned_data.get("key")]
        kept = [form for form in forms if not form.cleaned_data.get("DELETE")]
        for form, error in condition_errors(kept):
            form.add_error("shown_if_key", error)


class AttributeInline(StackedInline):
    model = Attribute
    form = AttributeForm
    formset = AttributeFormSet
    extra = 0
    fields = [
        ("name", "name_pl", "key"),
        ("kind", "choices", "link_kind"),
        ("section", "section_pl", "position"),
        ("required", "unique", "help"),
        ("filterable", "sortable", "archived"),
        ("default", "shown_if_key", "shown_if_values"),
    ]


class SchemaInline(AttributeInline):
    """The attributes of the set that belongs to the edited type."""

    def __init__(self, parent_model, admin_site):
        super().__init__(AttributeSet, admin_site)


_further_inlines: dict[type, list] = {}


def register_inline(model: type, inline: type) -> None:
    """Called from an area's `admin.py`: rows of the area's own on the page of a type (`SchemaAdmin`) of `model`."""
    known = _further_inlines.setdefault(model, [])
    if inline not in known:
        known.append(inline)


class DerivingAdmin(ModelAdmin):
    """Attributes that became searchable, or ceased to be, get their derived rows made anew by a job."""

    def save_formset(self, request, form, formset, change):
        super().save_formset(request, form, formset, change)
        for attribute, fields in getattr(formset, "changed_objects", []):
            if isinstance(attribute, Attribute) and SEARCHED & set(fields):
                enqueue(
                    kind="attributes.derive",
                    key=f"attribute:{attribute.pk}",
                    args={"attribute": attribute.pk},
                    by=request.user,
                )


class SchemaAdmin(DerivingAdmin):
    """The page of a type that owns a set of attributes for records of `schema_kind`: both are edited together."""

    schema_kind = ""
    inlines = [SchemaInline]

    def get_inlines(self, request, obj):
        """Areas above add rows of their own to the page of a type that exists."""
        return [*self.inlines, *(_further_inlines.get(self.model, ()) if obj else ())]

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """The parent of the attributes is the type's set, made together with a new type."""
        found = super().get_formset_kwargs(request, obj, inline, prefix)
        if not isinstance(inline, SchemaInline):
            return found
        if obj.attribute_set_id is None:
            obj.attribute_set = AttributeSet(kind=self.schema_kind)
        return {**found, "instance": obj.attribute_set}

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
class AttributeSetAdmin(DerivingAdmin):
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    inlines = [AttributeInline]

    def get_urls(self):
        way = path(
            "attribute/<int:pk>/kind/",
            self.admin_site.admin_view(lambda request, pk: kind_change(request, pk, model_admin=self)),
            name="attributes_kind_change",
        )
        return [way, *super().get_urls()]
