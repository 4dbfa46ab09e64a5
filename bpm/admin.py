"""Processes and gates in the administration: upload a diagram, read what is wrong with it, publish, bind."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from bpm.definitions import (
    DiagramRefused,
    demand_gate,
    end_label,
    ends_of,
    may_publish,
    publish_version,
    shown_findings,
    upload_diagram,
)
from bpm.engine.checking import check
from bpm.engine.findings import REJECT
from bpm.forms import MAX_DIAGRAM
from bpm.models import (
    ProcessDefinition,
    ProcessVersion,
    StageGate,
    StartableProcess,
    TriggerKind,
    VersionStatus,
)
from bpm.triggers import in_use
from counterparties.models import CounterpartyType
from crm.attributes.admin import register_inline


class PublisherAdmin(ModelAdmin):
    """For those who keep the company's processes, whatever Django's own permissions say."""

    def has_module_permission(self, request) -> bool:
        return request.user.is_active and request.user.is_staff and may_publish(request.user)

    def has_view_permission(self, request, obj=None) -> bool:
        return self.has_module_permission(request)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


def findings_table(findings: list[dict]) -> str:
    """All findings at once: severity, element, what is wrong, what to do."""
    if not findings:
        return gettext("Nothing is wrong with the diagram.")
    names = {"error": gettext("error"), "warning": gettext("warning")}
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}<br><code>{}</code></td><td>{}</td><td>{}</td></tr>",
        (
            (names[each["severity"]], each["name"], each["element"], each["message"], each["remedy"])
            for each in shown_findings(findings)
        ),
    )
    return format_html("<table><tbody>{}</tbody></table>", rows)


class DefinitionForm(forms.ModelForm):
    """A diagram to take in, and whether to publish it at once."""

    diagram = forms.FileField(
        label=_("BPMN file"),
        required=False,
        help_text=_("Another diagram becomes a new version; a published one never changes."),
    )
    publish = forms.BooleanField(
        label=_("Publish it"),
        required=False,
        initial=True,
        help_text=_("Only when the diagram has no errors."),
    )

    class Meta:
        model = ProcessDefinition
        fields = ["diagram", "publish", "is_active"]

    def clean_diagram(self):
        """A refused file says everything that is wrong with it; nothing is kept."""
        upload = self.cleaned_data["diagram"]
        if not upload:
            if not self.instance.pk:
                raise ValidationError(_("Choose a file."))
            return None
        if upload.size > MAX_DIAGRAM:
            raise ValidationError(_("A diagram may have at most 1 MB."))
        self.data_read = upload.read()
        report = check(self.data_read)
        if report.verdict == REJECT:
            raise ValidationError(
                [f"{each.what.said(gettext)} {each.how.said(gettext)}" for each in report.findings]
            )
        return upload


class VersionInline(TabularInline):
    model = ProcessVersion
    fields = readonly_fields = [
        "number",
        "status",
        "file_name",
        "uploaded_at",
        "is_publishable",
        "findings_shown",
    ]
    extra, max_num, can_delete = 0, 0, False

    @admin.display(description=_("Findings"))
    def findings_shown(self, version: ProcessVersion) -> str:
        return findings_table(version.findings)

    def has_view_permission(self, request, obj=None) -> bool:
        return may_publish(request.user)


@admin.register(ProcessDefinition)
class ProcessDefinitionAdmin(PublisherAdmin):
    form = DefinitionForm
    list_display = ["__str__", "key", "published_number", "is_active"]
    inlines = [VersionInline]
    actions = ["publish_newest"]

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.display(description=_("published version"))
    def published_number(self, definition: ProcessDefinition) -> str:
        version = definition.published()
        return str(version.number) if version else "–"

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def save_model(self, request, obj, form, change) -> None:
        """The services do the work; what they refuse is shown and nothing is kept."""
        if change:
            obj.save(update_fields=["is_active"])
        if not form.cleaned_data.get("diagram"):
            return
        try:
            kept = upload_diagram(
                data=form.data_read, file_name=form.cleaned_data["diagram"].name, by=request.user,
                definition=obj if change else None,
            )  # fmt: skip
        except DiagramRefused as refused:
            self.message_user(request, " ".join(refused.messages), messages.ERROR)
            return
        if not change:
            obj.pk = kept.versions[0].definition_id
            obj.refresh_from_db()
        self._publish(request, kept.versions, wanted=form.cleaned_data["publish"])

    def _publish(self, request, versions, *, wanted: bool) -> None:
        for version in versions:
            if not version.is_publishable:
                text = _("“%(version)s” is kept as a draft: the diagram has errors, listed below.")
                self.message_user(request, text % {"version": version}, messages.WARNING)
            elif wanted:
                self._publish_one(request, version)

    def _publish_one(self, request, version: ProcessVersion) -> None:
        try:
            publish_version(version=version, by=request.user)
        except (ValidationError, PermissionDenied) as error:
            self.message_user(request, " ".join(getattr(error, "messages", [str(error)])), messages.ERROR)
        else:
            self.message_user(
                request, _("“%(version)s” is published.") % {"version": version}, messages.SUCCESS
            )

    def save_related(self, request, form, formsets, change) -> None:
        """Versions are made by the upload alone; the log of changes wants to know that none came by the form."""
        for formset in formsets:
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    @admin.action(description=_("Publish the newest version"))
    def publish_newest(self, request, queryset) -> None:
        for definition in queryset:
            version = definition.versions.order_by("-number").first()
            if version is not None and version.status != VersionStatus.PUBLISHED:
                self._publish_one(request, version)

    def log_addition(self, request, obj, message):
        return super().log_addition(request, obj, message) if obj.pk else None

    def response_add(self, request, obj, post_url_continue=None):
        """On to the process itself, where the findings stand."""
        return (
            super().response_change(request, obj) if obj.pk else super().response_post_save_add(request, obj)
        )


class GateAdminForm(forms.ModelForm):
    """The ends of every published process are offered, under the name of their process."""

    ends = forms.MultipleChoiceField(label=_("Ends that grant the move"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = StageGate
        fields = ["stage", "way", "definition", "mode", "is_active"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        published = ProcessVersion.objects.filter(status=VersionStatus.PUBLISHED).select_related("definition")
        self.fields["definition"].queryset = ProcessDefinition.objects.filter(versions__in=published)
        self.fields["stage"].label_from_instance = lambda stage: f"{stage.funnel} – {stage}"
        self.fields["ends"].choices = [
            (
                str(each.definition),
                [(f"{each.definition_id}:{node.id}", end_label(node)) for node in ends_of(each)],
            )
            for each in published
        ]
        if self.instance.pk:
            self.initial["ends"] = [
                f"{self.instance.definition_id}:{end}" for end in self.instance.granting_ends
            ]

    def clean(self):
        cleaned = super().clean()
        definition = cleaned.get("definition")
        if definition is not None and "ends" in cleaned:
            pairs = [pair.partition(":") for pair in cleaned["ends"]]
            if any(int(owner) != definition.pk for owner, _colon, _end in pairs):
                raise ValidationError({"ends": _("Choose only ends of the process above.")})
            self.instance.granting_ends = [end for _owner, _colon, end in pairs]
            demand_gate(definition, self.instance.granting_ends)
        return cleaned


@admin.register(StageGate)
class StageGateAdmin(PublisherAdmin):
    form = GateAdminForm
    list_display = ["stage", "way", "definition", "mode", "is_active"]
    list_filter = ["is_active", "stage__funnel"]


class StartableInline(TabularInline):
    """Which processes cards of a type offer; for those who keep the company's processes."""

    model = StartableProcess
    extra = 0

    def has_view_permission(self, request, obj=None) -> bool:
        return request.user.is_active and request.user.is_staff and may_publish(request.user)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "definition":
            started = in_use(TriggerKind.HAND).order_by().values("definition")
            kwargs["queryset"] = ProcessDefinition.objects.filter(
                Q(pk__in=started) | Q(pk__in=StartableProcess.objects.order_by().values("definition")),
                record_kind="counterparties.counterparty",
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


register_inline(CounterpartyType, StartableInline)
