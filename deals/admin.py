from django.contrib import admin
from unfold.admin import ModelAdmin

from crm.attributes.models import AttributeSet
from deals.models import DealType, LossReason


@admin.register(DealType)
class DealTypeAdmin(ModelAdmin):
    list_display = ["name", "key", "funnel", "is_default", "is_active", "position"]
    list_select_related = ["funnel"]

    def save_model(self, request, obj, form, change):
        """A new type gets a set of attributes of its own, so that the first attribute is one click away."""
        if obj.attribute_set_id is None:
            obj.attribute_set = AttributeSet.objects.create(
                name=obj.name, name_pl=obj.name_pl, kind="deals.deal"
            )
        super().save_model(request, obj, form, change)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "attribute_set":
            kwargs["queryset"] = AttributeSet.objects.filter(kind="deals.deal")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(LossReason)
class LossReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
