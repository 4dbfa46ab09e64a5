from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from funnel.models import Funnel, Stage


class StageInline(TabularInline):
    model = Stage
    extra = 1
    fields = [
        "position",
        "name",
        "name_pl",
        "key",
        "colour",
        "probability",
        "expected_conversion",
        "rot_days",
        "allowed_moves",
    ]
    ordering = ["position", "id"]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        """Moves stay inside the funnel being edited."""
        funnel_id = request.resolver_match.kwargs.get("object_id")
        stages = (
            Stage.objects.filter(funnel_id=funnel_id, is_active=True)
            if str(funnel_id or "").isdecimal()
            else Stage.objects.none()
        )
        return super().formfield_for_manytomany(db_field, request, queryset=stages, **kwargs)


@admin.register(Funnel)
class FunnelAdmin(ModelAdmin):
    list_display = ["name", "key", "position", "is_active"]
    inlines = [StageInline]
