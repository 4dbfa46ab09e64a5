from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from crm.attributes.models import Attribute, AttributeSet


class AttributeInline(TabularInline):
    model = Attribute
    extra = 1
    fields = [
        "name", "name_pl", "key", "kind", "choices", "section", "section_pl", "position",
        "required", "unique", "filterable", "sortable", "archived", "help",
    ]  # fmt: skip


@admin.register(AttributeSet)
class AttributeSetAdmin(ModelAdmin):
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    inlines = [AttributeInline]
