"""Where leads come from, why they are given up, to whom they go and what they score.

A lead's attributes are edited under the attribute sets.
"""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from leads.models import (
    AssignmentRule,
    LeadRule,
    LeadSource,
    ScoreRule,
    ScoreTest,
    Strategy,
    UnqualifiedReason,
)
from leads.rules import clean_query, in_words
from leads.scoring import EVERYTHING, watch_scores
from leads.web_forms import admin as web_forms_admin  # noqa: F401


@admin.register(LeadSource)
class LeadSourceAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "key", "response_minutes", "is_active", "position"]
    list_editable = ["is_active", "position"]
    prepopulated_fields = {"key": ["name"]}


@admin.register(UnqualifiedReason)
class UnqualifiedReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
    list_editable = ["is_active", "position"]


class LeadRuleForm(forms.ModelForm):
    """Checks the pasted filters with the rights of whoever saves: he is the rule's author from then on."""

    user = None

    def clean_query(self) -> str:
        return clean_query(self.cleaned_data["query"], self.user)


class AssignmentRuleForm(LeadRuleForm):
    def clean(self):
        cleaned = super().clean()
        field = "person" if cleaned.get("strategy") == Strategy.PERSON else "department"
        if cleaned.get("strategy") and not cleaned.get(field):
            self.add_error(field, _("Choose who gets the leads."))
        return cleaned


class ScoreRuleForm(LeadRuleForm):
    def clean(self):
        cleaned = super().clean()
        if (
            cleaned.get("test") == ScoreTest.FILTERS
            and not cleaned.get("query")
            and "query" not in self.errors
        ):
            self.add_error("query", ValidationError(_("Say which leads get the points.")))
        return cleaned


class LeadRuleAdmin(ModelAdmin):
    list_editable = ["position", "is_active"]

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.user = request.user
        return form

    def save_model(self, request, obj, form, change):
        obj.author = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description=_("for"))
    def for_leads(self, rule: LeadRule) -> str:
        return in_words(rule.query, rule.author)


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(LeadRuleAdmin):
    form = AssignmentRuleForm
    list_display = ["name", "for_leads", "strategy", "person", "department", "position", "is_active"]
    fields = [
        ("name", "name_pl"),
        "query",
        "only_working_hours",
        "strategy",
        ("person", "department"),
        ("position", "is_active"),
    ]
    autocomplete_fields = ["person", "department"]


@admin.register(ScoreRule)
class ScoreRuleAdmin(LeadRuleAdmin):
    """Every change of a rule has all scores computed anew."""

    form = ScoreRuleForm
    list_display = ["name", "test", "for_leads", "points", "position", "is_active"]
    fields = [("name", "name_pl"), "test", "query", "points", ("position", "is_active")]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        watch_scores(EVERYTHING)

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        watch_scores(EVERYTHING)

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        watch_scores(EVERYTHING)
