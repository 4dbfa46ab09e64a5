"""Types of counterparties with their attributes on one page, and the dictionaries."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from counterparties.category_forms import CategoryForm
from counterparties.models import Category, CategoryGroup, CounterpartyType, Industry, Region
from crm.attributes.admin import SchemaAdmin
from crm.jobs.services import enqueue


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


@admin.register(CategoryGroup)
class CategoryGroupAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_required", "position"]
    list_editable = ["is_required", "position"]
    search_fields = ["name", "name_pl"]


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """A rule takes effect by a job; the roles limited to the category are part of the roles' rights."""

    form = CategoryForm
    fields = [("name", "name_pl"), ("group", "tone"), ("is_active", "position"), "rule", "roles"]
    list_display = ["name", "group", "by_rule", "is_active", "position"]
    list_filter = ["group", "is_active"]
    search_fields = ["name", "name_pl"]

    @admin.display(description=_("by rule"), boolean=True)
    def by_rule(self, category: Category) -> bool:
        return bool(category.rule)

    def save_model(self, request, obj, form, change):
        obj.rule_by = request.user if obj.rule else None
        super().save_model(request, obj, form, change)
        form.save_limits()
        enqueue(
            kind="counterparties.category",
            key=f"category:{obj.pk}",
            args={"category": obj.pk},
            by=request.user,
        )
