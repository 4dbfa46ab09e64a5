"""Connections to exchanges, their settings and whose extension is whose. Secrets go in and never come out."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from telephony.adapters.base import SettingField, adapter_named, all_adapters
from telephony.listening import mark_wanted
from telephony.models import Connection, Extension
from telephony.sealing import Unreadable

PREFIX = "setting_"
OWN_FIELDS = (
    "name",
    "provider",
    "is_active",
    "region",
    "time_zone",
    "lines",
    "ignored",
    "rota",
    "lead_rule",
)


class ConnectionForm(forms.ModelForm):
    """The settings of the adapter beside the row's own fields. An empty secret leaves the one that is kept."""

    class Meta:
        model = Connection
        fields = OWN_FIELDS

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            kinds = [(adapter.key, adapter.label) for adapter in all_adapters()]
            self.fields["provider"] = forms.ChoiceField(
                label=self.fields["provider"].label, choices=kinds, widget=UnfoldAdminSelectWidget
            )
        kept = kept_settings(self.instance)
        for one in setting_fields(self.instance):
            field = self.fields.get(PREFIX + one.name)
            if field is None:
                continue
            if one.is_secret:
                field.required = one.is_required and not kept.get(one.name)
            else:
                field.initial = kept.get(one.name, one.default)

    def given_settings(self) -> dict[str, str]:
        """What is kept, with what has been entered."""
        values = kept_settings(self.instance)
        for one in setting_fields(self.instance):
            given = self.cleaned_data.get(PREFIX + one.name, "")
            if given or not one.is_secret:
                values[one.name] = given
        return values


def setting_fields(connection: Connection | None) -> tuple[SettingField, ...]:
    """The settings that a connection of this kind needs; none before its kind is known."""
    adapter = adapter_named(connection.provider) if connection and connection.pk else None
    return adapter.fields if adapter else ()


def kept_settings(connection: Connection) -> dict[str, str]:
    try:
        return dict(connection.settings)
    except Unreadable:
        return {}


def _field(one: SettingField) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget if one.is_secret else UnfoldAdminTextInputWidget
    note = gettext_lazy("Leave empty to keep what is stored.") if one.is_secret else one.help_text
    return forms.CharField(
        label=one.label, required=one.is_required, help_text=note, max_length=500, widget=widget()
    )


class ExtensionInline(TabularInline):
    model = Extension
    extra = 1
    fields = ["number", "user"]


@admin.register(Connection)
class ConnectionAdmin(ModelAdmin):
    list_display = ["name", "provider", "is_active", "listener_at", "state"]
    actions = ["test", "renew_address"]
    filter_horizontal = ["rota"]

    def get_fields(self, request: HttpRequest, obj: Connection | None = None) -> list[str]:
        return [*OWN_FIELDS, *(PREFIX + one.name for one in setting_fields(obj))]

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs):
        declared = {PREFIX + one.name: _field(one) for one in setting_fields(obj)}
        kwargs["form"] = type("ConnectionForm", (ConnectionForm,), declared)
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> list[str]:
        return ["provider"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Connection | None):
        return [ExtensionInline] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        """Its calls stay; a connection that is not needed is put out of use."""
        return False

    def save_model(self, request: HttpRequest, obj: Connection, form: ConnectionForm, change: bool) -> None:
        obj.author = request.user
        if change:
            obj.settings = form.given_settings()
        secret = "" if change else obj.new_secret()
        super().save_model(request, obj, form, change)
        if secret:
            self._tell_address(request, obj, secret)
        mark_wanted()

    def _tell_address(self, request: HttpRequest, connection: Connection, secret: str) -> None:
        path = reverse("telephony:hook", args=[connection.uuid, secret])
        text = _("Where “%(name)s” posts its events, shown only now: %(address)s")
        self.message_user(request, text % {"name": connection.name, "address": f"{settings.CRM_URL}{path}"})

    @admin.display(description=gettext_lazy("state"))
    def state(self, connection: Connection) -> str:
        """What the listener says, where there has to be one."""
        error = connection.health.get("error", "")
        return _(error) if error else ""

    @admin.action(description=gettext_lazy("Test the connection"), permissions=["change"])
    def test(self, request: HttpRequest, queryset) -> None:
        for connection in queryset[:5]:
            try:
                results = connection.adapter.check()
            except (LookupError, Unreadable):
                text = _("The settings of the connection cannot be read.")
                self.message_user(request, f"{connection}: {text}", messages.ERROR)
                continue
            for result in results:
                line = f"{connection}: {result.what}" + (f" – {result.say}" if result.say else "")
                self.message_user(request, line, messages.SUCCESS if result.ok else messages.ERROR)

    @admin.action(description=gettext_lazy("Give a new address; the old one ends"), permissions=["change"])
    def renew_address(self, request: HttpRequest, queryset) -> None:
        for connection in queryset[:5]:
            secret = connection.new_secret()
            connection.save(update_fields=["secret_hash"])
            self._tell_address(request, connection, secret)
