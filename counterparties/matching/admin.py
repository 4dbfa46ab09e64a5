"""The scoring table of duplicates: a row for each pair of kinds, edited in place."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from counterparties.matching.models import FEATURES, ScoringRow
from counterparties.matching.standard import create_scoring_table


@admin.register(ScoringRow)
class ScoringRowAdmin(ModelAdmin):
    """Rows are neither added nor deleted: there is one for each pair of kinds."""

    list_display = ["__str__", *FEATURES, "possible", "certain"]
    list_editable = [*FEATURES, "possible", "certain"]
    list_before_template = "admin/matching/scoringrow/explained.html"
    fieldsets = [(None, {"fields": [*FEATURES, ("possible", "certain")]})]

    def changelist_view(self, request, extra_context=None):
        create_scoring_table()
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
