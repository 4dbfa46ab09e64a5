"""Types of counterparties with their attributes on one page, and the dictionaries."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from counterparties.models import CounterpartyType, Industry, Region
from crm.attributes.admin import SchemaAdmin


@admin.register(CounterpartyType)
class CounterpartyTypeAdmin(SchemaAdmin):
    schema_kind = "counterparties.counterparty"
    list_display = ["name", "name_pl", "key", "is_person", "is_active", "position"]
    fields = [("name", "name_pl", "key"), ("icon", "position"), ("is_person", "is_active")]
    prepopulated_fields = {"key": ["name"]}


@admin.register(Industry)
class IndustryAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
    list_editable = ["is_active", "position"]
    search_fields = ["name", "name_pl"]


@admin.register(Region)
class RegionAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "country", "is_active", "position"]
    list_editable = ["is_active", "position"]
    list_filter = ["country"]
    search_fields = ["name", "name_pl"]
