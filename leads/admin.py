"""Where leads come from, and why they are given up. A lead's attributes are edited under the attribute sets."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from leads.models import LeadSource, UnqualifiedReason


@admin.register(LeadSource)
class LeadSourceAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "key", "is_active", "position"]
    list_editable = ["is_active", "position"]
    prepopulated_fields = {"key": ["name"]}


@admin.register(UnqualifiedReason)
class UnqualifiedReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
    list_editable = ["is_active", "position"]
