"""Processes as an administrator keeps them (definitions, versions, gates), their runs, and the tasks of people.

The truth of a run is the small `state` on its instance; node runs and user tasks are rows written in the same
transaction, because people query rows.
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bpm.engine.model import Graph
from crm.people.kinds import all_kinds, kind_named
from crm.people.names import Named, localised
from crm.people.visibility import RowByRow


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


class GateMode(models.TextChoices):
    BLOCKING = "blocking", _("the move waits until the process grants it")


class StageGate(models.Model):
    """A process that guards the way into a stage; only its `granting_ends` let the deal in."""

    stage = models.ForeignKey("funnel.Stage", models.CASCADE, related_name="+", verbose_name=_("stage"))
    definition = models.ForeignKey(
        ProcessDefinition, models.PROTECT, related_name="gates", verbose_name=_("business process")
    )
    granting_ends = models.JSONField(_("ends that grant the move"), default=list)
    mode = models.CharField(_("mode"), max_length=10, choices=GateMode.choices, default=GateMode.BLOCKING)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("gate of a stage")
        verbose_name_plural = _("gates of stages")
        ordering = ["stage"]
        constraints = [
            models.UniqueConstraint(
                fields=["stage"], condition=Q(is_active=True), name="one_gate_for_a_stage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.definition}"


class InstanceStatus(models.TextChoices):
    RUNNING = "running", _("at work")
    WAITING = "waiting", _("waiting")
    INCIDENT = "incident", _("held up")
    COMPLETED = "completed", _("finished")
    FAILED = "error", _("ended with an error")
    CANCELLED = "cancelled", _("called off")


OPEN_INSTANCE = (InstanceStatus.RUNNING, InstanceStatus.WAITING, InstanceStatus.INCIDENT)


class RecordBoundQuerySet(models.QuerySet):
    """Rows that whoever sees the record sees; `path` leads to the instance."""

    path = ""

    def visible_to(self, user, action: str = "view") -> Self:
        """Rows whose record the user may view, for every kind of record that processes run on.

        Correlated, so that a few runs ask about their own records and not about all that the user sees.
        """
        condition = Q(pk__in=[])
        for kind in all_kinds():
            if kind.facts is not None:
                seen = RowByRow(kind.visible(user, action).filter(pk=OuterRef(f"{self.path}record_id")))
                condition |= Q(seen, **{f"{self.path}record_kind": kind.label})
        return self.filter(condition)


class ProcessInstance(models.Model):
    """One run of a process on one record.

    `state`: tokens and scopes (bpm.engine.state). `rev` counts the steps. `start_key` makes a second start for the
    same reason impossible. `granting_ends`: what the gate said when the run began. `parent` and `parent_token`: the
    call activity that started it.
    """

    version = models.ForeignKey(ProcessVersion, models.PROTECT, related_name="instances")
    record_kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()
    status = models.CharField(
        _("status"), max_length=10, choices=InstanceStatus.choices, default=InstanceStatus.RUNNING
    )
    state = models.JSONField(default=dict)
    variables = models.JSONField(default=dict)
    rev = models.PositiveIntegerField(default=0)
    start_key = models.CharField(max_length=120, null=True, unique=True)
    request = models.ForeignKey("deals.StageRequest", models.PROTECT, null=True, related_name="+")
    granting_ends = models.JSONField(default=list)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    parent_token = models.PositiveIntegerField(null=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    last_activity_at = models.DateTimeField(_("last activity"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = RecordBoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("run of a process")
        verbose_name_plural = _("runs of processes")
        indexes = [
            models.Index(fields=["record_kind", "record_id", "-id"], name="runs_of_record"),
            models.Index(fields=["status", "-id"], name="runs_by_status"),
            models.Index(fields=["version", "status"], name="runs_of_version"),
        ]

    def __str__(self) -> str:
        return str(self.version.definition)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_INSTANCE

    def record(self):
        """The card the run is about, None when it is gone. One query."""
        kind = kind_named(self.record_kind)
        if kind is None:
            return None
        return kind.with_facts(kind.model.objects.filter(pk=self.record_id)).first()


class NodeStatus(models.TextChoices):
    ACTIVE = "active", _("now")
    DONE = "done", _("done")
    INCIDENT = "incident", _("held up")
    CANCELLED = "cancelled", _("called off")


class NodeRun(models.Model):
    """One visit to one node: `token` is the number of the visit. `reason`: a Phrase as JSON, for an incident."""

    instance = models.ForeignKey(ProcessInstance, models.CASCADE, related_name="node_runs")
    token = models.PositiveIntegerField()
    node = models.CharField(max_length=200)
    flow = models.CharField(max_length=200, blank=True)
    scope = models.PositiveIntegerField(default=0)
    loop_index = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=10, choices=NodeStatus.choices, default=NodeStatus.ACTIVE)
    code = models.CharField(max_length=60, blank=True)
    reason = models.JSONField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "token"], name="one_row_a_visit")]
        indexes = [models.Index(fields=["node", "status"], name="visits_by_node")]


class TaskStatus(models.TextChoices):
    OPEN = "open", _("to do")
    DONE = "done", _("done")
    WITHDRAWN = "withdrawn", _("no longer needed")


class UserTaskQuerySet(RecordBoundQuerySet):
    path = "instance__"

    def open(self) -> Self:
        return self.filter(status=TaskStatus.OPEN)

    def for_user(self, user) -> Self:
        """Tasks that are the user's, or that nobody of his role has taken yet; the record must be visible to him."""
        return self.assigned(user).visible_to(user)

    def assigned(self, user) -> Self:
        """The same, whether he sees their records or not."""
        return self.filter(Q(assignee=user) | Q(assignee=None, candidate_role__in=user.roles.values("pk")))


