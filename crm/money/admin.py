"""Currencies; their rates stand on a page of their own."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from crm.money.models import Currency


@admin.register(Currency)
class CurrencyAdmin(ModelAdmin):
    list_display = ["code", "name", "is_active"]
