"""The dictionary of tags in the administration: names, colours, order. Which records carry them is not shown here."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from crm.listing.tags.models import Tag


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "colour", "position"]
    list_editable = ["colour", "position"]
    search_fields = ["name", "name_pl", "key"]
    fields = ["name", "name_pl", "colour", "position"]
