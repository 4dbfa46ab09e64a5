from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from crm.notify.forms import DefaultForm
from crm.notify.models import Choice
from crm.notify.notices import notice_of


@admin.register(Choice)
class DefaultAdmin(ModelAdmin):
    """How people hear of each kind of event until they choose themselves; what they chose is not shown here."""

    form = DefaultForm
    list_display = ("event", "page", "mail", "push")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user=None)

    @admin.display(description=_("what happened"))
    def event(self, choice: Choice) -> str:
        return str(notice_of(choice.kind).label or choice.kind)
