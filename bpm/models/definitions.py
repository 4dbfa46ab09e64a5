"""Processes as an administrator keeps them: definitions, versions, and the gates of stages."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bpm.engine.model import Graph
from crm.people.names import Named
from funnel.models import Mode, Way


class ProcessDefinition(Named):
    """A process an administrator keeps; `key` is the id of the process in its diagram."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    record_kind = models.CharField(_("runs on"), max_length=60, default="deals.deal")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("business process")
        verbose_name_plural = _("business processes")
        ordering = ["name", "id"]

    def published(self) -> ProcessVersion | None:
        """The version that new runs start on. One query."""
        return self.versions.filter(status=VersionStatus.PUBLISHED).first()


class VersionStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    RETIRED = "retired", _("replaced")


class ImmutableVersionError(RuntimeError):
    """Code tried to change what a published version says."""


class VersionQuerySet(models.QuerySet):
    def update(self, **values) -> int:
        """Only the status and its stamps may be written past `save()`."""
        if not set(values) <= ProcessVersion.MUTABLE:
            raise ImmutableVersionError("versions are changed by bpm.definitions alone")
        return super().update(**values)


class ProcessVersion(models.Model):
    """One uploaded diagram. Once published it never changes; the runs on it stay on it."""

    MUTABLE = frozenset({"status", "published_by", "published_at"})

    definition = models.ForeignKey(
        ProcessDefinition, models.PROTECT, related_name="versions", verbose_name=_("business process")
    )
    number = models.PositiveIntegerField(_("version"))
    file_name = models.CharField(_("file"), max_length=200, blank=True)
    xml = models.TextField()
    sha256 = models.CharField(max_length=64)
    graph = models.JSONField()
    findings = models.JSONField(default=list)
    is_publishable = models.BooleanField(_("can be published"), default=False)
    status = models.CharField(
        _("status"), max_length=10, choices=VersionStatus.choices, default=VersionStatus.DRAFT
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("published"), null=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a process")
        verbose_name_plural = _("versions of processes")
        ordering = ["definition", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["definition", "number"], name="one_version_number"),
            models.UniqueConstraint(
                fields=["definition"], condition=Q(status="published"), name="one_published_version"
            ),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(published_at__isnull=False, is_publishable=True),
                name="published_version_is_sound",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.number}"

    def save(self, *args, **kwargs) -> None:
        """Raises ImmutableVersionError when a version that was published would say something else."""
        if not self._state.adding:
            kept = type(self).objects.only("status", "sha256", "graph").get(pk=self.pk)
            changed = (kept.sha256, kept.graph) != (self.sha256, self.graph)
            if kept.status != VersionStatus.DRAFT and (changed or self.status == VersionStatus.DRAFT):
                raise ImmutableVersionError(str(self))
        super().save(*args, **kwargs)

    @property
    def errors(self) -> list[dict]:
        return [finding for finding in self.findings if finding["severity"] == "error"]


class StageGate(models.Model):
    """A process that guards the way into or out of a stage; only its `granting_ends` let the deal pass.

    An advisory one starts with the move and holds nothing.
    """

    stage = models.ForeignKey("funnel.Stage", models.CASCADE, related_name="+", verbose_name=_("stage"))
    definition = models.ForeignKey(
        ProcessDefinition, models.PROTECT, related_name="gates", verbose_name=_("business process")
    )
    way = models.CharField(_("way"), max_length=5, choices=Way.choices, default=Way.ENTRY)
    granting_ends = models.JSONField(_("ends that grant the move"), default=list)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, default=Mode.BLOCKING)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("gate of a stage")
        verbose_name_plural = _("gates of stages")
        ordering = ["stage"]
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "way"], condition=Q(is_active=True), name="one_gate_for_a_way"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.definition}"


_graphs: dict[tuple[int, str], Graph] = {}


def graph_of(version: ProcessVersion) -> Graph:
    """The version's compiled graph; kept in memory, since a version's graph follows from its file."""
    key = (version.pk, version.sha256)
    if key not in _graphs:
        if len(_graphs) > 200:
            _graphs.clear()
        _graphs[key] = Graph.from_json(version.graph)
    return _graphs[key]
