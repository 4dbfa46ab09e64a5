"""Types of deals with their attributes on one page, the dictionaries, price lists, and the settings of deals."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline

from crm.attributes.admin import SchemaAdmin
from deals.models import (
    Competitor,
    DealSettings,
    DealType,
    LossReason,
    OutcomeReason,
    PaymentShare,
    PaymentTemplate,
    PriceList,
    QuoteTemplate,
    TaxRate,
)
from deals.placeholders import KNOWN


@admin.register(DealType)
class DealTypeAdmin(SchemaAdmin):
    schema_kind = "deals.deal"
    list_display = ["name", "key", "funnel", "is_default", "is_active", "position"]
    list_select_related = ["funnel"]
    fields = [
        ("name", "name_pl", "key"), ("funnel", "position"), "number_pattern", ("is_default", "is_active"),
    ]  # fmt: skip
    prepopulated_fields = {"key": ["name"]}


@admin.register(Competitor)
class CompetitorAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]


@admin.register(OutcomeReason)
class OutcomeReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "outcome", "is_active", "position"]
    list_filter = ["outcome"]


@admin.register(LossReason)
class LossReasonAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "percent", "is_default", "is_active", "position"]


@admin.register(PriceList)
class PriceListAdmin(ModelAdmin):
    """The lists themselves; what a product costs on them is said on the product's card."""

    list_display = ["name", "currency", "valid_from", "valid_to", "is_active", "position"]
    list_filter = ["currency", "is_active"]
    fields = [("name", "name_pl"), ("currency", "position"), ("valid_from", "valid_to"), "is_active"]


class SharesFormSet(BaseInlineFormSet):
    """Together the shares are the whole amount."""

    def clean(self):
        super().clean()
        kept = [
            form.cleaned_data for form in self.forms if form.is_valid() and not self._should_delete_form(form)
        ]
        if not any(self.errors) and sum(one.get("percent") or 0 for one in kept) != 100:
            raise ValidationError(_("The shares have to make 100 per cent."))


class ShareInline(TabularInline):
    model = PaymentShare
    formset = SharesFormSet
    fields = ["name", "name_pl", "percent", "days"]
    extra = 1


@admin.register(PaymentTemplate)
class PaymentTemplateAdmin(ModelAdmin):
    list_display = ["name", "name_pl", "is_active", "position"]
    fields = [("name", "name_pl"), ("is_active", "position")]
    inlines = [ShareInline]


@admin.register(QuoteTemplate)
class QuoteTemplateAdmin(ModelAdmin):
    """The names that a template may hold stand above its fields."""

    list_display = ["name", "name_pl", "language", "is_active", "position"]

    def get_fieldsets(self, request, obj=None):
        known = ", ".join(f"{{{name}}} ({meaning})" for name, meaning in KNOWN.items())
        about = _("Filled in by itself: %(known)s") % {"known": known}
        fields = [
            ("name", "name_pl"), ("language", "valid_days"), "title", "opening", "closing", ("is_active", "position"),
        ]  # fmt: skip
        return [(None, {"fields": fields, "description": about})]


@admin.register(DealSettings)
class DealSettingsAdmin(ModelAdmin):
    """One row: its list is its form."""

    def changelist_view(self, request, extra_context=None):
        DealSettings.objects.get_or_create(pk=1)
        return HttpResponseRedirect(reverse("admin:deals_dealsettings_change", args=[1]))

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