class UserTask(models.Model):
    """What a run asks of a person. `form` is what the diagram said when the task was opened."""

    node_run = models.OneToOneField(NodeRun, models.CASCADE, related_name="task")
    instance = models.ForeignKey(ProcessInstance, models.CASCADE, related_name="tasks")
    name = models.CharField(_("task"), max_length=500)
    name_pl = models.CharField(max_length=500, blank=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    candidate_role = models.ForeignKey("people.Role", models.PROTECT, null=True, related_name="+")
    form = models.JSONField(default=dict)
    is_choice = models.BooleanField(default=False)
    status = models.CharField(_("status"), max_length=10, choices=TaskStatus.choices, default=TaskStatus.OPEN)
    opened_at = models.DateTimeField(_("waiting since"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), null=True)
    outcome = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    values = models.JSONField(default=dict)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(_("done at"), null=True)

    objects = UserTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task of a process")
        verbose_name_plural = _("tasks of processes")
        indexes = [
            models.Index(fields=["assignee", "status", "due_at"], name="tasks_of_person"),
            models.Index(fields=["candidate_role", "status"], name="tasks_of_role"),
            models.Index(fields=["instance", "-id"], name="tasks_of_run"),
        ]

    def __str__(self) -> str:
        return localised(self.name, self.name_pl)

    @property
    def is_open(self) -> bool:
        return self.status == TaskStatus.OPEN

    @property
    def holder(self) -> str:
        """Whom the run waits for: a person, or everybody of a role."""
        return str(self.assignee or self.candidate_role or "")


class Subscription(models.Model):
    """A token of a run waits for a message (of this name and key) or listens to a signal (of this name)."""

    instance = models.ForeignKey(ProcessInstance, models.CASCADE, related_name="subscriptions")
    token = models.PositiveIntegerField()
    node = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "token"], name="one_subscription_a_token")]
        indexes = [models.Index(fields=["kind", "name", "key", "id"], name="subscribers")]


class ProcessEvent(models.Model):
    """The run's own log, append-only: `seq` has no gaps."""

    instance = models.ForeignKey(ProcessInstance, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    node = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "seq"], name="one_event_a_number")]
        ordering = ["instance", "seq"]


_graphs: dict[tuple[int, str], Graph] = {}


def graph_of(version: ProcessVersion) -> Graph:
    """The version's compiled graph; kept in memory, since a version's graph follows from its file."""
    key = (version.pk, version.sha256)
    if key not in _graphs:
        if len(_graphs) > 200:
            _graphs.clear()
        _graphs[key] = Graph.from_json(version.graph)
    return _graphs[key]
