from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from crm.jobs import services
from crm.jobs.models import Job


@admin.register(Job)
class JobAdmin(ModelAdmin):
    """What runs, what waits and what went wrong; nothing is edited here."""

    list_display = ("kind", "key", "by", "status", "run_at", "attempts", "finished_at", "reason")
    list_filter = ("status", "kind")
    search_fields = ("kind", "key", "error")
    list_select_related = ("by",)
    actions = ("retry", "cancel")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    @admin.action(description=_("Try again"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset) -> None:
        self._each(request, queryset, services.retry)

    @admin.action(description=_("Cancel"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset) -> None:
        self._each(request, queryset, services.cancel)

    def _each(self, request: HttpRequest, queryset, verb) -> None:
        done = skipped = 0
        for job in queryset:
            try:
                verb(job=job, by=request.user)
                done += 1
            except services.JobNotOpen:
                skipped += 1
        self.message_user(
            request,
            _("%(done)s done, %(skipped)s skipped") % {"done": done, "skipped": skipped},
            messages.INFO,
        )
