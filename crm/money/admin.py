from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from crm.money.models import Currency, Rate


class RateInline(TabularInline):
    model = Rate
    extra = 0


@admin.register(Currency)
class CurrencyAdmin(ModelAdmin):
    list_display = ["code", "name", "is_active"]
    inlines = [RateInline]
