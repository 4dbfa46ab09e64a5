"""Types of deals with their attributes on one page, and the dictionary of reasons."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from crm.attributes.admin import SchemaAdmin
from deals.models import DealType, LossReason


@admin.register(DealType)
class DealTypeAdmin(SchemaAdmin):
    schema_kind = "deals.deal"
    list_display = ["name", "key", "funnel", "is_default", "is_active", "position"]
    list_select_related = ["funnel"]
    fields = [("name", "name_pl", "key"), ("funnel", "position"), ("is_default", "is_active")]
    prepopulated_fields = {"key": ["name"]}


@admin.register(LossReason)
class LossReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
