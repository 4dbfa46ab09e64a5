"""Building web forms, seeing them as a visitor does, and looking at doubtful posts."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from leads.web_forms.forms import CALLED, field_choices
from leads.web_forms.models import FormSubmission, WebForm, WebFormField
from leads.web_forms.services import accept, drop


class WebFormFieldForm(forms.ModelForm):
    """Offers the lead's fields and attributes by name."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("– choose –")), *field_choices()]
        self.fields["field"] = forms.ChoiceField(
            choices=choices, label=_("field"), widget=UnfoldAdminSelectWidget(choices=choices)
        )


class WebFormFieldFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """Raises ValidationError for a form that would not tell who wrote."""
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not self._should_delete_form(form)
        ]
        if not {row["field"] for row in kept} & set(CALLED):
            raise ValidationError(_("Ask at least for a company, a name, a phone or an e-mail."))


class WebFormFieldInline(TabularInline):
    model = WebFormField
    form, formset = WebFormFieldForm, WebFormFieldFormSet
    extra = 1
    fields = ["field", "label", "label_pl", "is_required", "position"]


@admin.register(WebForm)
class WebFormAdmin(ModelAdmin):
    list_display = ["name", "source", "owner", "is_active", "link"]
    list_filter = ["is_active"]
    autocomplete_fields = ["owner"]
    readonly_fields = ["snippet", "preview"]
    inlines = [WebFormFieldInline]
    fieldsets = [
        (None, {"fields": [("name", "name_pl"), "is_active"]}),
        (
            _("Texts"),
            {
                "fields": [
                    ("title", "title_pl"), ("intro", "intro_pl"), ("button", "button_pl"), ("thanks", "thanks_pl"),
                    "redirect_url",
                ]
            },
        ),
        (_("Consent"), {"fields": [("consent", "consent_pl"), "consent_required"]}),
        (_("Where it leads"), {"fields": [("source", "owner")]}),
        (_("Where it stands"), {"fields": ["sites", "hourly_limit", "snippet", "preview"]}),
    ]  # fmt: skip

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        obj.author = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description=_("address"))
    def link(self, form: WebForm) -> str:
        return format_html('<a href="{0}" target="_blank">{0}</a>', form.get_absolute_url())

    def get_object(self, request, object_id, from_field=None):
        """The form knows the address under which the reader reaches the product: the line for a page needs it."""
        form = super().get_object(request, object_id, from_field)
        if form is not None:
            form.home = request.build_absolute_uri("/").rstrip("/")
        return form

    @admin.display(description=_("for your page"))
    def snippet(self, form: WebForm) -> str:
        if not form.pk:
            return _("Save first: then the line for your page and the preview stand here.")
        address = f"{form.home}{form.get_absolute_url()}"
        # Not the hashed name of this release: the line stays on foreign pages for years.
        script = f"{form.home}{settings.STATIC_URL}js/web-form-embed.js"
        line = f'<script async src="{script}" data-form="{address}"></script>'
        return format_html(
            '<textarea readonly rows="3" cols="100">{}</textarea><p><a href="{}" target="_blank">{}</a></p>',
            line,
            form.get_absolute_url(),
            _("Open the page of the form"),
        )

    @admin.display(description=_("as visitors see it"))
    def preview(self, form: WebForm) -> str:
        if not form.pk:
            return "–"
        languages = ((form.get_absolute_url(), "en", "English"), (form.get_absolute_url(), "pl", "Polski"))
        return format_html_join(
            "",
            '<iframe src="{}?lang={}" title="{}" width="48%" height="520" loading="lazy"></iframe> ',
            languages,
        )


@admin.register(FormSubmission)
class FormSubmissionAdmin(ModelAdmin):
    """What was sent; doubtful posts become leads or are dropped from here."""

    list_display = ["received_at", "form", "status", "why", "said", "lead"]
    list_filter = ["status", "form"]
    list_select_related = ["form", "lead"]
    actions = ["accept_posts", "drop_posts"]
    fields = readonly_fields = ["form", "received_at", "status", "why", "said", "lead"]
    show_full_result_count = False

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.display(description=_("reason"))
    def why(self, post: FormSubmission) -> str:
        return str(_(post.reason)) if post.reason else ""

    @admin.display(description=_("values"))
    def said(self, post: FormSubmission) -> str:
        return "; ".join(str(value) for value in post.values.values())[:200]

    @admin.action(description=_("Make leads of them"))
    def accept_posts(self, request, queryset):
        count = accept(queryset)
        messages.success(
            request,
            ngettext("%(count)s post accepted.", "%(count)s posts accepted.", count) % {"count": count},
        )

    @admin.action(description=_("Drop them"))
    def drop_posts(self, request, queryset):
        count = drop(queryset)
        messages.success(
            request, ngettext("%(count)s post dropped.", "%(count)s posts dropped.", count) % {"count": count}
        )
