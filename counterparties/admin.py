"""Types of counterparties with their attributes on one page."""

from django.contrib import admin

from counterparties.models import CounterpartyType
from crm.attributes.admin import SchemaAdmin


@admin.register(CounterpartyType)
class CounterpartyTypeAdmin(SchemaAdmin):
    schema_kind = "counterparties.counterparty"
    list_display = ["name", "name_pl", "key", "is_person", "is_active", "position"]
    fields = [("name", "name_pl", "key"), ("icon", "position"), ("is_person", "is_active")]
    prepopulated_fields = {"key": ["name"]}
