"""Runs of processes: the truth of each is the small `state` on its instance; visits and log are rows beside it."""

from __future__ import annotations

from functools import cache
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bpm.models.definitions import ProcessVersion
from crm.people.kinds import RecordKind, all_kinds, kind_named
from crm.people.prepared import PreparedRecord
from crm.people.visibility import RowByRow


class InstanceStatus(models.TextChoices):
    RUNNING = "running", _("at work")
    WAITING = "waiting", _("waiting")
    INCIDENT = "incident", _("held up")
    SUSPENDED = "suspended", _("suspended")
    COMPLETED = "completed", _("finished")
    FAILED = "error", _("ended with an error")
    CANCELLED = "cancelled", _("called off")


OPEN_INSTANCE = (
    InstanceStatus.RUNNING,
    InstanceStatus.WAITING,
    InstanceStatus.INCIDENT,
    InstanceStatus.SUSPENDED,
)


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


class InstanceQuerySet(RecordBoundQuerySet):
    def held_with(self, codes: tuple[str, ...]) -> Self:
        """Those of which a step is held with one of these codes."""
        held = NodeRun.objects.filter(instance=OuterRef("pk"), status=NodeStatus.INCIDENT, code__in=codes)
        return self.filter(Exists(held))


class ProcessInstance(models.Model):
    """One run of a process on one record.

    `state`: tokens and scopes (bpm.engine.state). `rev` counts the steps. `start_key` makes a second start for the
    same reason impossible. `granting_ends`: what the gate said when the run began. `parent` and `parent_token`: the
    call activity that started it. `log_length`: how many entries its log has. `parked`: the jobs that came for it
    while it was suspended, as {kind, key, args}.
    call activity that started it. `cause`: the run whose deed or message started it, `depth` such starts in a row.
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
    log_length = models.PositiveIntegerField(default=0)
    parked = models.JSONField(default=list)
    start_key = models.CharField(max_length=120, null=True, unique=True)
    request = models.ForeignKey("deals.StageRequest", models.PROTECT, null=True, related_name="+")
    granting_ends = models.JSONField(default=list)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    parent_token = models.PositiveIntegerField(null=True)
    trigger = models.ForeignKey("bpm.Trigger", models.PROTECT, null=True, related_name="runs")
    cause = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    depth = models.PositiveSmallIntegerField(default=0)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    last_activity_at = models.DateTimeField(_("last activity"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = InstanceQuerySet.as_manager()

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

    @property
    def is_suspended(self) -> bool:
        return self.status == InstanceStatus.SUSPENDED

    def record(self):
        """The card the run is about, None when it is gone. One query."""
        kind = kind_named(self.record_kind)
        if kind is None:
            return None
        return _reading(kind).first(self.record_id)


@cache
def _reading(kind: RecordKind) -> PreparedRecord:
    return PreparedRecord(lambda pk: kind.with_facts(kind.model.objects.filter(pk=pk)), 1)


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
