"""Types of counterparties with their attributes on one page."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from counterparties.models import Counterparty, CounterpartyType
from crm.attributes.admin import AttributeInline
from crm.attributes.models import AttributeSet
from crm.people.access import kind_label


class SchemaInline(AttributeInline):
    """The attributes of the set that belongs to the edited type."""

    def __init__(self, parent_model, admin_site):
        super().__init__(AttributeSet, admin_site)


@admin.register(CounterpartyType)
class CounterpartyTypeAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "key", "is_person", "is_active", "position"]
    fields = ["name", "name_pl", "key", "icon", "is_person", "is_active", "position"]
    prepopulated_fields = {"key": ["name"]}
    inlines = [SchemaInline]

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """The inline's parent is the type's set, made together with a new type."""
        if obj.attribute_set_id is None:
            obj.attribute_set = AttributeSet(kind=kind_label(Counterparty))
        return {**super().get_formset_kwargs(request, obj, inline, prefix), "instance": obj.attribute_set}

    def save_model(self, request, obj, form, change):
        obj.attribute_set.name, obj.attribute_set.name_pl = obj.name, obj.name_pl
        obj.attribute_set.save()
        obj.attribute_set = obj.attribute_set
        super().save_model(request, obj, form, change)

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        obj.attribute_set.delete()

    def delete_queryset(self, request, queryset):
        sets = list(queryset.values_list("attribute_set_id", flat=True))
        super().delete_queryset(request, queryset)
        AttributeSet.objects.filter(pk__in=sets).delete()
