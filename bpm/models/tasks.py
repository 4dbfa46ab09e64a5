"""What runs ask of people."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bpm.models.runs import NodeRun, ProcessInstance, RecordBoundQuerySet
from crm.people.names import localised


class TaskStatus(models.TextChoices):
    OPEN = "open", _("to do")
    DONE = "done", _("done")
    WITHDRAWN = "withdrawn", _("no longer needed")


class UserTaskQuerySet(RecordBoundQuerySet):
    path = "instance__"

    def open(self) -> Self:
        return self.filter(status=TaskStatus.OPEN)

    def for_user(self, user) -> Self:
        """What waits for the user on records he sees: his own, his roles' and those of people he stands in for."""
        return self.assigned(user).visible_to(user)

    def assigned(self, user) -> Self:
        """The same, whether he sees their records or not."""
        condition = _own(user)
        if user.access.stands_in_for:
            condition |= _offered(user)
        return self.filter(condition)

    def own(self, user) -> Self:
        """Tasks that are the user's, or that nobody of his role has taken yet."""
        return self.filter(_own(user))

    def offered(self, user) -> Self:
        """Tasks of people away today for whom the user stands in."""
        return self.filter(_offered(user))


def _own(user) -> Q:
    return Q(assignee=user) | Q(assignee=None, candidate_role__in=user.roles.values("pk"))


def _offered(user) -> Q:
    """Not those of a move that the substitute asked for himself: he would agree to it on his own word."""
    away = Q(assignee__in=user.access.stands_in_for)
    return away & ~Q(instance__request__isnull=False, instance__started_by=user)


class UserTask(models.Model):
    """What a run asks of a person. `form` is what the diagram said when the task was opened.

    `on_behalf_of`: whose task it is when a colleague does it for him. `draft`: what was typed and not sent yet.
    """

    node_run = models.OneToOneField(NodeRun, models.CASCADE, related_name="task")
    instance = models.ForeignKey(ProcessInstance, models.CASCADE, related_name="tasks")
    name = models.CharField(_("task"), max_length=500)
    name_pl = models.CharField(max_length=500, blank=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    candidate_role = models.ForeignKey("people.Role", models.PROTECT, null=True, related_name="+")
    on_behalf_of = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    form = models.JSONField(default=dict)
    is_choice = models.BooleanField(default=False)
    status = models.CharField(_("status"), max_length=10, choices=TaskStatus.choices, default=TaskStatus.OPEN)
    opened_at = models.DateTimeField(_("waiting since"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), null=True)
    outcome = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)
    values = models.JSONField(default=dict)
    draft = models.JSONField(default=dict)
    draft_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    draft_at = models.DateTimeField(null=True)
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

    @property
    def principal_id(self) -> int | None:
        """Whose task it is, whoever does it for him."""
        return self.on_behalf_of_id or self.assignee_id
